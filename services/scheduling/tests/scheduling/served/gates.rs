//! Gates that are wrong: one whose picture of a day is older than the database, and one that the database does not believe.
//! Nobody has a seat by them that is not there, and nothing is given back behind them (docs/decisions/0009-the-gate.md).

use bangban_proto::bangban::scheduling::v1::{
    self as v1, booking_service_client::BookingServiceClient,
};
use bangban_scheduling::store::due;
use chrono::NaiveDate;
use sea_orm::ConnectionTrait as _;
use tonic::{Response, Status};
use uuid::Uuid;

use super::{
    ask::release,
    patience::until,
    server::Served,
    world::{ADMIN, DISTRICT, LI_NA, World, at, numbers, reason, slot, worlds},
};

/// Through another process.
async fn hold(world: &World, other: &Served, slot: &str) -> Result<v1::Hold, Status> {
    let mut client = BookingServiceClient::new(other.channel.clone());
    let request = World::holding(slot, &world.person(&[]));
    let answer = client.hold_slot(world.by(&LI_NA, request)).await;
    answer.map(Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_gate_with_an_older_picture_gives_no_seat_above_the_capacity() {
    for world in worlds("older_picture").await {
        let date = world.published(2, 0).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        hold(&world, &other, &slot(date, 0)).await.expect("held");
        // Its own gate hears of it, the other's does not.
        let fewer = v1::ChangeSlotRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            slot: slot(date, 0),
            capacity: 1,
            reason: "窗口减少".to_owned(),
            ..v1::ChangeSlotRequest::default()
        };
        let changed = world
            .capacity()
            .change_slot(world.by(&ADMIN, fewer))
            .await
            .expect("changed");
        assert!(changed.into_inner().affected.is_empty());
        let late = hold(&world, &other, &slot(date, 0)).await;
        assert_eq!(reason(late), "SLOT_FULL");
    }
}

/// The database believes the gate of this generation, as after a process with a Redis has admitted it. Gates in memory
/// are of generation 0.
async fn believes(world: &World, generation: i64) {
    let sql = format!("UPDATE gate SET generation = {generation}");
    let told = world.store.db.execute_unprepared(&sql).await;
    assert_eq!(told.expect("told").rows_affected(), 1);
}

/// Seats that came back, and seats of the day that are reserved.
async fn given_back(world: &World, date: NaiveDate) -> Vec<i64> {
    let sql = format!(
        "SELECT (SELECT CAST(count(*) AS bigint) FROM seats WHERE state = 4), \
         (SELECT CAST(sum(reserved) AS bigint) FROM slots WHERE id LIKE '%.{date}.%')"
    );
    numbers(world, sql, 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_process_whose_gate_is_not_believed_gives_no_seat_back() {
    for world in worlds("generation_release").await {
        world.without_cooling().await;
        let date = world.published(2, 0).await;
        let person = world.person(&[]);
        world.hold(&slot(date, 0), &person).await.expect("held");
        world.advance_to(at(date, 9, 31)).await;
        believes(&world, 7).await;
        world.sweep().await;
        assert_eq!(
            given_back(&world, date).await,
            [0, 0],
            "told the wrong gate"
        );
        believes(&world, 0).await;
        world.sweep().await;
        assert_eq!(given_back(&world, date).await, [1, 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_process_whose_gate_is_not_believed_lifts_no_reservation() {
    for world in worlds("generation_lift").await {
        let date = world.published(2, 1).await;
        // An hour before each time its reserved seat becomes everybody's: by now those of all four.
        world.advance_to(at(date, 9, 31)).await;
        believes(&world, 7).await;
        world.sweep().await;
        assert_eq!(
            given_back(&world, date).await,
            [0, 4],
            "told the wrong gate"
        );
        believes(&world, 0).await;
        world.sweep().await;
        assert_eq!(given_back(&world, date).await, [0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_seat_that_was_somebody_s_since_it_was_read_is_not_given_back() {
    for world in worlds("read_before").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let comes_and_goes = async || {
            let person = world.person(&[]);
            let held = world.hold(&slot(date, 0), &person).await.expect("held");
            release(&world, &LI_NA, &held).await.expect("released");
        };
        comes_and_goes().await;
        let now = world.store.now().await.expect("the time").us();
        let read = due::cooled(&world.store, &due::start(), now, 10).await;
        let read = read.expect("read");
        assert_eq!(read.len(), 1);
        // Another process gives it back, and the next one has left it by now: its gate was not told of that.
        world.sweep().await;
        comes_and_goes().await;
        let freed = due::free(&world.store, &read, 0).await.expect("freed");
        assert!(freed.is_empty(), "given back by its former epoch");
        world.sweep().await;
        assert_eq!(world.free(date).await[0], (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_hold_that_was_written_long_behind_its_end_ends_all_the_same() {
    for world in worlds("written_late").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let held = world.hold(&slot(date, 0), &world.person(&[])).await;
        held.expect("held");
        world.sweep().await;
        // A process that was stopped between reading and writing: the sweep has come by the end of the hold before.
        let ended = world.now().await.timestamp_micros() - 600_000_000;
        let sql = format!("UPDATE seats SET due_us = {ended} WHERE state = 1");
        let done = world.store.db.execute_unprepared(&sql).await;
        assert_eq!(done.expect("written").rows_affected(), 1);
        assert_eq!(world.sweep().await, 0, "it does not look back");
        assert_eq!(world.free(date).await[0], (0, 0));
        let works = world.served.works();
        until("the audit has found it", async || {
            world.free(date).await[0] == (1, 0)
        })
        .await;
        works.cancel();
    }
}
