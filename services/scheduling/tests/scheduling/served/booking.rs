//! From a published day to a service that was given (BB-9.2b).

use bangban_proto::bangban::{
    scheduling::v1::{self as v1, BookingState},
    types::v1::SpecialGroup,
};
use chrono::TimeDelta;

use super::{
    ask::{cancel, check_in, complete, id, moved, rates, start},
    world::{CHEN_JUN, DISTRICT, LI_NA, World, at, changed, reason, slot, worlds},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_day_is_published_held_confirmed_kept_and_counted() {
    for world in worlds("story").await {
        let date = world.published(2, 0).await;
        assert_eq!(world.free(date).await, [(2, 0); 4]);
        let person = world.person(&[SpecialGroup::Elderly]);
        let hold = world.hold(&slot(date, 1), &person).await.expect("held");
        assert!(hold.is_assisted && hold.applicant_mask == "林*娥");
        assert_eq!(world.free(date).await, [(2, 0), (1, 0), (2, 0), (2, 0)]);
        let booking = world.confirm(&hold).await.expect("confirmed");
        assert_eq!(booking.state(), BookingState::Confirmed);
        assert_eq!(booking.id, hold.booking);
        assert_eq!(world.directory.asked(), 1);
        assert_eq!(
            reason(check_in(&world, &booking.id).await),
            "CHECK_IN_TOO_EARLY"
        );
        world.advance_to(at(date, 9, 25)).await;
        assert_eq!(reason(start(&world, &booking.id).await), "OUT_OF_ORDER");
        check_in(&world, &booking.id).await.expect("there");
        world.advance_to(at(date, 9, 31)).await;
        let started = start(&world, &booking.id).await.expect("started");
        assert!(started.breaches.is_empty(), "{:?}", started.breaches);
        let done = complete(&world, &booking.id).await.expect("completed");
        assert_eq!(done.state(), BookingState::Completed);
        assert_eq!(world.get(&booking.id).await, done);
        let rates = rates(&world, date).await;
        assert_eq!((rates.started_count, rates.on_time_count), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_sold_out_slot_says_full_and_a_seat_that_comes_back_is_given_again() {
    for world in worlds("full").await {
        world.without_cooling().await;
        let date = world.published(2, 0).await;
        let first = world.booked(&slot(date, 0)).await;
        world.booked(&slot(date, 0)).await;
        let late = world.person(&[]);
        assert_eq!(reason(world.hold(&slot(date, 0), &late).await), "SLOT_FULL");
        cancel(&world, &first.id).await.expect("cancelled");
        world.sweep().await;
        assert_eq!(world.free(date).await[0], (1, 0));
        let hold = world.hold(&slot(date, 0), &late).await.expect("held");
        world.confirm(&hold).await.expect("confirmed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_hold_is_the_callers_expires_by_the_database_s_clock_and_confirms_once() {
    for world in worlds("holds").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let person = world.person(&[]);
        let request = World::holding(&slot(date, 0), &person);
        let held = world
            .booking()
            .hold_slot(world.by(&LI_NA, request.clone()))
            .await;
        let hold = held.expect("held").into_inner();
        let again = world
            .booking()
            .hold_slot(world.by(&LI_NA, request.clone()))
            .await;
        assert_eq!(again.expect("the first answer").into_inner(), hold);
        let other = v1::HoldSlotRequest {
            slot: slot(date, 1),
            ..request
        };
        let other = world.booking().hold_slot(world.by(&LI_NA, other)).await;
        assert_eq!(reason(other), "REQUEST_ID_REUSED");
        let theirs = world.by(&CHEN_JUN, World::confirming(&hold));
        let theirs = world.booking().confirm_booking(theirs).await;
        assert_eq!(reason(theirs), "HOLD_OF_ANOTHER");

        let extend = v1::ExtendHoldRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            booking: hold.booking.clone(),
            slot: hold.slot.clone(),
            seat: hold.seat,
            epoch: hold.epoch,
            ..v1::ExtendHoldRequest::default()
        };
        let longer = world
            .booking()
            .extend_hold(world.by(&LI_NA, extend.clone()))
            .await;
        let longer = longer.expect("extended").into_inner();
        assert_eq!((hold.extensions_left, longer.extensions_left), (1, 0));
        let again = world
            .booking()
            .extend_hold(world.by(&LI_NA, extend.clone()))
            .await;
        assert_eq!(again.expect("the first answer").into_inner(), longer);
        let more = v1::ExtendHoldRequest {
            request_id: id(),
            ..extend
        };
        let more = world.booking().extend_hold(world.by(&LI_NA, more)).await;
        assert_eq!(reason(more), "EXTENSIONS_USED_UP");

        let request = World::confirming(&longer);
        let first = world
            .booking()
            .confirm_booking(world.by(&LI_NA, request.clone()))
            .await;
        let first = changed(first).expect("confirmed");
        let again = world
            .booking()
            .confirm_booking(world.by(&LI_NA, request))
            .await;
        assert_eq!(changed(again).expect("the first answer"), first);
        assert_eq!(reason(world.confirm(&longer).await), "CONFIRMED_ALREADY");

        let late = world.person(&[]);
        let hold = world.hold(&slot(date, 1), &late).await.expect("held");
        let now = world.now().await;
        world.advance_to(now + TimeDelta::seconds(301)).await;
        assert_eq!(reason(world.confirm(&hold).await), "HOLD_EXPIRED");
        world.sweep().await;
        assert_eq!(world.free(date).await[1], (1, 0));
        let next = world
            .hold(&slot(date, 1), &world.person(&[]))
            .await
            .expect("held");
        assert!(next.epoch > hold.epoch);
        assert_eq!(reason(world.confirm(&hold).await), "HOLD_UNKNOWN");
        world
            .confirm(&next)
            .await
            .expect("the hold of the next is not touched");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_an_appointment_moves_in_one_step_also_onto_a_time_that_overlaps_its_own() {
    for world in worlds("moves").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        world.booked(&slot(date, 1)).await;
        assert_eq!(
            reason(moved(&world, &booking.id, &slot(date, 1)).await),
            "SLOT_FULL"
        );
        assert_eq!(
            reason(moved(&world, &booking.id, &slot(date, 0)).await),
            "SLOT_SAME"
        );
        let there = moved(&world, &booking.id, &slot(date, 2))
            .await
            .expect("moved");
        assert_eq!((there.sequence, there.former_times.len()), (1, 1));
        assert_eq!(there.slot, slot(date, 2));
        world.sweep().await;
        assert_eq!(world.free(date).await, [(1, 0), (0, 0), (0, 0), (1, 0)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_reserved_seats_are_for_special_groups_until_they_are_everybodys() {
    for world in worlds("reserved").await {
        let date = world.published(2, 1).await;
        assert_eq!(world.free(date).await, [(1, 1); 4]);
        world.booked(&slot(date, 0)).await;
        let ordinary = world.person(&[]);
        assert_eq!(
            reason(world.hold(&slot(date, 0), &ordinary).await),
            "SLOT_FULL"
        );
        let elderly = world.person(&[SpecialGroup::Elderly]);
        let hold = world.hold(&slot(date, 0), &elderly).await.expect("held");
        assert!(hold.is_reserved_seat);
        let hold = world
            .hold(&slot(date, 1), &world.person(&[SpecialGroup::Disabled]))
            .await;
        assert!(hold.expect("held").is_reserved_seat, "theirs first");
        world.advance_to(at(date, 9, 31)).await;
        world.sweep().await;
        let first = world.hold(&slot(date, 3), &world.person(&[])).await;
        assert!(!first.expect("held").is_reserved_seat);
        let free = world.free(date).await;
        assert_eq!(free, [(2, 0), (1, 0)], "both are lifted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_reservation_stands_in_the_gate_until_a_sweep_has_lifted_it() {
    for world in worlds("lifting").await {
        let date = world.published(2, 1).await;
        let booking = world.booked(&slot(date, 2)).await;
        world.booked(&slot(date, 3)).await;
        let there = slot(date, 3);
        assert_eq!(
            reason(moved(&world, &booking.id, &there).await),
            "SLOT_FULL"
        );
        world.advance_to(at(date, 9, 31)).await;
        assert_eq!(
            reason(moved(&world, &booking.id, &there).await),
            "SLOT_BUSY",
            "its seat is everybody's, and the gate was not told yet"
        );
        world.sweep().await;
        let moved = moved(&world, &booking.id, &there).await.expect("moved");
        assert_eq!(moved.slot, there);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_nobody_hoards_and_nobody_is_in_two_places() {
    for world in worlds("hoarding").await {
        let date = world.published(3, 0).await;
        let person = world.person(&[]);
        world.hold(&slot(date, 0), &person).await.expect("held");
        assert_eq!(
            reason(world.hold(&slot(date, 0), &person).await),
            "BOOKINGS_OVERLAP"
        );
        assert_eq!(
            reason(world.hold(&slot(date, 1), &person).await),
            "BOOKINGS_TOO_MANY"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_who_does_not_come_breaches_nothing_and_a_late_start_is_the_institutions() {
    for world in worlds("kept").await {
        let date = world.published(3, 0).await;
        let (missed, late) = (
            world.booked(&slot(date, 0)).await,
            world.booked(&slot(date, 0)).await,
        );
        world.advance_to(at(date, 9, 10)).await;
        check_in(&world, &late.id).await.expect("there");
        world.advance_to(at(date, 9, 31)).await;
        assert_eq!(
            reason(check_in(&world, &missed.id).await),
            "CHECK_IN_TOO_LATE"
        );
        world.sweep().await;
        assert_eq!(world.get(&missed.id).await.state(), BookingState::NoShow);
        let started = start(&world, &late.id).await.expect("started");
        assert_eq!(started.breaches.len(), 1);
        assert_eq!(started.breaches[0].requirement, "BB-9.2b");
    }
}
