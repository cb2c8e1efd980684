//! However many there are, nobody is overlooked (BB-7.1.1, BB-9.2b).

use bangban_ledger::START;
use bangban_proto::bangban::{
    scheduling::v1::{Template, Waiting, WaitingState},
    types::v1::Channel,
};
use bangban_scheduling::store::waiting as places;
use chrono::Days;
use uuid::Uuid;

use super::{
    ask::{cancel, joined, published, put_template, seen},
    world::{DISTRICT, ELSEWHERE, GROUP, ITEM, SITE, slot, template, worlds},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_seat_is_offered_also_behind_a_thousand_whom_it_does_not_suit() {
    for world in worlds("thousand").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let another = (date + Days::new(30)).to_string();
        let given_up = world.booked(&slot(date, 0)).await;
        let now = world.store.now().await.expect("the time");
        let rows = (0..1000).map(|_| {
            let waiting = Waiting {
                id: Uuid::now_v7().to_string(),
                district: DISTRICT.to_owned(),
                state: WaitingState::Waiting.into(),
                site: SITE.to_owned(),
                group: GROUP.to_owned(),
                item: ITEM.to_owned(),
                applicant: Uuid::now_v7().to_string(),
                from_on: another.clone(),
                until_on: another.clone(),
                channel: Channel::Phone.into(),
                joined_at: Some(now.timestamp()),
                ..Waiting::default()
            };
            places::row(&waiting, None, (1, &START))
        });
        world
            .store
            .write_rows(rows.collect())
            .await
            .expect("they wait");
        let last = joined(&world, &world.person(&[]), &date.to_string()).await;
        cancel(&world, &given_up.id).await.expect("cancelled");
        world.sweep().await;
        let place = seen(&world, &last.id).await.waiting.expect("a place");
        assert_eq!(place.state(), WaitingState::Offered);
    }
}

/// One slot of two hours a day, from this hour on.
fn long(site: &str, from: u32) -> Template {
    let mut template = template(1, 0);
    (template.id, template.site) = (format!("long-{site}"), site.to_owned());
    for weekly in &mut template.weekly {
        let hours = weekly.hours.as_mut().expect("hours");
        (hours.from, hours.to) = (format!("{from:02}:00"), format!("{:02}:00", from + 2));
        hours.slot_minutes = 120;
    }
    template
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_change_of_hundreds_of_days_strands_nobody_on_the_last_of_them() {
    for world in worlds("hundreds").await {
        let first = world.working_day(1).await;
        let mut days = Vec::new();
        for site in [ELSEWHERE, SITE] {
            put_template(&world, long(site, 9)).await;
            days = published(&world, site, (first, first + Days::new(183))).await;
            assert!(days.len() > 100, "{} days", days.len());
        }
        let last = days.last().expect("a day");
        let booking = world.booked(&format!("{SITE}.{last}.0")).await;
        for site in [ELSEWHERE, SITE] {
            put_template(&world, long(site, 14)).await;
        }
        world.sweep().await;
        let told = world.get(&booking.id).await;
        assert!(told.is_kept || !told.other_times.is_empty(), "{told:?}");
        assert_eq!(world.sweep().await, 0, "told once");
    }
}
