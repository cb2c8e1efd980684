//! Directory's log begins anew: what was known is forgotten, and every published day is compared with what the new log
//! says (BB-9.2b).

use bangban_proto::bangban::{
    directory::v1::{
        DayKind, District, DistrictCreated, OpeningHours, Site, SiteOpened,
        directory_act::Act as Said,
    },
    scheduling::v1::{BookingState, scheduling_act::Act},
};
use chrono::NaiveDate;
use tokio::task::JoinHandle;

use super::{
    ask::{day, feed},
    learned::{amended, says, worlds},
    patience::until,
    world::{DISTRICT, SITE, World, numbers, slot},
};

/// How many slots of a day can be had; none while the district is not known.
async fn open(world: &World, date: NaiveDate) -> Option<usize> {
    let slots = day(world, SITE, date).await.ok()?.slots;
    Some(slots.iter().filter(|slot| !slot.is_closed).count())
}

async fn ended(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        task.abort();
        _ = task.await;
    }
}

/// The district and its site, as the tests know them.
fn founded() -> Vec<Said> {
    let hours = |weekday| OpeningHours {
        weekday,
        opens: "08:30".to_owned(),
        closes: "17:00".to_owned(),
    };
    let district = District {
        id: DISTRICT.to_owned(),
        region: "420527".to_owned(),
        ..District::default()
    };
    let site = Site {
        id: SITE.to_owned(),
        name: SITE.to_owned(),
        region: "420527100".to_owned(),
        opening_hours: (1..=5).map(hours).collect(),
        ..Site::default()
    };
    let district = Some(district);
    vec![
        Said::DistrictCreated(DistrictCreated { district }),
        Said::SiteOpened(SiteOpened { site: Some(site) }),
    ]
}

/// A day that rests by a log that is lost; another on which somebody is booked; and the booking.
async fn before(world: &World) -> (NaiveDate, NaiveDate, String) {
    let date = world.published(1, 0).await;
    let next = world.working_day(2).await;
    world.publish(next).await;
    let booking = world.booked(&slot(next, 0)).await;
    let works = world.served.begins();
    says(world, vec![amended(date, DayKind::Rest, "暴雨停工")]).await;
    until("the day is closed", async || {
        open(world, date).await == Some(0)
    })
    .await;
    ended(works).await;
    (date, next, booking.id)
}

/// The day is open again, of which no log says that it rests; the other is closed, and who is booked is looked after.
async fn compared(world: &World, (date, next, booking): (NaiveDate, NaiveDate, String)) {
    until("what only the lost log said is no more", async || {
        open(world, date).await == Some(4)
    })
    .await;
    until("what the new log says is so", async || {
        open(world, next).await == Some(0)
    })
    .await;
    until("other times are offered", async || {
        !world.get(&booking).await.other_times.is_empty()
    })
    .await;
    let booking = world.get(&booking).await;
    assert_eq!(booking.state(), BookingState::Confirmed, "kept meanwhile");
    let mut why = Vec::new();
    for (subject, act) in feed(world, &["day.changed"]).await {
        let Some(Act::DayChanged(changed)) = act.act else {
            panic!("another kind of act: {act:?}");
        };
        if subject == format!("days/{SITE}.{date}") {
            why.push(changed.reason);
        }
    }
    assert_eq!(why.len(), 2, "closed, and open again: {why:?}");
    assert_eq!(why[1], "已从头读取名录");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_log_that_was_restored_is_read_anew_and_every_published_day_is_compared() {
    for mut world in worlds("restored").await {
        let before = before(&world).await;
        world.loses_the_log().await;
        let mut acts = founded();
        acts.push(amended(before.1, DayKind::Rest, "防汛"));
        says(&world, acts).await;
        let works = world.served.begins();
        compared(&world, before).await;
        ended(works).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_site_that_is_known_again_after_its_log_was_empty_is_compared_then() {
    for mut world in worlds("empty").await {
        let before = before(&world).await;
        world.loses_the_log().await;
        let works = world.served.begins();
        until("the empty log is taken in", async || {
            let sql = "SELECT (SELECT CAST(count(*) AS bigint) FROM copies), \
                       (SELECT CAST(count(*) AS bigint) FROM plan_changes)";
            numbers(&world, sql.to_owned(), 2).await == [0, 0]
        })
        .await;
        says(&world, founded()).await;
        says(&world, vec![amended(before.1, DayKind::Rest, "防汛")]).await;
        compared(&world, before).await;
        ended(works).await;
    }
}
