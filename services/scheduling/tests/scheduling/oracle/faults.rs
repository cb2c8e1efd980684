//! What happens to Redis, with people who come and go, and each time with a crowd who wants twenty seats meanwhile.

use std::time::Duration;

use bangban_rig::{Faketime, Server};

use super::{
    crowd::{CROWDS, while_it_happens},
    redis::Redis,
    stage::Stage,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_through_flush_death_old_data_standstill_and_a_wrong_clock_nobody_is_lost_or_told_full_wrongly()
 {
    let _alone = CROWDS.lock().await;
    let clock = Faketime::right();
    let mut redis = Redis::One(clock.server(&["--save", "3600 1000000"]));
    let Some(stage) = Stage::on(&redis, "faults", (20, 2), 2).await else {
        return;
    };
    let sweeps = stage.sweeps();
    let redis = &mut redis.masters()[0];
    flush_death_old_data_and_standstill(&stage, redis, None).await;

    let before: Vec<u64> = redis.ask(&["TIME"]);
    while_it_happens(&stage, 6, async {
        for offset in ["+700d", "-700d", "+3600"] {
            stage.fault();
            clock.shift(offset);
            stage.log.serves(2).await;
        }
    })
    .await;
    let after: Vec<u64> = redis.ask(&["TIME"]);
    assert!(after[0] > before[0] + 3000, "the clock was shifted");

    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(200, 49_000, (stage.faults(), 9));
}

/// All that happens to one server; on a Cluster, to the master that has the contested day, whose replica takes its place when it
/// stands still.
pub async fn flush_death_old_data_and_standstill(
    stage: &Stage,
    redis: &mut Server,
    replica: Option<&Server>,
) {
    while_it_happens(stage, 6, async {
        for _ in 0..3 {
            stage.fault();
            redis.ask::<()>(&["FLUSHALL"]);
            stage.log.serves(2).await;
        }
    })
    .await;

    redis.ask::<()>(&["SAVE"]);
    while_it_happens(stage, 6, async {
        stage.log.serves(2).await;
        stage.fault();
        redis.kill();
        redis.run();
        assert!(redis.ask::<u32>(&["DBSIZE"]) > 0, "it came back with data");
    })
    .await;

    redis.ask::<()>(&["FLUSHALL"]);
    redis.ask::<()>(&["SAVE"]);
    while_it_happens(stage, 6, async {
        stage.log.serves(2).await;
        stage.fault();
        redis.kill();
        redis.run();
    })
    .await;

    while_it_happens(stage, 6, async {
        stage.fault();
        redis.pause();
        if let Some(replica) = replica {
            replica.may_take_over();
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        if let Some(replica) = replica {
            tokio::task::block_in_place(|| replica.is_promoted());
        }
        redis.resume();
    })
    .await;
}
