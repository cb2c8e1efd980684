//! Nobody is told "full" of a seat that is free: those that a slot gains again (docs/decisions/0009-the-gate.md).

use bangban_proto::bangban::scheduling::v1::{
    self as v1, booking_service_client::BookingServiceClient,
};
use bangban_scheduling::tasks;
use chrono::NaiveDate;
use tonic::{Response, Status};

use super::{
    ask::{cancel, id},
    server::Served,
    world::{ADMIN, DISTRICT, LI_NA, World, numbers, reason, slot, worlds},
};

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
    let request = world.holding(&slot(date, 0), person);
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
