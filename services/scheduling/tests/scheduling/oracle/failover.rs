//! Sentinel fails over to a replica that does not know the latest writes.

use bangban_rig::{Sentinels, Server};

use super::{
    crowd::{CROWDS, Regulars, while_it_happens},
    stage::Stage,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_through_a_failover_that_loses_acknowledged_writes_nobody_is_lost_or_told_full_wrongly()
 {
    let _alone = CROWDS.lock().await;
    let mut group = Sentinels::start();
    let Some(stage) = Stage::open("failover", &group.url(), (20, 2), 2).await else {
        return;
    };
    let sweeps = stage.sweeps();
    let regulars = Regulars::start(&stage, 6);
    stage.log.serves(30).await;

    group.master.cuts_off_its_replica();
    stage.log.serves(30).await;
    regulars.leave().await;
    while_it_happens(&stage, 6, async {
        stage.log.serves(5).await;
        assert!(
            group.master.unknown_to(&group.replica) > 0,
            "writes will be lost"
        );
        stage.fault();
        group.master.kill();
        stage.log.serves(20).await;
    })
    .await;
    assert_eq!(group.replica.info("replication", "role"), "master");

    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(100, 5_000, (stage.faults(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_within_seconds_of_a_masters_death_people_are_served_by_the_one_that_sentinel_names()
 {
    let _alone = CROWDS.lock().await;
    let mut group = Sentinels::start();
    let Some(stage) = Stage::open("new_master", &group.url(), (20, 2), 2).await else {
        return;
    };
    served_again(&stage, &group.replica, || group.master.kill()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_within_seconds_of_becoming_a_replica_a_master_that_lives_on_is_left() {
    let _alone = CROWDS.lock().await;
    let group = Sentinels::start();
    let Some(stage) = Stage::open("lives_on", &group.url(), (20, 2), 2).await else {
        return;
    };
    served_again(&stage, &group.replica, || group.change_places()).await;
    println!("writes refused: {}", group.refused_by_the_old_master());
    assert_eq!(group.master.info("replication", "role"), "slave");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_within_seconds_of_a_masters_standstill_people_are_served_by_the_one_that_sentinel_names()
 {
    let _alone = CROWDS.lock().await;
    let group = Sentinels::start();
    let Some(stage) = Stage::open("stands_still", &group.url(), (20, 2), 2).await else {
        return;
    };
    served_again(&stage, &group.replica, || group.master.pause()).await;
}

/// People come and go, the master of their day is lost to them, and its replica serves them. How long that takes is asked
/// with no crowd: ten thousand who come again and again keep two cores busier than a failover does.
pub async fn served_again(stage: &Stage, replica: &Server, is_lost: impl FnOnce()) {
    let sweeps = stage.sweeps();
    let regulars = Regulars::start(stage, 6);
    stage.log.serves(30).await;
    stage.fault();
    tokio::task::block_in_place(is_lost);
    let died = stage.log.clock.now_us();
    tokio::task::block_in_place(|| replica.is_promoted());
    stage.is_failed_over(died).await;
    assert_eq!(replica.info("replication", "role"), "master");
    regulars.leave().await;
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(30, 0, (stage.faults(), 1));
}
