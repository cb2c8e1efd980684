//! What stays open: feeds and exports have seats of their own, hold no place of people, and nobody has one for ever.

use std::time::Duration;

use bangban_kit::refusal::reason;
use bangban_net::admission::Settings;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{
    model::{Model, fixed, settings},
    offer::{Asker, What},
};
use crate::server::PATIENCE;

const QUICK: Duration = Duration::from_millis(1);

/// Who was taken in before, so that its token is known.
async fn service(model: &Model, name: &str) -> Asker {
    let asker = Asker::new(model, model.service(name)).await;
    drop(asker.feed().await.unwrap());
    model.until("it has left", |c| c.feeds_open == 0).await;
    asker
}

async fn end<T>(stream: &mut Streaming<T>) -> Status {
    loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended well"),
            Err(status) => return status,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_hold_no_place_of_people_and_give_their_seats_back() {
    let settled = Settings {
        feed_stays: Duration::from_secs(3600),
        ..fixed(1)
    };
    let model = Model::start(1, QUICK, Some(settled));
    let feeds = service(&model, "casework").await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(feeds.feed().await.unwrap());
    }
    assert_eq!(
        (model.counts().feeds_open, model.counts().in_flight),
        (8, 0)
    );
    let clerk = Asker::new(&model, model.clerk("330326")).await;
    clerk.ask(What::Read).await.unwrap();
    // All seats are taken, and nobody has sat long.
    let status = feeds.feed().await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::ResourceExhausted, "OVERLOADED".to_owned())
    );
    open.pop();
    model.until("a seat is free", |c| c.feeds_open == 7).await;
    open.push(feeds.feed().await.unwrap());
    drop(open);
    model.until("all are free", |c| c.feeds_open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_feed_of_who_holds_most_makes_room_and_is_told_to_come_again() {
    let restless = Settings {
        max_feeds: 3,
        feed_stays: Duration::ZERO,
        ..settings()
    };
    let model = Model::start(1, QUICK, Some(restless));
    let (modest, greedy, new) = (
        service(&model, "supervision").await,
        service(&model, "casework").await,
        service(&model, "consultation").await,
    );
    let mut first = modest.feed().await.unwrap();
    let mut oldest = greedy.feed().await.unwrap();
    let mut younger = greedy.feed().await.unwrap();
    let _newcomer = new.feed().await.unwrap();
    let status = end(&mut oldest).await;
    assert_eq!(reason(&status), "OVERLOADED", "{status:?}");
    let info = status.get_details_retry_info().expect("a hint");
    assert!(info.retry_delay.expect("a time") >= Duration::from_secs(1));
    assert_eq!(
        (model.counts().feeds_open, model.counts().displaced),
        (3, 1)
    );
    for stream in [&mut first, &mut younger] {
        let more = tokio::time::timeout(Duration::from_millis(20), stream.message()).await;
        assert!(more.is_err(), "it stays open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_wait_for_people_but_one_always_goes_on() {
    let patient = Settings {
        queue: Duration::from_secs(20),
        max_exports: 2,
        ..fixed(8)
    };
    let model = Model::start(2, QUICK, Some(patient));
    let clerk = Asker::new(&model, model.clerk("330326")).await;
    let mut open = vec![clerk.open_export().await.unwrap()];
    open.push(clerk.open_export().await.unwrap());
    let status = clerk.open_export().await.unwrap_err();
    assert_eq!(reason(&status), "OVERLOADED", "two are the most");
    assert_eq!(model.counts().in_flight, 0, "they hold no place of people");
    open.clear();
    model.until("they have left", |c| c.exports_open == 0).await;

    // People hold every place, and more of them wait.
    let slots = model.work.slots.acquire_many(2).await.unwrap();
    let people: Vec<_> = (0..9)
        .map(|_| {
            let clerk = clerk.within(Duration::from_secs(50));
            tokio::spawn(async move { clerk.ask(What::Read).await })
        })
        .collect();
    model
        .until("full", |c| (c.in_flight, c.waiting) == (8, 1))
        .await;
    let one = tokio::spawn({
        let clerk = clerk.clone();
        async move { clerk.open_export().await }
    });
    model.until("one goes on", |c| c.exports_open == 1).await;
    let status = clerk.open_export().await.unwrap_err();
    assert_eq!(reason(&status), "OVERLOADED");
    drop(slots);
    for call in people {
        call.await.unwrap().unwrap();
    }
    drop(one.await.unwrap().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_nobody_reads_makes_room() {
    let restless = Settings {
        max_exports: 1,
        export_stalls: Duration::from_millis(50),
        ..settings()
    };
    let model = Model::start(1, QUICK, Some(restless));
    let clerk = Asker::new(&model, model.clerk("330326")).await;
    let mut stalled = clerk.open_export().await.unwrap();
    let next = tokio::time::timeout(PATIENCE, async {
        loop {
            match clerk.open_export().await {
                Ok(export) => return export,
                Err(status) => assert_eq!(reason(&status), "OVERLOADED"),
            }
        }
    });
    let _next = next.await.expect("it never makes room");
    assert_eq!(reason(&end(&mut stalled).await), "OVERLOADED");
    assert_eq!(model.counts().exports_open, 1);
}
