//! What happens to Redis, with people at the gate all the while: nobody is told "full" wrongly, and seats are given out
//! again within seconds without anybody's help.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bangban_rig::{Cluster, Faketime, Looks, PATIENCE, Sentinels, Server, eventually};
use bangban_slots::{Gate, Health, Settings};

use crate::server::{HasSettings, settings};
use crate::truth::Truth;
use crate::workload::{BETWEEN_LOOKS, Crowd, day, ready};

/// From when another is the master until people are served by it.
const FAILED_OVER: Duration = Duration::from_secs(10);

pub fn gates(count: usize, truth: &Arc<Truth>, settings: &Settings) -> Vec<Gate> {
    let settings = Settings {
        abandoned_after: Duration::from_millis(500),
        ..settings.clone()
    };
    (0..count)
        .map(|_| Gate::redis(settings.clone(), Arc::clone(truth) as _).unwrap())
        .collect()
}

async fn crowd(settings: &Settings, days: u32) -> Crowd {
    let truth: Arc<Truth> = Arc::default();
    let crowd = Crowd::start(Arc::clone(&truth), gates(2, &truth, settings), days);
    crowd.gets(50, 50, PATIENCE).await;
    crowd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_serves_a_crowd() {
    let crowd = Crowd::start(Arc::default(), vec![Gate::memory()], 2);
    crowd.gets(300, 300, PATIENCE).await;
    let seen = Arc::clone(&crowd.seen);
    crowd.end().await;
    assert!(
        seen.only_reserved.load(Ordering::Relaxed) > 0,
        "reserved seats were left to nobody"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flush_costs_a_rebuild() {
    let server = Server::start(&[]);
    let crowd = crowd(&server.settings(), 2).await;
    for _ in 0..5 {
        server.ask::<()>(&["FLUSHALL"]);
        crowd.gets(20, 20, PATIENCE).await;
    }
    server.ask::<()>(&["SCRIPT", "FLUSH"]);
    crowd.gets(20, 20, PATIENCE).await;
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_killed_and_comes_back_empty_is_rebuilt() {
    let mut server = Server::start(&[]);
    let crowd = crowd(&server.settings(), 2).await;
    for _ in 0..2 {
        server.kill();
        server.run();
        crowd.gets(20, 20, PATIENCE).await;
    }
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_comes_back_with_old_data_is_not_believed() {
    let mut server = Server::start(&["--save", "3600 1000000"]);
    let crowd = crowd(&server.settings(), 2).await;
    eventually("days are saved", PATIENCE, || {
        server.ask::<()>(&["SAVE"]);
        (server.ask::<u32>(&["DBSIZE"]) > 0).then_some(())
    });
    crowd.gets(100, 50, PATIENCE).await;
    server.kill();
    server.run();
    assert!(server.ask::<u32>(&["DBSIZE"]) > 0, "it came back with data");
    crowd.gets(20, 20, PATIENCE).await;
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stands_still_for_five_seconds_is_waited_for() {
    let server = Server::start(&[]);
    let crowd = crowd(&server.settings(), 2).await;
    let gate = crowd.gate();
    server.pause();
    let since = Instant::now();
    while gate.health() == Health::Ready {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "readiness does not notice"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(5).saturating_sub(since.elapsed())).await;
    server.resume();
    let since = Instant::now();
    crowd.gets(20, 20, PATIENCE).await;
    ready(&gate, PATIENCE).await;
    println!("served again {:?} after the pause", since.elapsed());
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_clock_of_redis_decides_nothing() {
    let clock = Faketime::right();
    let server = clock.server(&[]);
    let crowd = crowd(&server.settings(), 2).await;
    let now: Vec<u64> = server.ask(&["TIME"]);
    for offset in ["+700d", "-700d", "+3600"] {
        clock.shift(offset);
        crowd.gets(20, 20, PATIENCE).await;
    }
    let later: Vec<u64> = server.ask(&["TIME"]);
    assert!(later[0] > now[0] + 3000, "the clock was shifted");
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failover_by_sentinel_that_loses_acknowledged_writes_is_survived() {
    let mut group = Sentinels::start();
    let crowd = crowd(&settings(&group.url()), 2).await;
    group.master.cuts_off_its_replica();
    crowd.gets(50, 50, PATIENCE).await;
    let lost = group.master.unknown_to(&group.replica);
    assert!(lost > 0, "writes will be lost");
    group.master.kill();
    let since = Instant::now();
    group.replica.is_promoted();
    crowd.gets(20, 20, FAILED_OVER).await;
    println!(
        "served again {:?} after the master's death, without {lost} bytes",
        since.elapsed(),
    );
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_that_lives_on_as_a_replica_is_left_for_the_new_one() {
    let group = Sentinels::start();
    let crowd = crowd(&settings(&group.url()), 2).await;
    group.change_places();
    let since = Instant::now();
    crowd.gets(20, 20, FAILED_OVER).await;
    println!(
        "served again {:?} after the master became a replica, which refused writes: {}",
        since.elapsed(),
        group.refused_by_the_old_master()
    );
    assert_eq!(group.master.info("replication", "role"), "slave");
    assert_eq!(group.replica.info("replication", "role"), "master");
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_that_stands_still_is_left_for_the_new_one_and_not_believed_when_it_goes_on() {
    let group = Sentinels::start();
    let crowd = crowd(&settings(&group.url()), 2).await;
    group.master.pause();
    let since = Instant::now();
    group.replica.is_promoted();
    crowd.gets(20, 20, FAILED_OVER).await;
    println!(
        "served again {:?} after the master stood still",
        since.elapsed()
    );
    group.master.resume();
    crowd.gets(50, 20, PATIENCE).await;
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_that_both_seem_to_be_the_master_tell_nobody_full_wrongly() {
    let (one, other) = (Server::start(&[]), Server::start(&[]));
    let truth: Arc<Truth> = Arc::default();
    let mut both = gates(1, &truth, &one.settings());
    both.extend(gates(1, &truth, &other.settings()));
    let crowd = Crowd::start(truth, both, 2);
    crowd.gets_each(1, 10, PATIENCE).await;
    crowd.end_divided().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_of_three_masters_serves_through_flush_death_and_failover() {
    const DAYS: u32 = 12;
    let mut cluster = Cluster::start();
    let crowd = crowd(&cluster.settings(), DAYS).await;
    for master in &cluster.masters {
        eventually("days lie on all masters", PATIENCE, || {
            (master.ask::<u32>(&["DBSIZE"]) > 0).then_some(())
        });
    }
    cluster.masters[1].ask::<()>(&["FLUSHALL"]);
    crowd.gets(50, 20, PATIENCE).await;
    cluster.masters[0].kill();
    let since = Instant::now();
    cluster.replica.may_take_over();
    cluster.replica.is_promoted();
    // Those of the master that died as well.
    let (gate, days): (_, Vec<_>) = (crowd.gate(), (0..DAYS).map(day).collect());
    let knows_all = |free: Vec<Option<_>>| free.iter().all(Option::is_some);
    let mut looks = Looks::within(FAILED_OVER, BETWEEN_LOOKS);
    while !gate.availability(&days).await.is_ok_and(knows_all) {
        assert!(looks.goes_on().await, "some days are nowhere");
    }
    println!(
        "all served again {:?} after a master's death",
        since.elapsed()
    );
    crowd.gets(100, 20, PATIENCE).await;
    cluster.masters[2].kill();
    cluster.masters[2].run();
    crowd.gets(100, 20, PATIENCE).await;
    crowd.end().await;
}
