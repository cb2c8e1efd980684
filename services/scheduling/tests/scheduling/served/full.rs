//! Nobody is told "full" of a seat that is free: reservations that end, people who change, seats that a slot gains again
//! (docs/decisions/0009-the-gate.md).

use std::time::Duration;

use bangban_proto::bangban::{
    directory::v1::Applicant,
    scheduling::v1::{self as v1, booking_service_client::BookingServiceClient},
    types::v1::SpecialGroup,
};
use bangban_scheduling::tasks;
use chrono::{Days, NaiveDate};
use tonic::{Response, Status};

use super::{
    ask::{cancel, id, moved},
    server::Served,
    world::{ADMIN, DISTRICT, LI_NA, World, at, numbers, reason, slot, worlds},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_between_the_end_of_a_reservation_and_the_sweep_it_is_try_again_and_not_full() {
    for world in worlds("reserved_over").await {
        let date = world.published(2, 1).await;
        world.booked(&slot(date, 0)).await;
        let elsewhere = world.booked(&slot(date, 3)).await;
        let person = world.person(&[]);
        let refused = async || reason(world.hold(&slot(date, 0), &person).await);
        assert_eq!(refused().await, "SLOT_FULL", "reserved, and remembered");
        let there = moved(&world, &elsewhere.id, &slot(date, 0)).await;
        assert_eq!(reason(there), "SLOT_FULL");
        world.advance_to(at(date, 8, 0)).await;
        assert_eq!(refused().await, "SLOT_BUSY");
        let there = moved(&world, &elsewhere.id, &slot(date, 0)).await;
        assert_eq!(reason(there), "SLOT_BUSY");
        world.sweep().await;
        world.hold(&slot(date, 0), &person).await.expect("held");
        let late = world.person(&[]);
        assert_eq!(reason(world.hold(&slot(date, 0), &late).await), "SLOT_FULL");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_who_has_become_one_of_a_special_group_has_its_seat() {
    for world in worlds("became_special").await {
        let date = world.published(2, 1).await;
        world.booked(&slot(date, 0)).await;
        let person = world.person(&[]);
        let refused = world.hold(&slot(date, 0), &person).await;
        assert_eq!(reason(refused), "SLOT_FULL");
        world.directory.know(Applicant {
            id: person.clone(),
            name_mask: "林*娥".to_owned(),
            groups: vec![SpecialGroup::Disabled.into()],
            ..Applicant::default()
        });
        // What is remembered of a person without a doubt is remembered for two seconds.
        tokio::time::sleep(Duration::from_millis(2100)).await;
        let hold = world.hold(&slot(date, 0), &person).await.expect("held");
        assert!(hold.is_reserved_seat && hold.is_assisted, "{hold:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_sold_out_time_that_has_begun_is_past_and_not_full() {
    for world in worlds("full_and_past").await {
        let date = world.published(1, 0).await;
        world.booked(&slot(date, 0)).await;
        let late = world.person(&[]);
        let refused = async || reason(world.hold(&slot(date, 0), &late).await);
        assert_eq!(refused().await, "SLOT_FULL");
        world.advance_to(at(date, 9, 0)).await;
        assert_eq!(refused().await, "SLOT_PAST");
        world.advance_to(at(date + Days::new(1), 9, 0)).await;
        assert_eq!(refused().await, "DAY_PAST");
    }
}

async fn resized(world: &World, date: NaiveDate, (capacity, reserved): (u32, u32)) {
    let request = v1::ChangeSlotRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        slot: slot(date, 0),
        capacity,
        reserved,
        reason: "窗口调整".to_owned(),
        ..v1::ChangeSlotRequest::default()
    };
    let request = world.by(&ADMIN, request);
    let done = world.capacity().change_slot(request).await;
    done.expect("changed");
}

/// Through another process.
async fn hold(
    world: &World,
    other: &Served,
    date: NaiveDate,
    person: &str,
) -> Result<v1::Hold, Status> {
    let mut client = BookingServiceClient::new(other.channel.clone());
    let request = World::holding(&slot(date, 0), person);
    let answer = client.hold_slot(world.by(&LI_NA, request)).await;
    answer.map(Response::into_inner)
}

/// How many rows of seats are in this state.
async fn rows(world: &World, state: i32) -> i64 {
    let sql = format!("SELECT CAST(count(*) AS bigint) FROM seats WHERE state = {state}");
    numbers(world, sql, 1).await[0]
}

const COOLING: i32 = 3;

/// What a change means for a process whose gate is not told of it: nothing is free before its gate knows.
async fn comes_back_by_the_gate(world: &World, other: &Served, date: NaiveDate, now: (u32, u32)) {
    let person = world.person(&[]);
    let refused = hold(world, other, date, &person).await;
    assert_eq!(reason(refused), "SLOT_FULL");
    resized(world, date, now).await;
    assert_eq!(rows(world, COOLING).await, 1, "free without the gate");
    let swept = tasks::once(&other.service.rpc()).await;
    assert!(swept.expect("swept") > 0);
    assert_eq!(rows(world, COOLING).await, 0);
    let held = hold(world, other, date, &person).await;
    held.expect("there is a seat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_seat_that_a_slot_gains_again_comes_back_by_way_of_the_gate() {
    for world in worlds("regained").await {
        world.without_cooling().await;
        let date = world.published(2, 0).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        world.booked(&slot(date, 0)).await;
        let second = world.booked(&slot(date, 0)).await;
        cancel(&world, &second.id).await.expect("cancelled");
        world.sweep().await;
        resized(&world, date, (1, 0)).await;
        comes_back_by_the_gate(&world, &other, date, (2, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_seat_that_is_reserved_no_more_comes_back_by_way_of_the_gate() {
    for world in worlds("unreserved").await {
        world.without_cooling().await;
        let date = world.published(2, 1).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        world.booked(&slot(date, 0)).await;
        comes_back_by_the_gate(&world, &other, date, (2, 0)).await;
    }
}
