//! Nobody is told "full" of a seat that is free: reservations that end, people who change, seats that a slot gains again
//! (docs/decisions/0009-the-gate.md).

use std::{
    future::Future,
    time::{Duration, Instant},
};

use bangban_proto::bangban::{
    directory::v1::{Applicant, ApplicantUpdated, directory_act::Act as Said},
    scheduling::v1::{self as v1, booking_service_client::BookingServiceClient},
    types::v1::SpecialGroup,
};
use bangban_scheduling::tasks;
use chrono::{Days, NaiveDate};
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, Database, TransactionTrait as _};
use tonic::{Response, Status};

use super::{
    ask::{cancel, id, moved},
    learned,
    patience::{is_broken_off, patiently},
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

/// Shorter than what is remembered of a person is certain without the feed.
const CERTAIN_WITHIN: Duration = Duration::from_secs(25);

/// Directory learns that a person is disabled, and its feed says so.
async fn becomes_special(world: &World, person: &str) {
    let applicant = Applicant {
        id: person.to_owned(),
        name_mask: "林*娥".to_owned(),
        groups: vec![SpecialGroup::Disabled.into()],
        ..Applicant::default()
    };
    world.directory.know(applicant);
    let updated = Said::ApplicantUpdated(ApplicantUpdated::default());
    let log = world.served.log.as_ref().expect("a log");
    log.says_of(format!("applicants/{person}"), vec![updated])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_who_has_become_one_of_a_special_group_has_its_seat_in_every_process_that_follows()
{
    for world in learned::worlds("became_special").await {
        let date = world.published(3, 2).await;
        world.booked(&slot(date, 0)).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        let works = [world.served.works(), other.works()];
        let (here, there) = (world.person(&[]), world.person(&[]));
        for _ in 0..2 {
            let refused = world.hold(&slot(date, 0), &here).await;
            assert_eq!(reason(refused), "SLOT_FULL");
            let refused = hold(&world, &other, date, &there).await;
            assert_eq!(reason(refused), "SLOT_FULL");
        }
        becomes_special(&world, &here).await;
        becomes_special(&world, &there).await;
        let within = Instant::now() + CERTAIN_WITHIN;
        let has_it = async |held: Result<v1::Hold, Status>| match held {
            Ok(hold) => {
                assert!(hold.is_reserved_seat && hold.is_assisted, "{hold:?}");
                true
            }
            Err(status) => {
                assert!(Instant::now() < within, "{status}");
                tokio::time::sleep(Duration::from_millis(30)).await;
                false
            }
        };
        while !has_it(world.hold(&slot(date, 0), &here).await).await {}
        while !has_it(hold(&world, &other, date, &there).await).await {}
        for works in works {
            works.cancel();
        }
    }
}

/// Everybody wants a slot at once, and hears that it is full.
async fn all_are_refused(world: &World, slot: &str, people: &[String]) {
    let refused = people.iter().map(|person| world.hold(slot, person));
    for refused in join_all(refused).await {
        assert_eq!(reason(refused), "SLOT_FULL");
    }
}

/// A crowd wants the times of a day, each of which has one seat left, for special groups. False where it took so long that
/// who was looked up is in doubt again.
async fn crowd_is_looked_up_once(world: &World, date: NaiveDate) -> bool {
    for number in 0..4 {
        world.booked(&slot(date, number)).await;
    }
    let gate = world.served.service.gate().clone();
    let given = gate.counts().picked;
    let people: Vec<String> = (0..200).map(|_| world.person(&[])).collect();
    let special = world.person(&[SpecialGroup::Elderly]);
    let asked = world.directory.asked();
    let wanted = slot(date, 0);
    let began = Instant::now();
    // A crowd, and in the midst of it somebody for whom the seat is.
    let comes = async {
        while world.directory.asked() < asked + 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let others = gate.counts().picked - given;
        assert_eq!(others, 0, "picked for somebody whom it is not for");
        let hold = world.hold(&wanted, &special).await.expect("at once");
        assert!(hold.is_reserved_seat);
    };
    tokio::join!(comes, all_are_refused(world, &wanted, &people));
    all_are_refused(world, &slot(date, 1), &people).await;
    assert_eq!(gate.counts().picked, given + 1);
    let looked_up = world.directory.asked() - asked;
    if began.elapsed() > CERTAIN_WITHIN {
        return false;
    }
    assert_eq!(looked_up, 201, "each once");

    // Who is known by now, and who finds nothing at all, is told by what is remembered: nothing can be read.
    let strangers: Vec<String> = (0..200).map(|_| world.person(&[])).collect();
    let told = async {
        all_are_refused(world, &slot(date, 2), &people).await;
        all_are_refused(world, &wanted, &strangers).await;
    };
    match world.store.is_postgres() {
        true => unread(world, told).await,
        false => told.await,
    }
    assert_eq!(gate.counts().picked, given + 1);
    let looked_up = world.directory.asked() - asked;
    if began.elapsed() > CERTAIN_WITHIN {
        return false;
    }
    assert_eq!(looked_up, 201, "remembered");
    let late = world.person(&[SpecialGroup::Elderly]);
    let hold = world.hold(&slot(date, 2), &late).await.expect("at once");
    assert!(hold.is_reserved_seat);
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_crowd_without_a_seat_keeps_nobody_from_the_reserved_one_and_is_looked_up_once()
{
    for world in worlds("reserved_crowd").await {
        world.template(2, 1).await;
        let mut days = 1..4;
        loop {
            let behind = days.next().expect("told without a statement");
            let date = world.working_day(behind).await;
            world.publish(date).await;
            if crowd_is_looked_up_once(&world, date).await {
                break;
            }
        }
    }
}

/// Something is done without a statement about seats: whoever asked one would wait until it is too late.
async fn unread(world: &World, done: impl Future<Output = ()>) {
    let db = Database::connect(&world.config.database.url).await;
    let locked = db.expect("postgresql").begin().await.expect("begun");
    let tables = ["days", "slots", "seats", "persons", "capacity"];
    let tables = tables.map(|table| format!("scheduling.{table}")).join(", ");
    let lock = format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE");
    locked.execute_unprepared(&lock).await.expect("locked");
    _ = tokio::time::timeout(CERTAIN_WITHIN, done).await;
    locked.rollback().await.expect("unlocked");
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
    let done = patiently(is_broken_off, || async {
        let request = world.by(&ADMIN, request.clone());
        world.capacity().change_slot(request).await
    });
    done.await.expect("changed");
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
