//! The service is killed: at any moment, and between Redis and the database in both orders.

use std::time::Duration;

use super::{
    barrier::Barrier,
    crowd::{CROWDS, PEOPLE, Regulars, rush, while_it_happens},
    process::Process,
    redis::Redis,
    stage::Stage,
    truth::{COOLING, Truth},
};

/// How often it is killed at any moment.
const KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_that_is_killed_at_any_moment_loses_nobody_and_tells_nobody_full_wrongly()
{
    at_any_moment(Redis::one(), PEOPLE).await;
}

/// With so many who want twenty seats meanwhile.
pub async fn at_any_moment(redis: Redis, people: usize) {
    let _alone = CROWDS.lock().await;
    let Some(mut stage) = Stage::on(&redis, "killed", (20, 2), 0).await else {
        return;
    };
    stage.people = people;
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
    seen.has_enough(100, people - 100, (stage.faults(), KILLS));
}

/// Where the process is when it dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Dies {
    /// Redis was told, the database never was.
    BeforeTheDatabase,
    /// The database was told, Redis was not told that it was.
    BehindTheDatabase,
}

/// Kills the only process while its write on a seat is under way.
async fn dies(stage: &Stage, process: &mut Process, barrier: Barrier, dies: Dies) {
    let waiting = barrier.holds_back(1).await;
    stage.fault();
    match dies {
        Dies::BeforeTheDatabase => {
            process.kill();
            barrier.ends(&waiting).await;
            barrier.lets_go().await;
        }
        Dies::BehindTheDatabase => {
            process.signal("STOP");
            barrier.lets_them_write(&waiting).await;
            process.kill();
        }
    }
    tokio::task::block_in_place(|| process.run());
}

/// A seat is taken by a pick in Redis and a row in the database, and freed by both: killed between the two, each way.
async fn between(redis: Redis, name: &str, how: Dies) {
    let Some(mut stage) = Stage::on(&redis, name, (2, 0), 0).await else {
        return;
    };
    let mut process = Process::start(&stage);
    stage.connect([process.address].into_iter());
    for round in 0..2 {
        // Taking.
        let regulars = Regulars::start(&stage, 4);
        stage.log.serves(4).await;
        let barrier = Barrier::set(&stage).await;
        dies(&stage, &mut process, barrier, how).await;
        stage.log.serves(4).await;
        regulars.leave().await;
        stage.clears().await;

        // Freeing: both seats are let go, and the sweep is caught when it writes them free.
        let barrier = loop {
            let rushed = rush(&stage, round, 10).await;
            assert_eq!(rushed.counts(), (2, 8), "{how:?}");
            rushed.leave(&stage).await;
            let barrier = Barrier::set(&stage).await;
            let truth = Truth::read(&stage.world.store).await;
            if truth.last().values().any(|c| c.state == COOLING) {
                break barrier;
            }
            // The sweep was faster.
            barrier.lets_go().await;
        };
        dies(&stage, &mut process, barrier, how).await;
        let rushed = rush(&stage, round, 10).await;
        assert_eq!(rushed.counts(), (2, 8), "{how:?}");
    }
    let seen = stage.judged().await;
    seen.has_enough(10, 16, (stage.faults(), 4));
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
    between(redis, "before_the_database", Dies::BeforeTheDatabase).await;
}

pub async fn behind_the_database(redis: Redis) {
    between(redis, "behind_the_database", Dies::BehindTheDatabase).await;
}
