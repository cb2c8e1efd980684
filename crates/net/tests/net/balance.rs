//! Calls are spread by how many wait, and leave an endpoint that does not serve.

use std::{sync::atomic::Ordering, time::Duration};

use bangban_net::client::{Addresses, Channel, Declared, Endpoints, Settings, Tcp, by_contract};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use crate::server::{Callers, Server, channel, load, ready, region, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_endpoint_gets_fewer_calls() {
    let servers: Vec<_> = (0..3).map(|n| Server::start(&n.to_string())).collect();
    servers[0].plan.delay_ms.store(500, Ordering::Relaxed);
    servers[1].plan.delay_ms.store(50, Ordering::Relaxed);
    servers[2].plan.delay_ms.store(50, Ordering::Relaxed);
    let addresses: Vec<_> = servers.iter().map(|s| s.address).collect();
    let channel = channel(&addresses, settings()).await;

    let (succeeded, failures) = load(&channel, 16, 20).await;

    assert_eq!((succeeded, failures.len()), (320, 0));
    let [slow, a, b] = [0, 1, 2].map(|n| servers[n].plan.calls());
    assert!(slow * 3 < a && slow * 3 < b, "{slow} {a} {b}");
    assert!(a * 2 > b && b * 2 > a, "{a} {b}");
    assert_eq!(channel.counts().attempts, 320);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_when_an_endpoint_is_killed_and_comes_back() {
    let mut servers = [Server::start("a"), Server::start("b")];
    servers.iter().for_each(|s| {
        s.plan.delay_ms.store(2, Ordering::Relaxed);
    });
    let channel = channel(&[servers[0].address, servers[1].address], settings()).await;
    let callers = Callers::start(&channel, 16);
    servers[0].plan.until_called(200).await;
    let address = servers[0].address;
    servers[0].kill();
    ready(&channel, 1).await;
    servers[0] = Server::start_at("a again", address);
    ready(&channel, 2).await;
    // Whoever comes back gets calls again.
    servers[0].plan.until_called(1).await;

    let (_, failures) = callers.stop().await;

    assert_eq!(failures.len(), 0, "{:?}", failures.first());
    let counts = channel.counts();
    assert!(counts.retries > 0 && counts.retries <= 32, "{counts:?}");
}

/// Not repeatable: only what certainly was not taken is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_and_none_is_doubled_when_endpoints_restart_gracefully() {
    let mut servers = [Server::start("a"), Server::start("b")];
    let slow = |s: &Server| s.plan.delay_ms.store(2, Ordering::Relaxed);
    servers.iter().for_each(slow);
    let channel = channel(
        &[servers[0].address, servers[1].address],
        Settings {
            declared: |path| Declared {
                is_repeatable: false,
                ..by_contract(path)
            },
            ..settings()
        },
    )
    .await;
    let callers = Callers::start(&channel, 16);
    let mut handled = 0;
    for round in 0..4 {
        let server = &mut servers[round % 2];
        server.plan.until_called(100).await;
        server.drain().await;
        handled += server.plan.calls();
        *server = Server::start_at("again", server.address);
        slow(server);
        ready(&channel, 2).await;
    }

    let (calls, failures) = callers.stop().await;

    assert_eq!(failures.len(), 0, "{:?}", failures.first());
    handled += servers.iter().map(|s| s.plan.calls()).sum::<u64>();
    assert_eq!(handled, calls as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_succeed_while_an_endpoint_is_stopped_and_amplification_stays_low() {
    let servers = [Server::start("a"), Server::start("b")];
    servers.iter().for_each(|s| {
        s.plan.delay_ms.store(2, Ordering::Relaxed);
    });
    let channel = channel(
        &[servers[0].address, servers[1].address],
        Settings {
            health_timeout: Duration::from_millis(500),
            attempt: Duration::from_secs(2),
            ..settings()
        },
    )
    .await;
    let callers = Callers::start(&channel, 16);
    servers[0].plan.until_called(1).await;
    let go_on = servers[0].stop();
    let before = servers[1].plan.calls();
    servers[1].plan.until_called(before + 2400).await;

    let (_, failures) = callers.stop().await;

    assert_eq!(failures.len(), 0, "{:?}", failures.first());
    let counts = channel.counts();
    let amplification = counts.attempts as f64 / counts.calls as f64;
    assert!(amplification > 1.0 && amplification < 1.2, "{counts:?}");
    ready(&channel, 1).await;
    drop(go_on);
    ready(&channel, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_does_not_serve_gets_no_calls() {
    let servers = [Server::start("a"), Server::start("b")];
    let channel = channel(&[servers[0].address, servers[1].address], settings()).await;
    let status = tonic_health::ServingStatus::NotServing;
    servers[0].health.set_service_status("", status).await;
    ready(&channel, 1).await;
    let before = servers[0].plan.calls();

    load(&channel, 8, 20).await;

    assert_eq!(servers[0].plan.calls(), before);
    assert_eq!(servers[1].plan.calls(), 160);
    let status = tonic_health::ServingStatus::Serving;
    servers[0].health.set_service_status("", status).await;
    ready(&channel, 2).await;
    load(&channel, 8, 20).await;
    assert!(servers[0].plan.calls() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_where_endpoints_are_announced() {
    let servers = [Server::start("a"), Server::start("b")];
    let (announce, announced) = tokio::sync::mpsc::channel(1);
    let endpoints = Endpoints::Announced(Box::pin(ReceiverStream::new(announced)));
    let channel = Channel::balanced(endpoints, Tcp, settings());
    // The first call comes before any endpoint is known, and waits.
    let early = tokio::spawn({
        let channel = channel.clone();
        async move { region(&channel).await }
    });
    announce
        .send(Addresses::from([servers[0].at()]))
        .await
        .unwrap();
    assert_eq!(early.await.unwrap().unwrap().get_ref().name, "a");

    announce
        .send(servers.iter().map(Server::at).collect())
        .await
        .unwrap();
    ready(&channel, 2).await;
    announce
        .send(Addresses::from([servers[1].at()]))
        .await
        .unwrap();
    ready(&channel, 1).await;
    for _ in 0..20 {
        assert_eq!(region(&channel).await.unwrap().get_ref().name, "b");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_leads_to_its_addresses() {
    let server = Server::start("a");
    let name = format!("dns://localhost:{}", server.address.port());
    let channel = Channel::balanced(Endpoints::parse(&name, false).unwrap(), Tcp, settings());
    assert_eq!(region(&channel).await.unwrap().get_ref().name, "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_endpoint_a_call_says_which_service_is_missing() {
    let mut server = Server::start("a");
    let channel = channel(
        &[server.address],
        Settings {
            wait_for_endpoint: Duration::from_millis(200),
            ..settings()
        },
    )
    .await;
    server.kill();
    ready(&channel, 0).await;
    let from = Instant::now();

    let status = region(&channel).await.unwrap_err();

    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(status.message().contains("directory"), "{status:?}");
    assert!(from.elapsed() >= Duration::from_millis(200));
    // It waits for that, and not for its deadline.
    assert!(from.elapsed() < settings().deadline / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_wants_tls_is_not_dialled_without() {
    let server = Server::start("a");
    let list = Endpoints::parse(&format!("https://{}", server.address), false).unwrap();
    let channel = Channel::balanced(
        list,
        Tcp,
        Settings {
            wait_for_endpoint: Duration::from_millis(200),
            ..settings()
        },
    );
    let status = region(&channel).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_connections_to_one_endpoint_share_its_calls() {
    let server = Server::start("a");
    let list = Endpoints::List(Addresses::from([server.at()]));
    let channel = Channel::balanced(
        list,
        Tcp,
        Settings {
            connections_per_endpoint: 3,
            ..settings()
        },
    );
    ready(&channel, 3).await;
    let (succeeded, _) = load(&channel, 8, 10).await;
    assert_eq!(succeeded, 80);
}
