//! Three times more than can be done.
//!
//! What is measured does not depend on how busy the machine is with other things: how much of the slots' time went into
//! answers that came in time, and which share of the calls was answered.

use std::{sync::OnceLock, time::Duration};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use super::{
    model::{Model, settings},
    offer::{Asker, Tally, What, offer},
};

const SLOTS: usize = 4;
const TAKES: Duration = Duration::from_millis(20);

/// Calls per second at which all slots are taken.
const CAPACITY: u32 = 200;

const SPIKE: Duration = Duration::from_secs(3);

/// When an answer is of no use any more.
const IN_TIME: Duration = Duration::from_secs(1);

/// One load at a time: they would be each other's spike.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: OnceLock<Mutex<()>> = OnceLock::new();
    ALONE.get_or_init(Mutex::default).lock().await
}

/// Which part of the slots' time went into answers.
fn goodput<'a>(tallies: impl IntoIterator<Item = &'a Tally>, lasted: Duration) -> f64 {
    let worked: Duration = tallies.into_iter().map(|t| t.worked).sum();
    worked.as_secs_f64() / (lasted.as_secs_f64() * SLOTS as f64)
}

async fn clerk(model: &Model, district: &str) -> Asker {
    let asker = Asker::new(model, model.clerk(district)).await;
    // Its token is known from then on.
    asker.ask(What::Read).await.unwrap();
    asker.within(IN_TIME)
}

/// How long it takes until twenty calls in a row are answered without waiting to be taken in.
async fn until_normal(model: &Model, asker: &Asker) -> Duration {
    let from = Instant::now();
    let mut in_a_row = 0;
    while in_a_row < 20 {
        let before = model.counts().waited;
        let is_answered = asker.ask(What::Read).await.is_ok();
        in_a_row = if is_answered && model.counts().waited == before {
            in_a_row + 1
        } else {
            0
        };
        assert!(
            from.elapsed() < Duration::from_secs(10),
            "{:?}",
            model.counts()
        );
    }
    from.elapsed()
}

/// People ask for six tenths of what can be done, exports for the rest of three times as much.
async fn people_and_exports(model: &Model) -> (Tally, Tally, Duration) {
    let people = clerk(model, "330326").await;
    let exports = clerk(model, "330327").await;
    let from = Instant::now();
    let (people, exports) = tokio::join!(
        offer(people, What::Read, CAPACITY * 6 / 10, SPIKE),
        offer(exports, What::Export, CAPACITY * 24 / 10, SPIKE),
    );
    (people, exports, from.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_served_while_exports_are_refused() {
    let _alone = alone().await;
    let model = Model::start(SLOTS, TAKES, Some(settings()));
    let (people, exports, lasted) = people_and_exports(&model).await;
    let good = goodput([&people, &exports], lasted);
    println!(
        "goodput {good:.3}; people {people:?}; exports {exports:?}; {:?}",
        model.counts()
    );
    assert!(people.share() > 0.99, "{people:?}");
    assert!(good >= 0.85, "{good}");
    assert!(exports.failed.is_empty() && exports.refused > exports.answered);

    let asker = clerk(&model, "330326").await;
    let normal = until_normal(&model, &asker).await;
    assert!(normal < Duration::from_secs(2), "{normal:?}");

    // The same without admission: people fare as exports do.
    let model = Model::start(SLOTS, TAKES, None);
    let (people, exports, lasted) = people_and_exports(&model).await;
    let good = goodput([&people, &exports], lasted);
    println!(
        "without: goodput {good:.3}; people {:.3}; exports {:.3}",
        people.share(),
        exports.share()
    );
    assert!(people.share() < 0.8, "{}", people.share());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_alone_at_three_times_the_capacity_keep_it_busy_with_answers_in_time() {
    let _alone = alone().await;
    let model = Model::start(SLOTS, TAKES, Some(settings()));
    let people = clerk(&model, "330326").await;
    let from = Instant::now();
    let tally = offer(people.clone(), What::Read, CAPACITY * 3, SPIKE).await;
    let good = goodput([&tally], from.elapsed());
    println!("goodput {good:.3}; {tally:?}; {:?}", model.counts());
    assert!(good >= 0.85, "{good}");
    // Whoever was taken in was answered.
    let cut_off = tally.failed.len() as f64 / tally.asked as f64;
    assert!(cut_off < 0.01, "{:?}", tally.failed);
    assert!(tally.refused > 0);
    assert!(model.counts().most_in_flight <= settings().ceiling);
    let normal = until_normal(&model, &people).await;
    assert!(normal < Duration::from_secs(2), "{normal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_district_does_not_starve_the_others() {
    let _alone = alone().await;
    let model = Model::start(SLOTS, TAKES, Some(settings()));
    let flood = clerk(&model, "330326").await;
    let (second, third) = (clerk(&model, "330327").await, clerk(&model, "330328").await);
    let (flood, second, third) = tokio::join!(
        offer(flood, What::Read, CAPACITY * 3, SPIKE),
        offer(second, What::Read, CAPACITY * 15 / 100, SPIKE),
        offer(third, What::Read, CAPACITY * 15 / 100, SPIKE),
    );
    println!(
        "flood {:.3}, others {:.3} and {:.3}",
        flood.share(),
        second.share(),
        third.share()
    );
    assert!(flood.refused > flood.answered, "{flood:?}");
    for other in [second, third] {
        assert!(other.share() > 0.99, "{other:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_is_served_before_what_begins_and_that_is_not_forgotten() {
    let _alone = alone().await;
    let model = Model::start(SLOTS, TAKES, Some(settings()));
    let people = clerk(&model, "330326").await;
    let (ongoing, beginning) = tokio::join!(
        offer(people.clone(), What::Read, CAPACITY * 6 / 10, SPIKE),
        offer(people, What::Open, CAPACITY * 24 / 10, SPIKE),
    );
    println!(
        "ongoing {:.3}, beginning {:.3}",
        ongoing.share(),
        beginning.share()
    );
    assert!(ongoing.share() > 0.99, "{ongoing:?}");
    assert!(beginning.answered > 0 && beginning.refused > beginning.answered);
}
