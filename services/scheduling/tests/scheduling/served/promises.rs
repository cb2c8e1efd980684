//! What is promised to who holds a seat or has an appointment (BB-9.2b), and to assisted people more (BB-7.1.1).

use std::{collections::BTreeSet, time::Duration};

use bangban_proto::bangban::{
    scheduling::v1::{
        self as v1, BookingPolicy, BookingState, ExceptionKind, Proxy, Relation, SeatState,
    },
    types::v1::SpecialGroup,
};
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::{
    ask::{beside, cancel, close, day, exception, extend, id, moved, put_exception, put_template},
    world::{
        CHEN_JUN, DISTRICT, LI_NA, OTHER_ITEM, SITE, World, changed, numbers, reason, slot, worlds,
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_assisted_people_keep_a_hold_for_as_long_again_ten_times() {
    for world in worlds("longer").await {
        let date = world.published(2, 0).await;
        let person = world.person(&[SpecialGroup::Disabled]);
        let mut hold = world.hold(&slot(date, 0), &person).await.expect("held");
        let first = hold.epoch;
        for left in (0..10).rev() {
            world
                .advance_to(world.now().await + TimeDelta::seconds(240))
                .await;
            let longer = extend(&world, &LI_NA, &hold).await.expect("extended");
            assert_eq!(longer.extensions_left, left);
            assert!(longer.epoch > hold.epoch);
            hold = longer;
        }
        let more = extend(&world, &LI_NA, &hold).await;
        assert_eq!(reason(more), "EXTENSIONS_USED_UP");
        world
            .advance_to(world.now().await + TimeDelta::seconds(240))
            .await;
        // Also by who never heard that it was extended.
        let hold = v1::Hold {
            epoch: first,
            ..hold
        };
        world.confirm(&hold).await.expect("it still lives");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_whichever_extension_is_asked_for_again_is_no_extension() {
    for world in worlds("extended_again").await {
        let date = world.published(1, 0).await;
        let person = world.person(&[SpecialGroup::Disabled]);
        let hold = world.hold(&slot(date, 0), &person).await.expect("held");
        let ask = async |request_id: &String| {
            let request = v1::ExtendHoldRequest {
                district: DISTRICT.to_owned(),
                request_id: request_id.clone(),
                booking: hold.booking.clone(),
                slot: hold.slot.clone(),
                seat: hold.seat,
                epoch: hold.epoch,
                ..v1::ExtendHoldRequest::default()
            };
            let answer = world.booking().extend_hold(world.by(&LI_NA, request)).await;
            answer.map(tonic::Response::into_inner)
        };
        let mut asked: Vec<String> = Vec::new();
        for left in (0..10).rev() {
            asked.push(id());
            let longer = ask(&asked[asked.len() - 1]).await.expect("extended");
            assert_eq!(longer.extensions_left, left);
            for before in &asked {
                let again = ask(before).await.expect("repeated");
                assert_eq!(again, longer, "as it is by then");
            }
        }
        assert_eq!(reason(ask(&id()).await), "EXTENSIONS_USED_UP");

        let release = v1::ReleaseHoldRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            booking: hold.booking.clone(),
            slot: hold.slot.clone(),
            seat: hold.seat,
            epoch: hold.epoch,
            ..v1::ReleaseHoldRequest::default()
        };
        let release = async || {
            let request = world.by(&LI_NA, release.clone());
            let answer = world.booking().release_hold(request).await;
            answer.map(tonic::Response::into_inner)
        };
        let released = release().await.expect("released");
        assert_eq!(released.state(), SeatState::Cooling);
        let ends = (released.expires_at, released.warn_at);
        assert_eq!(ends, (None, None), "nobody knows when it comes back");
        assert_eq!(release().await.expect("repeated"), released);
        assert_eq!(reason(ask(&asked[0]).await), "HOLD_UNKNOWN", "it is over");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_live_hold_confirms_whatever_became_of_its_slot_and_is_not_stranded() {
    for world in worlds("live").await {
        let date = world.published(1, 0).await;
        let other = world.working_day(2).await;
        world.publish(other).await;
        let held = async |number| {
            let hold = world.hold(&slot(date, number), &world.person(&[])).await;
            hold.expect("held")
        };
        let (by_hand, by_holiday) = (held(0).await, held(1).await);
        close(&world, &by_hand.slot).await;
        let kept = world.confirm(&by_hand).await.expect("confirmed");
        world.sweep().await;
        assert!(world.get(&kept.id).await.is_kept, "on record");
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        let late = world.person(&[]);
        let refused = world.hold(&slot(date, 2), &late).await;
        assert_eq!(reason(refused), "SLOT_CLOSED");
        let stranded = world.confirm(&by_holiday).await.expect("confirmed");
        world.sweep().await;
        let told = world.get(&stranded.id).await;
        assert_eq!(told.state(), BookingState::Confirmed);
        let offered = &told.other_times.last().expect("other times").slots;
        // One that is offered can be had.
        let there = moved(&world, &told.id, &offered[0]).await.expect("moved");
        assert_eq!(there.slot, offered[0]);
    }
}

/// A live hold is confirmed, which cannot be written yet; its sender hears nothing, and sends it again after the hold's end.
/// Says whether the first was written as long as the second may wait for it: a second at the most.
async fn is_sent_again_in_time(world: &World, slot: &str) -> bool {
    let hold = world.held(slot, &world.person(&[])).await;
    let ends = World::end_of(&hold);
    let request = World::confirming(&hold);
    let confirm = async || {
        let request = world.by(&LI_NA, request.clone());
        changed(world.booking().confirm_booking(request).await)
    };
    let locked = world.locked("seats").await;
    let first = async {
        let first = confirm().await.expect("a live hold confirms");
        (first, world.now().await)
    };
    let later = async {
        world.somebody_waits().await;
        world.advance_to(ends - TimeDelta::seconds(1)).await;
        world.behind(ends).await;
        let unlocked = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            locked.rollback().await.expect("unlocked");
        };
        tokio::join!(confirm(), unlocked).0
    };
    let ((first, written), again) = tokio::join!(first, later);
    let is_in_time = written < ends + TimeDelta::seconds(1);
    match again {
        Err(late) if !is_in_time => assert_eq!(reason::<()>(Err(late)), "HOLD_EXPIRED"),
        again => assert_eq!(again.expect("one request has one answer"), first),
    }
    is_in_time
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_nobody_is_told_that_a_hold_has_expired_whose_confirmation_is_being_written() {
    for world in worlds("being_written").await {
        if !world.store.is_postgres() {
            continue; // With SQLite one writes at a time, and nobody reads ahead of who writes.
        }
        let date = world.published(1, 0).await;
        // Where the machine stood still nothing is shown.
        let mut number = 0;
        while !is_sent_again_in_time(&world, &slot(date, number)).await {
            number += 1;
            assert!(number < 4, "the first is never written in time");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_freed_seats_come_back_within_twenty_seconds_one_by_one_and_nobody_knows_when() {
    for world in worlds("cooling").await {
        let date = world.published(30, 0).await;
        let mut booked = Vec::new();
        for _ in 0..30 {
            booked.push(world.booked(&slot(date, 0)).await.id);
        }
        let (mut comes_back, mut delays) = (Vec::new(), BTreeSet::new());
        for booking in booked {
            let cancelled = cancel(&world, &booking).await.expect("cancelled");
            let at = cancelled.cancelled_at.expect("an instant");
            let at = DateTime::from_timestamp(at.seconds, at.nanos.unsigned_abs());
            let at = at.expect("an instant");
            let sql = format!("SELECT free_us FROM seats WHERE booking = '{booking}'");
            let free_us = numbers(&world, sql, 1).await[0];
            delays.insert(free_us - at.timestamp_micros());
            comes_back.push(free_us);
        }
        // Thirty that are even over twenty seconds.
        let (least, most) = (delays.first(), delays.last());
        assert!(least >= Some(&0) && least < Some(&10_000_000), "{delays:?}");
        assert!(
            most > Some(&10_000_000) && most <= Some(&20_000_000),
            "{delays:?}"
        );
        assert!(delays.len() > 10, "{delays:?}");
        comes_back.sort_unstable();
        let due = async || {
            let now_us = world.now().await.timestamp_micros();
            comes_back.partition_point(|free_us| *free_us <= now_us)
        };
        for last in [0, 14, 29] {
            let at = DateTime::from_timestamp_micros(comes_back[last]);
            let at = at.expect("an instant").fixed_offset();
            world.advance_to(at).await;
            let before = due().await;
            world.sweep().await;
            let free = usize::try_from(world.free(date).await[0].0).expect("a few");
            assert!(
                (before..=due().await).contains(&free),
                "{free} of {comes_back:?}"
            );
        }
        assert_eq!(world.free(date).await[0], (30, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_one_moves_onto_a_time_that_overlaps_ones_own_and_books_none_that_does() {
    for world in worlds("overlap").await {
        world.without_cooling().await;
        put_template(&world, beside(1)).await;
        let date = world.published(1, 0).await;
        let slots = day(&world, SITE, date).await.expect("a day").slots;
        let of = |group: &str| -> Vec<String> {
            let of_group = slots.iter().filter(|slot| slot.group == group);
            of_group.map(|slot| slot.id.clone()).collect()
        };
        let (first, overlapping) = (of("benefits")[0].clone(), of("licences")[0].clone());
        let person = world.person(&[]);
        let hold = world.hold(&first, &person).await.expect("held");
        let booking = world.confirm(&hold).await.expect("confirmed");
        let second = v1::HoldSlotRequest {
            item: OTHER_ITEM.to_owned(),
            ..World::holding(&overlapping, &person)
        };
        let second = world.by(&LI_NA, second);
        let second = world.booking().hold_slot(second).await;
        assert_eq!(reason(second), "BOOKINGS_OVERLAP");
        world.sweep().await;
        let there = moved(&world, &booking.id, &overlapping).await;
        let there = there.expect("moved");
        assert_eq!(
            (there.slot.as_str(), there.id),
            (overlapping.as_str(), booking.id)
        );
        world.sweep().await;
        let late = world.person(&[]);
        assert_eq!(reason(world.hold(&overlapping, &late).await), "SLOT_FULL");
        world.hold(&first, &late).await.expect("its seat went back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_limits_are_those_of_the_district_for_the_item_the_day_and_ahead() {
    for world in worlds("limits").await {
        let policy = BookingPolicy {
            most_ahead: 3,
            most_per_item: 2,
            most_per_day: 2,
            ..BookingPolicy::default()
        };
        world.rules(policy).await;
        let date = world.published(1, 0).await;
        let other = world.working_day(2).await;
        world.publish(other).await;
        let person = world.person(&[]);
        let hold = async |slot: &str, item: &str| {
            let request = v1::HoldSlotRequest {
                item: item.to_owned(),
                ..World::holding(slot, &person)
            };
            let request = world.by(&LI_NA, request);
            world.booking().hold_slot(request).await
        };
        let item = "old-age-allowance";
        hold(&slot(date, 0), item).await.expect("the first");
        hold(&slot(date, 1), item).await.expect("the second");
        let refused = async |slot: &str, item: &str, en: &str| {
            let answer = hold(slot, item).await;
            let said = bangban_kit::refusal::sentence(answer.as_ref().expect_err("refused"), "en");
            assert!(said.contains(en), "{said}");
            assert_eq!(reason(answer), "BOOKINGS_TOO_MANY");
        };
        refused(&slot(date, 2), OTHER_ITEM, "on that day").await;
        refused(&slot(other, 0), item, "for the item").await;
        hold(&slot(other, 0), OTHER_ITEM).await.expect("the third");
        refused(&slot(other, 1), OTHER_ITEM, "ahead").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_relative_or_a_clerk_books_for_the_applicant_and_the_case_is_named() {
    for world in worlds("proxies").await {
        let date = world.published(2, 0).await;
        let (consultation, case) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let mut booked = Vec::new();
        for (number, relation, telephone) in [
            (0, Relation::Relative, "139****0000"),
            (1, Relation::Clerk, ""),
        ] {
            let person = world.person(&[SpecialGroup::Elderly]);
            let hold = world.hold(&slot(date, number), &person).await;
            let request = v1::ConfirmBookingRequest {
                proxy: Some(Proxy {
                    relation: relation.into(),
                    telephone_mask: telephone.to_owned(),
                }),
                consultation: consultation.clone(),
                case: case.clone(),
                ..World::confirming(&hold.expect("held"))
            };
            let proxy = request.proxy.clone();
            let request = world.by(&LI_NA, request);
            let booking = changed(world.booking().confirm_booking(request).await);
            let booking = booking.expect("confirmed");
            assert_eq!((&booking.proxy, &booking.applicant), (&proxy, &person));
            assert!(booking.is_assisted);
            booked.push(world.get(&booking.id).await);
        }
        world.booked(&slot(date, 2)).await;
        let listed = async |who, consultation: &str, case: &str| {
            let request = v1::ListBookingsRequest {
                district: DISTRICT.to_owned(),
                consultation: consultation.to_owned(),
                case: case.to_owned(),
                ..v1::ListBookingsRequest::default()
            };
            let answer = world.booking().list_bookings(world.by(who, request)).await;
            answer.expect("a list").into_inner().bookings
        };
        assert_eq!(listed(&LI_NA, &consultation, "").await, booked);
        assert_eq!(listed(&LI_NA, "", &case).await, booked);
        assert_eq!(listed(&LI_NA, "", &consultation).await, []);
        assert_eq!(listed(&CHEN_JUN, "", &case).await, [], "not theirs to see");
        let whole = v1::ConfirmBookingRequest {
            proxy: Some(Proxy {
                relation: Relation::Relative.into(),
                telephone_mask: "13912340000".to_owned(),
            }),
            ..World::confirming(
                &world
                    .hold(&slot(date, 3), &world.person(&[]))
                    .await
                    .expect("held"),
            )
        };
        let whole = world.by(&LI_NA, whole);
        let whole = world.booking().confirm_booking(whole).await;
        assert_eq!(
            whole.expect_err("no mask").code(),
            tonic::Code::InvalidArgument
        );
    }
}

/// What a line of a calendar entry says.
fn said<'a>(calendar: &'a str, name: &str) -> &'a str {
    let mut lines = calendar.lines();
    let line = lines.find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {calendar}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_calendar_entry_keeps_its_uid_and_its_sequence_rises_until_it_is_cancelled() {
    for world in worlds("calendar").await {
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        let entry = async || {
            let request = v1::GetCalendarEntryRequest {
                district: DISTRICT.to_owned(),
                booking: booking.id.clone(),
                after: String::new(),
            };
            let request = world.by(&LI_NA, request);
            let answer = world.booking().get_calendar_entry(request).await;
            answer.expect("an entry").into_inner()
        };
        let starts = |clock: &str| format!("{}T{clock}00", date.format("%Y%m%d"));
        let first = entry().await;
        moved(&world, &booking.id, &slot(date, 2))
            .await
            .expect("moved");
        let second = entry().await;
        cancel(&world, &booking.id).await.expect("cancelled");
        let third = entry().await;
        for (entry, method, status, sequence, clock) in [
            (&first, "REQUEST", "CONFIRMED", "0", "0900"),
            (&second, "REQUEST", "CONFIRMED", "1", "1000"),
            (&third, "CANCEL", "CANCELLED", "2", "1000"),
        ] {
            let text = &entry.calendar;
            assert_eq!(
                (entry.method.as_str(), said(text, "METHOD:")),
                (method, method)
            );
            assert_eq!(said(text, "SEQUENCE:"), sequence);
            assert_eq!(said(text, "STATUS:"), status);
            assert_eq!(said(text, "DTSTART;TZID=Asia/Shanghai:"), starts(clock));
            assert_eq!(said(text, "UID:"), said(&first.calendar, "UID:"));
        }
    }
}
