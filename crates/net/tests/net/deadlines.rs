//! The caller's time covers everything, is passed on, and shrinks.

use std::{net::SocketAddr, sync::atomic::Ordering, time::Duration};

use bangban_kit::config;
use bangban_net::client::{Channel, Settings};
use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, Region, region_service_client::RegionServiceClient,
};
use bytes::Bytes;
use tokio::{net::TcpStream, time::Instant};
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{
    served::serve,
    server::{Server, channel, region, settings},
};

async fn within(channel: &Channel, given: Duration) -> Result<Response<Region>, Status> {
    let mut request = Request::new(GetRegionRequest { code: "42".into() });
    request.set_timeout(given);
    RegionServiceClient::new(channel.clone())
        .get_region(request)
        .await
}

/// Microseconds in `grpc-timeout`, as the client writes them.
fn micros(seen: &MetadataMap) -> u64 {
    let text = seen.get("grpc-timeout").unwrap().to_str().unwrap();
    text.strip_suffix('u').unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_sees_what_is_left_and_which_attempt_it_is() {
    let server = Server::start("a");
    let channel = channel(&[server.address], settings()).await;
    server.plan.delay_ms.store(20, Ordering::Relaxed);
    server.plan.refuse(Status::unavailable("later"));

    let status = within(&channel, Duration::from_secs(60)).await.unwrap_err();

    assert_eq!(
        (status.code(), status.message()),
        (Code::Unavailable, "later")
    );
    let seen = server.plan.seen.lock().unwrap();
    assert_eq!(seen.len(), 4);
    let left: Vec<_> = seen.iter().map(micros).collect();
    assert!(left[0] <= 60_000_000 && left[0] > 30_000_000, "{left:?}");
    // Between two attempts lie the server's 20 ms and a pause of 16 ms or more.
    assert!(left.windows(2).all(|w| w[0] >= w[1] + 36_000), "{left:?}");
    let attempts: Vec<_> = seen
        .iter()
        .map(|s| {
            s.get("grpc-previous-rpc-attempts")
                .map(|v| v.to_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(
        attempts,
        [None, Some("1".into()), Some("2".into()), Some("3".into())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_deadline_gets_the_default() {
    let server = Server::start("a");
    let channel = channel(&[server.address], settings()).await;
    region(&channel).await.unwrap();
    let left = micros(&server.plan.seen.lock().unwrap()[0]);
    let most = settings().deadline.as_micros() as u64;
    assert!(left <= most && left > most / 2, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_is_over_is_deadline_exceeded() {
    let server = Server::start("a");
    server.plan.delay_ms.store(60_000, Ordering::Relaxed);
    let channel = channel(&[server.address], settings()).await;
    let from = Instant::now();
    let status = within(&channel, Duration::from_millis(150))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(from.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_cut_short_only_when_there_is_somewhere_else_to_go() {
    let server = Server::start("a");
    server.plan.delay_ms.store(300, Ordering::Relaxed);
    let channel = channel(
        &[server.address],
        Settings {
            attempt: Duration::from_millis(50),
            ..settings()
        },
    )
    .await;
    region(&channel).await.unwrap();
    assert_eq!(channel.counts().attempts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_asked_again_when_it_says() {
    let server = Server::start("a");
    let channel = channel(&[server.address], settings()).await;
    let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(120)));
    let full = Status::with_error_details(Code::ResourceExhausted, "full", details);
    server.plan.refuse_times(1, full);
    let from = Instant::now();
    region(&channel).await.unwrap();
    assert!(from.elapsed() >= Duration::from_millis(120));
    assert_eq!(channel.counts().attempts, 2);

    // Not when its pause is longer than what is left: the refusal comes at once, with its details.
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(60)));
    let full = Status::with_error_details(Code::ResourceExhausted, "full", details);
    server.plan.refuse(full.clone());
    let given = Duration::from_secs(20);
    let from = Instant::now();
    let status = within(&channel, given).await.unwrap_err();
    assert_eq!(status.details(), full.details());
    assert!(from.elapsed() < given);

    // Nor when it asks not to be.
    let mut never = Status::unavailable("never");
    let minus = "-1".parse().unwrap();
    never.metadata_mut().insert("grpc-retry-pushback-ms", minus);
    server.plan.refuse(never);
    let before = server.plan.calls();
    assert_eq!(
        region(&channel).await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(server.plan.calls(), before + 1);
}

/// The code as the server writes it, before any client of ours makes it honest.
async fn on_the_wire(address: SocketAddr, given: &str) -> Code {
    let tcp = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let uri = format!("http://{address}/bangban.directory.v1.RegionService/GetRegion");
    let request = http::Request::post(uri)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", given)
        .body(())
        .unwrap();
    let (answer, mut sending) = client.send_request(request, false).unwrap();
    // A prefix, and the code "33".
    let message = Bytes::from_static(&[0, 0, 0, 0, 4, 0x0a, 2, b'3', b'3']);
    sending.send_data(message, true).unwrap();
    let mut answer = answer.await.unwrap();
    let headers = answer.headers().clone();
    if headers.contains_key("grpc-status") {
        return Code::from_bytes(headers["grpc-status"].as_bytes());
    }
    while let Some(data) = answer.body_mut().data().await {
        data.unwrap();
    }
    let trailers = answer.body_mut().trailers().await.unwrap().unwrap();
    Code::from_bytes(trailers["grpc-status"].as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_to_be_taken_in_is_part_of_the_time_and_what_passes_there_is_deadline_exceeded() {
    let server = config::Server {
        max_in_flight: 1,
        queue_milliseconds: 10_000,
        ..config::Server::default()
    };
    let served = serve(&config::Tls::default(), server).await;
    let (address, handler) = (served.address, &served.handler);
    handler.delay_ms.store(1_000, Ordering::Relaxed);
    let first = tokio::spawn(on_the_wire(address, "60S"));
    handler.until_in_work(1).await;

    // Taken in after the first, when some of its time has passed.
    handler.delay_ms.store(60_000, Ordering::Relaxed);
    let from = Instant::now();
    let second = tokio::spawn(on_the_wire(address, "6S"));
    assert_eq!(first.await.unwrap(), Code::Ok);
    handler.until_in_work(1).await;

    // Never taken in.
    assert_eq!(on_the_wire(address, "500m").await, Code::DeadlineExceeded);
    assert_eq!(handler.calls(), 2);
    assert_eq!(second.await.unwrap(), Code::DeadlineExceeded);
    assert!(from.elapsed() < Duration::from_secs(30));
    handler.until_in_work(0).await;
}
