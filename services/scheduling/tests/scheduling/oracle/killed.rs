//! The service is killed: at any moment, and between Redis and the database in both orders.

use std::time::Duration;

use bangban_rig::{Looks, PATIENCE};

use super::{
    barrier::Barrier,
    crowd::{CROWDS, PEOPLE, Regulars, all_are_had, rush, rush_while, while_it_happens},
    process::Process,
    redis::Redis,
    stage::Stage,
    truth::{COOLING, FREE, HELD},
};

/// How often it is killed at any moment.
const KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_that_is_killed_at_any_moment_loses_nobody_and_tells_nobody_full_wrongly()
{
    at_any_moment(Redis::one()).await;
}

pub async fn at_any_moment(redis: Redis) {
    let _alone = CROWDS.lock().await;
    let Some(mut stage) = Stage::on(&redis, "killed", (20, 2), 0).await else {
        return;
    };
    let mut processes = [Process::start(&stage), Process::start(&stage)];
    stage.connect(processes.iter().map(|p| p.address));
    while_it_happens(&stage, 12, async {
        for n in 0..KILLS {
            stage.log.serves(5).await;
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..30))).await;
            stage.fault();
            processes[n % 2].kill();
            tokio::task::block_in_place(|| processes[n % 2].run());
        }
    })
    .await;
    let seen = stage.judged().await;
    seen.has_enough(60, PEOPLE - 100, (stage.faults(), KILLS));
}

/// Where the process is when it dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Dies {
    /// Redis was told, the database never was.
    BeforeTheDatabase,
    /// The database was told, Redis was not told that it was.
    BehindTheDatabase,
}

/// Kills the only process while its write on the slot's seats is under way, by which they come to be in a state in which
/// none is yet, and starts it again. That it died between the two is read of both when it is dead.
async fn dies(stage: &Stage, process: &mut Process, barrier: Barrier, (how, state): (Dies, i32)) {
    barrier.holds_back(1).await;
    assert_eq!(stage.rows_in(state).await, 0, "{how:?}");
    stage.fault();
    match how {
        Dies::BeforeTheDatabase => {
            process.kill();
            barrier.lets_none_write().await;
        }
        Dies::BehindTheDatabase => {
            process.stop();
            barrier.lets_them_write().await;
            process.kill();
        }
    }
    let written = stage.rows_in(state).await;
    println!("{how:?}: {written} rows are in state {state}");
    assert_eq!(written > 0, how == Dies::BehindTheDatabase, "{written}");
    let is_over = stage.gate_says_full().await;
    assert!(!is_over, "{how:?}: the gate knows what became of each seat");
    tokio::task::block_in_place(|| process.run());
}

/// All seats were given up, and the sweep is caught when it has told the gate and is about to write them free.
async fn freeing(stage: &Stage) -> Barrier {
    for _ in 0..100 {
        let had = rush(stage, 0, 100).await;
        // All of them, unless a hold has ended because the machine stood still.
        let are_all_had = had.confirmed.len() == stage.capacity as usize;
        let mut looks = Looks::within(PATIENCE, Duration::from_millis(20));
        while are_all_had && !stage.gate_says_full().await {
            assert!(looks.goes_on().await, "the gate does not know it");
        }
        had.leave(stage).await;
        let barrier = Barrier::in_turn(stage).await;
        if stage.rows_in(COOLING).await == stage.capacity as usize {
            barrier.holds_back(1).await;
            if !stage.gate_says_full().await {
                return barrier;
            }
        }
        // The sweep was faster.
        barrier.lets_go().await;
        stage.clears().await;
    }
    panic!("the sweep is always faster")
}

/// A seat is taken by a pick in Redis and a row in the database, and freed by both: killed between the two, each way. For
/// each of these there is a burst of all who want twenty seats, who come just before the process dies; more bursts would
/// make it a run of minutes.
async fn between(redis: Redis, name: &str, how: Dies) {
    let _alone = CROWDS.lock().await;
    let Some(mut stage) = Stage::on(&redis, name, (20, 0), 0).await else {
        return;
    };
    let mut process = Process::start(&stage);
    stage.connect([process.address].into_iter());
    let regulars = Regulars::start(&stage, 6);
    stage.log.serves(20).await;
    regulars.leave().await;
    // From here on each seat has a row. What waits for a row is sent as a whole and will be written without its sender;
    // what waits for the table may still be on its way to be prepared.
    rush(&stage, 0, 100).await.leave(&stage).await;
    stage.clears().await;

    // Taking: the gate has given all seats, and the database knows of none.
    stage.gate_comes_to(stage.capacity).await;
    let barrier = Barrier::in_turn(&stage).await;
    let rushed = rush_while(&stage, async {
        stage.gate_comes_to(0).await;
        dies(&stage, &mut process, barrier, (how, HELD)).await;
    })
    .await;
    all_are_had(&stage, rushed).await;
    stage.clears().await;

    // Freeing: the gate was told of all seats, and the database has freed none.
    let barrier = freeing(&stage).await;
    let rushed = rush_while(&stage, async {
        stage.log.tells(1_000).await;
        dies(&stage, &mut process, barrier, (how, FREE)).await;
    })
    .await;
    all_are_had(&stage, rushed).await;
    let seen = stage.judged().await;
    seen.has_enough(80, 2 * PEOPLE - 100, (stage.faults(), 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_that_dies_when_redis_knows_and_the_database_does_not_costs_no_seat() {
    before_the_database(Redis::one()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_that_dies_when_the_database_knows_and_redis_does_not_costs_no_seat() {
    behind_the_database(Redis::one()).await;
}

pub async fn before_the_database(redis: Redis) {
    let name = "before_the_database";
    between(redis, name, Dies::BeforeTheDatabase).await;
}

pub async fn behind_the_database(redis: Redis) {
    let name = "behind_the_database";
    between(redis, name, Dies::BehindTheDatabase).await;
}
