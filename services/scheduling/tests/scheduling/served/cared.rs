//! Appointments on days that change are looked after, however late, and whatever else happens meanwhile (BB-9.2b).

use bangban_proto::bangban::scheduling::v1::{BookingPolicy, ExceptionKind};
use chrono::TimeDelta;

use super::{
    ask::{accept, cancel, close, exception, extend, joined, moved, put_exception},
    world::{LI_NA, World, at, numbers, slot, worlds},
};

/// How many days have their appointments looked after.
async fn in_care(world: &World) -> i64 {
    let sql = "SELECT CAST(count(*) AS bigint) FROM days WHERE care_until_us IS NOT NULL";
    numbers(world, sql.to_owned(), 1).await[0]
}

async fn later(world: &World, seconds: i64) {
    let now = world.now().await;
    world.advance_to(now + TimeDelta::seconds(seconds)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_reservation_that_is_lifted_in_the_same_sweep_ends_no_care() {
    for world in worlds("care_and_lift").await {
        let date = world.published(2, 1).await;
        world.advance_to(at(date, 7, 50)).await;
        let booking = world.booked(&slot(date, 0)).await;
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        // An hour before the first time its reserved seat becomes everybody's.
        world.advance_to(at(date, 8, 1)).await;
        world.sweep().await;
        let told = world.get(&booking.id).await;
        assert_eq!(told.other_times.len(), 1, "{told:?}");
        assert_eq!(in_care(&world).await, 1, "for an hour");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_that_was_away_for_hours_looks_after_what_changed_before() {
    for world in worlds("care_later").await {
        let date = world.published(2, 0).await;
        world.publish(world.working_day(2).await).await;
        let booking = world.booked(&slot(date, 0)).await;
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        later(&world, 2 * 3600).await;
        assert_eq!(in_care(&world).await, 1);
        world.sweep().await;
        let told = world.get(&booking.id).await;
        assert_eq!(told.other_times.len(), 1, "{told:?}");
        assert_eq!(in_care(&world).await, 0, "once is enough after an hour");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_an_offer_that_is_accepted_hours_after_its_slot_closed_is_looked_after() {
    for world in worlds("care_renewed").await {
        let patient = BookingPolicy {
            cooling_seconds: Some(0),
            offer_seconds: 3 * 3600,
            ..BookingPolicy::default()
        };
        world.rules(patient).await;
        let date = world.published(1, 0).await;
        let given_up = world.booked(&slot(date, 0)).await;
        let place = joined(&world, &world.person(&[]), &date.to_string()).await;
        cancel(&world, &given_up.id).await.expect("cancelled");
        world.sweep().await;
        close(&world, &slot(date, 0)).await;
        later(&world, 2 * 3600).await;
        world.sweep().await;
        assert_eq!(in_care(&world).await, 0, "there was nobody yet");
        let accepted = accept(&world, &place.id).await.expect("accepted");
        assert_eq!(in_care(&world).await, 1);
        world.sweep().await;
        assert!(world.get(&accepted.id).await.is_kept, "on record");
        later(&world, 3601).await;
        world.sweep().await;
        assert_eq!(in_care(&world).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_hold_that_was_extended_and_confirms_when_its_slot_is_long_closed_is_looked_after()
 {
    for world in worlds("care_confirmed").await {
        let patient = BookingPolicy {
            hold_seconds: 3600,
            ..BookingPolicy::default()
        };
        world.rules(patient).await;
        let date = world.published(1, 0).await;
        let hold = world.hold(&slot(date, 1), &world.person(&[])).await;
        let hold = hold.expect("held");
        close(&world, &slot(date, 1)).await;
        later(&world, 3500).await;
        let hold = extend(&world, &LI_NA, &hold).await.expect("extended");
        later(&world, 3500).await;
        world.sweep().await;
        assert_eq!(in_care(&world).await, 0, "there was nobody yet");
        let confirmed = world.confirm(&hold).await.expect("confirmed");
        world.sweep().await;
        assert!(world.get(&confirmed.id).await.is_kept, "on record");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_where_nothing_is_free_that_is_told_once_and_times_are_offered_as_soon_as_one_is() {
    for world in worlds("care_nothing_free").await {
        let date = world.published(1, 0).await;
        let next = world.working_day(2).await;
        let booking = world.booked(&slot(date, 0)).await;
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        // Also behind the hour for which a day is looked after at the least.
        for seconds in [0, 3500, 3500] {
            later(&world, seconds).await;
            world.sweep().await;
            let told = world.get(&booking.id).await.other_times;
            assert_eq!(told.len(), 1, "told once: {told:?}");
            assert!(told[0].slots.is_empty() && told[0].number == 1, "{told:?}");
            assert_eq!(in_care(&world).await, 1, "who waits is not forgotten");
        }
        world.publish(next).await;
        later(&world, 5).await;
        world.sweep().await;
        let told = world.get(&booking.id).await.other_times;
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!((told[1].number, told[1].slots.len()), (2, 4), "{told:?}");
        world.sweep().await;
        assert_eq!(in_care(&world).await, 0, "nobody waits any more");
        let there = moved(&world, &booking.id, &told[1].slots[0]).await;
        assert_eq!(there.expect("moved").slot, slot(next, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_who_waits_for_other_times_is_looked_after_until_their_own_begins() {
    for world in worlds("care_until_begin").await {
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 1)).await;
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        for (hour, minute, days) in [(9, 29, 1), (9, 31, 0)] {
            world.advance_to(at(date, hour, minute)).await;
            world.sweep().await;
            assert_eq!(in_care(&world).await, days, "{hour}:{minute}");
        }
        let told = world.get(&booking.id).await.other_times;
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_who_was_kept_is_offered_other_times_when_the_site_closes_after_all() {
    for world in worlds("care_kept").await {
        let date = world.published(1, 0).await;
        world.publish(world.working_day(2).await).await;
        let booking = world.booked(&slot(date, 0)).await;
        close(&world, &slot(date, 0)).await;
        world.sweep().await;
        let kept = world.get(&booking.id).await;
        assert!(kept.is_kept && kept.other_times.is_empty(), "{kept:?}");
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        world.sweep().await;
        let told = world.get(&booking.id).await;
        assert!(!told.is_kept && told.other_times.len() == 1, "{told:?}");
        world.advance_to(at(date, 9, 30)).await;
        world.sweep().await;
        let ended = world.get(&booking.id).await;
        assert_eq!(
            (ended.breaches.len(), ended.no_show_at),
            (1, None),
            "{ended:?}"
        );
    }
}
