//! Who goes first of what streams: feeds before exports, and people before both.

use std::time::Duration;

use bangban_net::admission::Settings;

use super::{
    model::{Model, fixed},
    offer::{Asker, What},
};

/// Messages of each stream, all ready at once.
const MESSAGES: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn while_people_wait_a_feed_goes_on_before_an_export_and_both_make_way() {
    let patient = Settings {
        queue: Duration::from_secs(20),
        ..fixed(1)
    };
    let model = Model::start(0, Duration::from_millis(1), Some(patient));
    let service = Asker::new(&model, model.service("casework")).await;
    let clerk = Asker::new(&model, model.clerk("330326")).await;
    // A pause before each message.
    let least = Duration::from_millis(10) * MESSAGES as u32;
    // A machine may stand still for as long, but not each time.
    let mut free: Vec<(Duration, Duration)> = Vec::new();
    while free
        .last()
        .is_none_or(|(feed, export)| *feed.max(export) >= least)
    {
        assert!(free.len() < 10, "{free:?}");
        free.push(tokio::join!(
            service.feed_of(MESSAGES),
            clerk.export_of(MESSAGES)
        ));
        model
            .until("they have left", |c| c.feeds_open + c.exports_open == 0)
            .await;
    }

    // One of the people has the only place, another waits for it.
    let people: Vec<_> = (0..2)
        .map(|_| {
            let clerk = clerk.within(Duration::from_secs(50));
            tokio::spawn(async move { clerk.ask(What::Read).await })
        })
        .collect();
    model
        .until("one waits", |c| (c.in_flight, c.waiting) == (1, 1))
        .await;
    let export = tokio::spawn({
        let clerk = clerk.clone();
        async move { clerk.export_of(MESSAGES).await }
    });
    model.until("it goes on", |c| c.exports_open == 1).await;
    let feed = service.feed_of(MESSAGES).await;
    assert!(!export.is_finished(), "the export came before the feed");
    model.work.slots.add_permits(1);
    for call in people {
        call.await.unwrap().unwrap();
    }
    let export = export.await.unwrap();
    println!("free {free:?}; while people waited {feed:?} and {export:?}");
    assert!(feed >= least, "{feed:?}");
    assert!(export > feed);
}
