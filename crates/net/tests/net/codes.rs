//! What goes wrong on the way is said honestly, and sent again only where that cannot do anything twice.

use std::time::Duration;

use bangban_net::client::{Declared, Settings, Shape, by_contract};
use tonic::{Code, Status};

use crate::{
    frames::{Deed, Frames},
    server::{Server, channel, region, settings},
};

const CANCEL: u32 = 8;
const REFUSED_STREAM: u32 = 7;
const INTERNAL_ERROR: u32 = 2;
const ENHANCE_YOUR_CALM: u32 = 11;
const INADEQUATE_SECURITY: u32 = 12;
const NO_ERROR: u32 = 0;

/// Nobody asks for health meanwhile: the GOAWAY names the stream before the call. Times are short where nothing comes, and
/// only there.
fn times(deed: Deed, is_repeatable: bool) -> Settings {
    let (attempt, deadline) = match (deed, is_repeatable) {
        (Deed::Silence, true) => (2, 60),
        (Deed::Silence, false) => (2, 3),
        _ => (30, 60),
    };
    Settings {
        health_every: Duration::from_secs(600),
        attempt: Duration::from_secs(attempt),
        deadline: Duration::from_secs(deadline),
        ..settings()
    }
}

fn once(path: &str) -> Declared {
    Declared {
        is_repeatable: false,
        ..by_contract(path)
    }
}

/// A method of which nobody knows whether it streams.
fn unknown(_: &str) -> Declared {
    Declared {
        shape: Shape::Any,
        is_repeatable: false,
    }
}

/// The code of one attempt, with nowhere else to go.
async fn code_of(deed: Deed) -> (Code, String) {
    let server = Frames::start(deed).await;
    let channel = channel(
        &[server.address],
        Settings {
            attempts: 1,
            ..times(deed, false)
        },
    )
    .await;
    let status = region(&channel).await.unwrap_err();
    assert_eq!(server.calls(), 1, "{deed:?}");
    (status.code(), status.message().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_fail_has_its_code() {
    for (deed, expected) in [
        (Deed::GoAway, Code::Unavailable),
        (Deed::Close, Code::Unavailable),
        (Deed::CloseAfterHeaders, Code::Unavailable),
        (Deed::Silence, Code::DeadlineExceeded),
        (Deed::Reset(REFUSED_STREAM), Code::Unavailable),
        (Deed::Reset(CANCEL), Code::Cancelled),
        (Deed::Reset(INTERNAL_ERROR), Code::Internal),
        (Deed::Reset(NO_ERROR), Code::Internal),
        (Deed::Reset(ENHANCE_YOUR_CALM), Code::ResourceExhausted),
        (Deed::Reset(INADEQUATE_SECURITY), Code::PermissionDenied),
    ] {
        let (code, message) = code_of(deed).await;
        assert_eq!(code, expected, "{deed:?}: {message}");
    }
}

/// Whether a call that meets the deed at one endpoint succeeds at the other, and how often it reached the first.
async fn elsewhere(deed: Deed, declared: fn(&str) -> Declared) -> (usize, u64) {
    let (bad, good) = (Frames::start(deed).await, Server::start("good"));
    let is_repeatable = declared("/bangban.directory.v1.RegionService/GetRegion").is_repeatable;
    let channel = channel(
        &[bad.address, good.address],
        Settings {
            declared,
            ..times(deed, is_repeatable)
        },
    )
    .await;
    let (mut answered, mut failed) = (0, 0);
    // By chance some calls go to the good one at once.
    while bad.calls() == 0 {
        match region(&channel).await {
            Ok(_) => answered += 1,
            Err(_) => failed += 1,
        }
    }
    assert_eq!(good.plan.calls(), answered);
    (failed, bad.calls())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_taken_is_sent_again_whatever_the_method() {
    for deed in [Deed::GoAway, Deed::Reset(REFUSED_STREAM)] {
        let (failed, reached) = elsewhere(deed, once).await;
        assert_eq!((failed, reached), (0, 1), "{deed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_processed_is_sent_once_when_it_may_not_be_repeated() {
    for deed in [
        Deed::Close,
        Deed::CloseAfterHeaders,
        Deed::Silence,
        Deed::Reset(CANCEL),
        Deed::Reset(INTERNAL_ERROR),
    ] {
        let both = tokio::join!(elsewhere(deed, once), elsewhere(deed, unknown));
        assert_eq!(both, ((1, 1), (1, 1)), "{deed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_repeated_succeeds_elsewhere() {
    for deed in [
        Deed::GoAway,
        Deed::Close,
        Deed::CloseAfterHeaders,
        Deed::Silence,
        Deed::Reset(REFUSED_STREAM),
    ] {
        let (failed, reached) = elsewhere(deed, by_contract).await;
        assert_eq!((failed, reached), (0, 1), "{deed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_passes_unchanged() {
    let server = Server::start("a");
    let channel = channel(&[server.address], settings()).await;
    for code in [
        Code::NotFound,
        Code::Cancelled,
        Code::Internal,
        Code::DeadlineExceeded,
        Code::ResourceExhausted,
        Code::Unknown,
    ] {
        let mut said = Status::with_details(code, "nur 这里", vec![1, 2, 0, 255].into());
        said.metadata_mut()
            .insert("x-more", "more".parse().unwrap());
        server.plan.refuse(said.clone());
        let before = server.plan.calls();
        let heard = region(&channel).await.unwrap_err();
        assert_eq!(heard.code(), code);
        assert_eq!(heard.message(), said.message());
        assert_eq!(heard.details(), said.details());
        assert_eq!(heard.metadata().get("x-more").unwrap(), "more");
        assert_eq!(server.plan.calls(), before + 1, "{code}: not retried");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_gives_up_in_time_means_the_deadline() {
    let server = Server::start("a");
    let channel = channel(&[server.address], settings()).await;
    server.plan.refuse(Status::cancelled("Timeout expired"));
    let heard = region(&channel).await.unwrap_err();
    assert_eq!(heard.code(), Code::DeadlineExceeded);
}
