//! One person cannot hoard, nor be in two places at a time (BB-7.1.1), also who asks through two processes at once: each has
//! read that there is nothing yet, and one of them writes later.

use std::time::{Duration, Instant};

use bangban_proto::bangban::scheduling::v1::{
    self, BookingPolicy, booking_service_client::BookingServiceClient,
};
use bangban_scheduling::tasks;
use chrono::TimeDelta;
use sea_orm::ConnectionTrait as _;
use tonic::{Code, Status};

use super::{
    ask::{beside, day, put_template, release},
    patience::{PATIENCE, is_not_now},
    server::Served,
    world::{LI_NA, OTHER_ITEM, SITE, World, numbers, reason, slot, worlds, worlds_with_redis},
};

/// How often it is tried: who comes first is chance.
const ROUNDS: usize = 15;

/// Within less than half a second whatever is said to a gate is heard; later it may be lost.
const HEARD_WITHIN: Duration = Duration::from_millis(400);

/// Holds both at once, each through a process of its own; answers the reason why one was refused. The other is given up.
async fn raced(
    world: &World,
    other: &Served,
    [one, two]: [v1::HoldSlotRequest; 2],
) -> Result<String, [v1::Hold; 2]> {
    let through = async |mut client: BookingServiceClient<_>, request: v1::HoldSlotRequest| loop {
        let request = world.by(&LI_NA, request.clone());
        match client.hold_slot(request).await {
            // A gate that was not admitted yet.
            Err(status) if status.code() == Code::Unavailable => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            answer => return answer.map(tonic::Response::into_inner),
        }
    };
    let (one, two): (Result<_, Status>, Result<_, Status>) = tokio::join!(
        through(world.booking(), one),
        through(BookingServiceClient::new(other.channel.clone()), two),
    );
    let (held, refused) = match (one, two) {
        (Ok(one), Ok(two)) => return Err([one, two]),
        (Ok(held), refused) | (refused, Ok(held)) => (held, refused),
        (Err(one), Err(two)) => panic!("neither: {one}, {two}"),
    };
    release(world, &LI_NA, &held).await.expect("released");
    // A gate that was admitted a moment ago gives nothing back yet.
    let cool = "SELECT CAST(count(*) AS bigint) FROM seats WHERE state = 3";
    while numbers(world, cool.to_owned(), 1).await != [0] {
        world.sweep().await;
    }
    Ok(reason(refused))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_nobody_has_more_than_the_limit_by_asking_twice_at_once() {
    for (world, _redis) in worlds_with_redis("raced_limits").await {
        let rules = BookingPolicy {
            most_per_day: 1,
            cooling_seconds: Some(0),
            ..BookingPolicy::default()
        };
        world.rules(rules).await;
        let date = world.published(2, 0).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        // Of the first round nobody knows the person yet.
        let person = world.person(&[]);
        for round in 0..ROUNDS {
            let both = [0, 2].map(|number| World::holding(&slot(date, number), &person));
            let refused = raced(&world, &other, both).await;
            assert_eq!(refused.as_deref(), Ok("BOOKINGS_TOO_MANY"), "{round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_nobody_has_two_times_that_overlap_by_asking_twice_at_once() {
    for (world, _redis) in worlds_with_redis("raced_overlaps").await {
        world.without_cooling().await;
        put_template(&world, beside(2)).await;
        let date = world.published(2, 0).await;
        let slots = day(&world, SITE, date).await.expect("a day").slots;
        let of = |group: &str| {
            let slot = slots.iter().find(|slot| slot.group == group);
            slot.expect("a slot").id.clone()
        };
        let (first, overlapping) = (of("benefits"), of("licences"));
        let other = Served::start(&world.config, world.directory.clone()).await;
        let person = world.person(&[]);
        for round in 0..ROUNDS {
            let beside = v1::HoldSlotRequest {
                item: OTHER_ITEM.to_owned(),
                ..World::holding(&overlapping, &person)
            };
            let both = [World::holding(&first, &person), beside];
            let refused = raced(&world, &other, both).await;
            assert_eq!(refused.as_deref(), Ok("BOOKINGS_OVERLAP"), "{round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_hold_that_has_ended_counts_until_its_confirmation_can_be_written_no_more() {
    for world in worlds("ending").await {
        if !world.store.is_postgres() {
            continue; // With SQLite one writes at a time, and nobody reads ahead of who writes.
        }
        world.without_cooling().await;
        let date = world.published(2, 0).await;
        let person = world.person(&[]);
        let hold = world.hold(&slot(date, 0), &person).await.expect("held");
        // It is confirmed while it lives, which cannot be written yet; behind its end the person wants another seat.
        let locked = world.locked("seats").await;
        let later = async {
            world.somebody_waits().await;
            world.advance_to(World::end_of(&hold)).await;
            let second = world.hold(&slot(date, 0), &person).await;
            locked.rollback().await.expect("unlocked");
            second
        };
        let (confirmed, second) = tokio::join!(world.confirm(&hold), later);
        confirmed.expect("a live hold confirms");
        assert_eq!(reason(second), "HOLD_ENDING");
        let again = world.hold(&slot(date, 0), &person).await;
        assert_eq!(reason(again), "BOOKINGS_OVERLAP");

        // Where nobody confirms, the next seat can be had as soon as the sweep has ended the hold.
        let other = world.person(&[]);
        world.hold(&slot(date, 1), &other).await.expect("held");
        let now = world.now().await;
        world.advance_to(now + TimeDelta::seconds(301)).await;
        let early = world.hold(&slot(date, 1), &other).await;
        assert_eq!(reason(early), "HOLD_ENDING");
        world.sweep().await;
        let held = world.hold(&slot(date, 1), &other).await.expect("held");
        // Also one that was written so late that the sweep has gone by.
        let late = format!(
            "UPDATE seats SET due_us = due_us - 600000000 WHERE booking = '{}'",
            held.booking
        );
        let written = world.store.db.execute_unprepared(&late).await;
        assert_eq!(written.expect("written").rows_affected(), 1);
        world.sweep().await;
        let early = world.hold(&slot(date, 1), &other).await;
        assert_eq!(reason(early), "HOLD_ENDING");
        world.sweep().await;
        world.hold(&slot(date, 1), &other).await.expect("held");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_two_processes_that_sweep_at_once_leave_no_seat_behind() {
    for (world, _redis) in worlds_with_redis("raced_sweeps").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        let person = world.person(&[]);
        let [one, two] = [world.rpc.clone(), other.service.rpc()];
        let mut timely = 0;
        for round in 0..ROUNDS * 4 {
            let began = Instant::now();
            let hold = loop {
                match world.hold(&slot(date, 0), &person).await {
                    // A gate that was admitted a moment ago, or was not heard in time.
                    Err(status) if is_not_now(&status) && began.elapsed() < PATIENCE => {
                        world.reads_anew(date).await;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    hold => break hold.expect("the seat is back"),
                }
            };
            release(&world, &LI_NA, &hold).await.expect("released");
            let cool = "SELECT CAST(count(*) AS bigint) FROM seats WHERE state = 3";
            // The other has read what is due when the first has given it back, and says so later, at some moment.
            let later = async {
                let us = rand::random_range(0..4_000);
                tokio::time::sleep(Duration::from_micros(us)).await;
                tasks::once(&two).await
            };
            let began = Instant::now();
            let (first, second) = tokio::join!(tasks::once(&one), later);
            first.and(second).expect("swept");
            while numbers(&world, cool.to_owned(), 1).await != [0] {
                tasks::once(&one).await.expect("swept");
            }
            let took = began.elapsed();
            timely += usize::from(took < HEARD_WITHIN);
            let free = world.free(date).await[0];
            if free != (1, 0) {
                assert!(took >= HEARD_WITHIN, "{round}: {free:?}");
                world.reads_anew(date).await;
            }
        }
        assert!(timely >= ROUNDS, "{timely} rounds show something");
    }
}
