//! What happens to Redis, with people who come and go, and with ten thousand who want twenty seats while it happens.

use std::{future::Future, time::Duration};

use bangban_rig::Faketime;

use super::{
    crowd::{CROWDS, Regulars, rush},
    stage::Stage,
};

/// How many want a seat at the same moment, while each of the five things happens to Redis.
const PEOPLE: usize = 2_000;

/// Five bursts of two thousand: each is answered, whatever happens meanwhile.
async fn while_it_happens(stage: &Stage, happens: impl Future<Output = ()>) {
    stage.fault();
    let (rushed, ()) = tokio::join!(rush(stage, 0, PEOPLE), happens);
    assert_eq!(rushed.confirmed.len() + rushed.full, PEOPLE);
    rushed.leave(stage).await;
    // Served again without anybody's help.
    stage.log.serves(10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_through_flush_death_old_data_standstill_and_a_wrong_clock_nobody_is_lost_or_told_full_wrongly()
 {
    let _alone = CROWDS.lock().await;
    let clock = Faketime::right();
    let mut redis = clock.server(&["--save", "3600 1000000"]);
    let Some(stage) = Stage::open("faults", &redis.url(), (20, 2), 2).await else {
        return;
    };
    let sweeps = stage.sweeps();
    let regulars = Regulars::start(&stage, 6);
    stage.log.serves(20).await;

    while_it_happens(&stage, async {
        for _ in 0..3 {
            redis.ask::<()>(&["FLUSHALL"]);
            stage.log.serves(2).await;
        }
    })
    .await;

    redis.ask::<()>(&["SAVE"]);
    while_it_happens(&stage, async {
        stage.log.serves(2).await;
        redis.kill();
        redis.run();
        assert!(redis.ask::<u32>(&["DBSIZE"]) > 0, "it came back with data");
    })
    .await;

    redis.ask::<()>(&["FLUSHALL"]);
    redis.ask::<()>(&["SAVE"]);
    while_it_happens(&stage, async {
        stage.log.serves(2).await;
        redis.kill();
        redis.run();
    })
    .await;

    while_it_happens(&stage, async {
        redis.pause();
        tokio::time::sleep(Duration::from_secs(5)).await;
        redis.resume();
    })
    .await;

    let before: Vec<u64> = redis.ask(&["TIME"]);
    while_it_happens(&stage, async {
        for offset in ["+700d", "-700d", "+3600"] {
            clock.shift(offset);
            stage.log.serves(2).await;
        }
    })
    .await;
    let after: Vec<u64> = redis.ask(&["TIME"]);
    assert!(after[0] > before[0] + 3000, "the clock was shifted");

    regulars.leave().await;
    stage.clears().await;
    let rushed = rush(&stage, 0, 100).await;
    assert_eq!(rushed.counts(), (20, 80));
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(200, 5_000, (stage.faults(), 5));
}
