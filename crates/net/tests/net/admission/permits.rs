//! Who is taken in, who waits, who is refused and what is given back.

use std::{sync::atomic::Ordering, time::Duration};

use bangban_kit::refusal::{reason, sentence};
use bangban_net::admission::Settings;
use futures::future::join_all;
use tokio::time::Instant;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;

use super::{
    model::{Model, fixed, settings},
    offer::{Asker, What},
};

const QUICK: Duration = Duration::from_millis(1);

async fn clerk(model: &Model) -> Asker {
    Asker::new(model, model.clerk("330326")).await
}

/// A server whose only place is held by a call that hangs.
async fn full(settings: Settings) -> (Model, Asker, tokio::task::JoinHandle<()>) {
    let model = Model::start(0, QUICK, Some(settings));
    let asker = clerk(&model).await;
    let hanging = tokio::spawn({
        let asker = asker.within(Duration::from_secs(50));
        async move {
            asker.ask(What::Read).await.unwrap();
        }
    });
    // In its handler, so that its token was checked.
    model.until("it hangs", |_| model.work.calls() == 1).await;
    (model, asker, hanging)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_in_two_languages_that_nothing_was_done_and_when_to_come_again() {
    let short = Settings {
        queue: Duration::from_millis(20),
        ..fixed(1)
    };
    let (model, asker, hanging) = full(short).await;
    let status = asker.ask(What::Read).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason(&status), "OVERLOADED");
    assert!(sentence(&status, "zh-CN").contains("同一请求号"));
    assert!(sentence(&status, "en").contains("nothing was done"));
    let info = status.get_details_retry_info().expect("a hint");
    let after = info.retry_delay.expect("a time");
    assert!(
        after >= short.queue && after <= 2 * short.queue,
        "{after:?}"
    );
    assert_eq!(model.work.calls(), 1, "no handler saw it");

    // Our own client comes again by itself.
    let persistent = bangban_net::client::Settings {
        attempts: 1000,
        tokens: 1000,
        ..crate::server::settings()
    };
    let channel = crate::server::channel(&[model.address], persistent).await;
    let mut client =
        bangban_proto::bangban::casework::v1::case_service_client::CaseServiceClient::new(
            channel.clone(),
        );
    let mut request =
        tonic::Request::new(bangban_proto::bangban::casework::v1::GetCaseRequest::default());
    let bearer = model.clerk("330326").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let (answer, ()) = tokio::join!(client.get_case(request), async {
        model
            .until("it is refused", |c| c.people.refused >= 2)
            .await;
        model.work.slots.add_permits(1);
    });
    answer.unwrap();
    assert!(channel.counts().retries > 0);
    hanging.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_calls_give_back_what_they_hold() {
    let patient = Settings {
        queue: Duration::from_secs(20),
        ..fixed(3)
    };
    let model = Model::start(0, QUICK, Some(patient));
    let asker = clerk(&model).await;
    for _ in 0..3 {
        let calls = (0..5).map(|_| {
            let asker = asker.within(Duration::from_secs(50));
            tokio::spawn(async move { asker.ask(What::Read).await })
        });
        let calls: Vec<_> = calls.collect();
        model
            .until("full", |c| (c.in_flight, c.waiting) == (3, 2))
            .await;
        for call in &calls {
            call.abort();
        }
        model
            .until("empty", |c| (c.in_flight, c.waiting) == (0, 0))
            .await;
    }
    // A deadline ends a call as well, in work and in the queue.
    let brief = asker.within(Duration::from_millis(50));
    let ended = join_all((0..5).map(|_| brief.ask(What::Read))).await;
    assert!(ended.iter().all(Result::is_err));
    model
        .until("empty", |c| (c.in_flight, c.waiting) == (0, 0))
        .await;
    model.work.slots.add_permits(1);
    asker.ask(What::Read).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_in_time_is_refused_instead_of_served_late() {
    let patient = Settings {
        queue: Duration::from_secs(20),
        ..fixed(2)
    };
    let takes = Duration::from_secs(2);
    let model = Model::start(2, takes, Some(patient));
    let asker = clerk(&model).await;
    // It learns how long this takes: no less, and no more than is seen here.
    let from = Instant::now();
    asker.ask(What::Read).await.unwrap();
    let took = from.elapsed();
    let slots = model.work.slots.acquire_many(2).await.unwrap();
    let hanging: Vec<_> = (0..2)
        .map(|_| {
            let asker = asker.within(Duration::from_secs(50));
            tokio::spawn(async move { asker.ask(What::Read).await })
        })
        .collect();
    model.until("full", |c| c.in_flight == 2).await;
    let status = asker.within(takes).ask(What::Read).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert_eq!(model.counts().people.too_late, 1);

    // Its time suffices now, and not any more when it has waited: it is told before its time is over.
    let given = took + Duration::from_secs(1);
    let status = asker.within(given).ask(What::Read).await.unwrap_err();
    assert_eq!(reason(&status), "OVERLOADED", "{status:?}");
    assert_eq!(model.work.calls(), 3, "no handler saw either");
    drop(slots);
    for call in hanging {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_answered_while_nobody_else_is() {
    let (model, _, hanging) = full(fixed(1)).await;
    let address = format!("http://{}", model.address);
    let endpoint = tonic::transport::Endpoint::from_shared(address).unwrap();
    let mut health = HealthClient::new(endpoint.connect().await.unwrap());
    let request = HealthCheckRequest::default();
    health.check(request.clone()).await.unwrap();
    let mut watch = health.watch(request).await.unwrap().into_inner();
    assert!(watch.message().await.unwrap().is_some());
    assert_eq!(model.counts().in_flight, 1);
    model.work.slots.add_permits(1);
    hanging.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_without_a_token_that_was_checked_waits_apart() {
    let patient = Settings {
        queue: Duration::from_secs(20),
        ceiling: 32,
        ..fixed(1)
    };
    let (model, known, hanging) = full(patient).await;
    // Forged tokens come first and in numbers; each is taken in only to be refused for its token.
    let forged = Asker::new(&model, "Bearer forged".to_owned()).await;
    let forged: Vec<_> = (0..20)
        .map(|_| {
            let forged = forged.within(Duration::from_secs(50));
            tokio::spawn(async move { forged.ask(What::Read).await })
        })
        .collect();
    model.until("they wait", |c| c.waiting == 20).await;
    let waiting = tokio::spawn({
        let known = known.within(Duration::from_secs(50));
        async move { known.ask(What::Read).await }
    });
    model.until("it waits", |c| c.waiting == 21).await;
    model.work.slots.add_permits(1);
    waiting.await.unwrap().unwrap();
    hanging.await.unwrap();
    for call in forged {
        assert_eq!(
            call.await.unwrap().unwrap_err().code(),
            Code::Unauthenticated
        );
    }
    assert_eq!(model.work.calls.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_follows_how_long_calls_take_and_stays_within_its_bounds() {
    // Nobody is refused here: the limit alone is looked at.
    let patient = Settings {
        floor: 2,
        start: 32,
        ceiling: 64,
        queue: Duration::from_secs(20),
        target: Duration::from_millis(40),
        ..settings()
    };
    let model = Model::start(2, Duration::from_millis(10), Some(patient));
    let asker = clerk(&model).await.within(Duration::from_secs(50));
    let load = join_all((0..60).map(|_| async {
        for _ in 0..8 {
            asker.ask(What::Read).await.unwrap();
        }
    }));
    let (_, lowest) = tokio::join!(load, async {
        let mut lowest = model.counts().limit;
        while model.counts().people.admitted < 470 {
            let counts = model.counts();
            assert!((2..=64).contains(&counts.limit), "{counts:?}");
            lowest = lowest.min(counts.limit);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        lowest
    });
    // Two slots, ten milliseconds: more than eight at once take longer than forty each.
    assert!(lowest < 16, "{lowest}");
    assert!(model.counts().most_in_flight <= 64);
}
