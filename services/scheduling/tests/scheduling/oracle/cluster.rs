//! The same on a Redis Cluster of three masters, of which the first has a replica. There is a day on each master, on which
//! people come and go; the day that a crowd wants is the first master's, so that a failover is one of that day.
//!
//! All that another file runs on one server runs here as well, with as many people. The clock that is wrong is the first
//! master's: by their clocks the servers of a Cluster judge each other, and one that is set back while they are at odds stays
//! out of it until the time has come again, so it is shifted only when the Cluster is one. Tests whose gate is in memory, and
//! those of Sentinels, are about no Cluster.

use bangban_rig::{Cluster, Faketime, PATIENCE, eventually};

use super::{
    crowd::{CROWDS, Regulars, while_it_happens},
    failover::served_again,
    faults::flush_death_old_data_and_standstill,
    killed,
    linear::is_linearizable_on,
    quick::one_gate,
    redis::Redis,
    stage::Stage,
    still::{come_and_go, ten_thousand},
    waiting::in_order,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_gives_ten_thousand_what_there_is() {
    ten_thousand(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_tells_nobody_full_wrongly() {
    come_and_go(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_gives_each_seat_to_one() {
    one_gate(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_is_linearizable_also_while_its_masters_are_flushed() {
    is_linearizable_on(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_cluster_gives_seats_that_are_given_up_to_those_who_wait() {
    in_order(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_on_a_cluster_that_is_killed_at_any_moment_loses_nobody() {
    killed::at_any_moment(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_that_dies_when_a_cluster_knows_and_the_database_does_not_costs_no_seat()
{
    killed::before_the_database(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_service_that_dies_when_the_database_knows_and_a_cluster_does_not_costs_no_seat()
{
    killed::behind_the_database(Redis::cluster()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_serves_through_flush_death_old_data_and_standstill() {
    let _alone = CROWDS.lock().await;
    let mut redis = Redis::cluster();
    let Some(stage) = Stage::on(&redis, "faults", (20, 2), 2).await else {
        return;
    };
    let Redis::Cluster(cluster) = &mut redis else {
        panic!("a Cluster")
    };
    let (master, replica) = (&mut cluster.masters[0], &cluster.replica);
    let sweeps = stage.sweeps();
    flush_death_old_data_and_standstill(&stage, master, Some(replica)).await;
    assert_eq!(replica.info("replication", "role"), "master");
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(100, 39_000, (stage.faults(), 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_the_clock_of_a_master_decides_nothing() {
    let _alone = CROWDS.lock().await;
    let clock = Faketime::right();
    let mut redis = Redis::Cluster(Cluster::of([Some(&clock), None, None]));
    let Some(stage) = Stage::on(&redis, "clock", (20, 2), 2).await else {
        return;
    };
    let Redis::Cluster(cluster) = &mut redis else {
        panic!("a Cluster")
    };
    let (sweeps, master) = (stage.sweeps(), &cluster.masters[0]);
    let before: Vec<u64> = master.ask(&["TIME"]);
    while_it_happens(&stage, 6, async {
        for offset in ["+700d", "-700d", "+3600"] {
            // Set back while it is at odds with the others it would stay out until the time has come again.
            tokio::task::block_in_place(|| cluster.is_one());
            stage.fault();
            clock.shift(offset);
            stage.log.serves(2).await;
        }
    })
    .await;
    let after: Vec<u64> = master.ask(&["TIME"]);
    assert!(after[0] > before[0] + 3000, "the clock was shifted");
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(40, 9_900, (stage.faults(), 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_within_seconds_of_a_masters_death_people_are_served_by_its_replica() {
    let _alone = CROWDS.lock().await;
    let mut redis = Redis::cluster();
    let Some(stage) = Stage::on(&redis, "new_master", (20, 2), 2).await else {
        return;
    };
    let Redis::Cluster(cluster) = &mut redis else {
        panic!("a Cluster")
    };
    let (masters, replica) = (&mut cluster.masters, &cluster.replica);
    served_again(&stage, replica, || {
        masters[0].kill();
        replica.may_take_over();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_that_loses_acknowledged_writes_in_a_failover_loses_nobody() {
    let _alone = CROWDS.lock().await;
    let mut redis = Redis::cluster();
    let Some(stage) = Stage::on(&redis, "lost_writes", (20, 2), 2).await else {
        return;
    };
    let Redis::Cluster(cluster) = &mut redis else {
        panic!("a Cluster")
    };
    let (master, replica) = (&mut cluster.masters[0], &cluster.replica);
    served_again(&stage, replica, || {
        master.cuts_off_its_replica();
        eventually("writes that will be lost", PATIENCE, || {
            (master.unknown_to(replica) > 1_000).then_some(())
        });
        master.kill();
        replica.may_take_over();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_serves_ten_thousand_through_flush_failover_and_restart() {
    let _alone = CROWDS.lock().await;
    let mut redis = Redis::cluster();
    let Some(stage) = Stage::on(&redis, "failover", (20, 2), 2).await else {
        return;
    };
    let Redis::Cluster(cluster) = &mut redis else {
        panic!("a Cluster")
    };
    let (masters, replica) = (&mut cluster.masters, &cluster.replica);
    let sweeps = stage.sweeps();
    let regulars = Regulars::start(&stage, 6);
    stage.log.serves(60).await;
    tokio::task::block_in_place(|| {
        for master in &*masters {
            eventually("a day on each", PATIENCE, || {
                (master.ask::<u32>(&["DBSIZE"]) > 0).then_some(())
            });
        }
    });
    regulars.leave().await;

    while_it_happens(&stage, 6, async {
        stage.fault();
        masters[0].ask::<()>(&["FLUSHALL"]);
        stage.log.serves(10).await;
        stage.fault();
        masters[0].kill();
        replica.may_take_over();
        tokio::task::block_in_place(|| replica.is_promoted());
        stage.log.serves(10).await;
        stage.fault();
        masters[1].kill();
        masters[1].run();
        stage.log.serves(10).await;
    })
    .await;
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(60, 5_000, (stage.faults(), 3));
}
