//! Streams pass as they come, are retried before they begin, and are never cut unless asked.

use std::{sync::atomic::Ordering, time::Duration};

use bangban_net::client::{Channel, Settings};
use bangban_proto::bangban::events::v1::{TailRequest, event_feed_client::EventFeedClient};
use tonic::{Code, Request, Status, Streaming};

use crate::server::{Server, channel, settings};

async fn tail(
    channel: &Channel,
    log: &str,
    given: Option<Duration>,
) -> Result<Streaming<bangban_proto::bangban::events::v1::TailResponse>, Status> {
    let mut request = Request::new(TailRequest {
        log: log.into(),
        ..TailRequest::default()
    });
    if let Some(given) = given {
        request.set_timeout(given);
    }
    let mut client = EventFeedClient::new(channel.clone());
    Ok(client.tail(request).await?.into_inner())
}

async fn three(stream: &mut Streaming<bangban_proto::bangban::events::v1::TailResponse>) {
    for expected in ["1", "2", "3"] {
        assert_eq!(stream.message().await.unwrap().unwrap().position, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_comes_message_by_message_and_ends() {
    let server = Server::start("a");
    let channel = channel(&[server.address], settings()).await;
    let mut stream = tail(&channel, "directory", None).await.unwrap();
    three(&mut stream).await;
    assert!(stream.message().await.unwrap().is_none());
    let seen = server.plan.seen.lock().unwrap();
    assert!(seen[0].get("grpc-timeout").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_trailers_of_a_stream_passes() {
    let server = Server::start("a");
    let channel = channel(&[server.address], settings()).await;
    let mut stream = tail(&channel, "refused", None).await.unwrap();
    three(&mut stream).await;
    let status = stream.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::OutOfRange, "gone")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_lives_longer_than_the_default_deadline_but_not_than_its_own() {
    let server = Server::start("a");
    let channel = channel(
        &[server.address],
        Settings {
            deadline: Duration::from_secs(2),
            ..settings()
        },
    )
    .await;
    let mut open = tail(&channel, "open", None).await.unwrap();
    three(&mut open).await;

    let mut bounded = tail(&channel, "open", Some(Duration::from_secs(3)))
        .await
        .unwrap();
    three(&mut bounded).await;
    assert_eq!(
        bounded.message().await.unwrap_err().code(),
        Code::DeadlineExceeded
    );
    // By now the default deadline is over.
    let more = tokio::time::timeout(Duration::from_millis(20), open.message()).await;
    assert!(more.is_err(), "it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_response_headers_of_a_stream_are_waited_for_within_the_default_deadline() {
    let server = Server::start("a");
    server.plan.delay_ms.store(60_000, Ordering::Relaxed);
    let channel = channel(
        &[server.address],
        Settings {
            deadline: Duration::from_millis(100),
            ..settings()
        },
    )
    .await;
    let status = tail(&channel, "open", None).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_retried_before_it_begins_and_told_when_it_breaks() {
    let mut servers = [Server::start("a"), Server::start("b")];
    let channel = channel(&[servers[0].address, servers[1].address], settings()).await;
    servers[0].plan.refuse(Status::unavailable("restarting"));
    let mut made = 0;
    // By chance some go to the good one at once.
    while servers[0].plan.calls() == 0 {
        assert!(made < 1000, "none goes to the first");
        let mut stream = tail(&channel, "directory", None).await.unwrap();
        three(&mut stream).await;
        made += 1;
    }
    assert_eq!(servers[1].plan.calls(), made);

    let mut stream = tail(&channel, "open", None).await.unwrap();
    three(&mut stream).await;
    servers[1].kill();
    let status = stream.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}
