//! When everything fails, calls are not multiplied.

use tonic::{Code, Status};

use crate::server::{Server, channel, load, settings};

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_stops_a_storm_and_comes_back() {
    let servers = [Server::start("a"), Server::start("b")];
    let channel = channel(&[servers[0].address, servers[1].address], settings()).await;
    for server in &servers {
        server.plan.refuse(Status::unavailable("restarting"));
    }

    let (succeeded, failures) = load(&channel, 16, 50).await;

    assert_eq!((succeeded, failures.len()), (0, 800));
    assert!(failures.iter().all(|s| s.code() == Code::Unavailable));
    let storm = channel.counts();
    assert!(storm.retries <= 50, "{storm:?}");
    assert!(storm.refused_by_budget >= 750, "{storm:?}");
    let reached: u64 = servers.iter().map(|s| s.plan.calls()).sum();
    assert_eq!(reached, storm.attempts);

    for server in &servers {
        server.plan.answer();
    }
    let (succeeded, _) = load(&channel, 16, 50).await;
    assert_eq!(succeeded, 800);
    servers[0].plan.refuse(Status::unavailable("restarting"));
    let (succeeded, failures) = load(&channel, 1, 40).await;
    assert_eq!((succeeded, failures.len()), (40, 0));
}
