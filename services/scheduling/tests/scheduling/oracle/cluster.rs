//! A Redis Cluster of three masters: days lie on all of them, one is flushed, one dies and is replaced, one comes back
//! empty.

use bangban_rig::{Cluster, eventually};

use super::{
    crowd::{CROWDS, Regulars, while_it_happens},
    stage::Stage,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_cluster_of_three_masters_serves_the_crowd_through_flush_death_and_failover() {
    let _alone = CROWDS.lock().await;
    let mut cluster = Cluster::start();
    let Some(stage) = Stage::open("cluster", &cluster.url(), (20, 2), 2).await else {
        return;
    };
    let sweeps = stage.sweeps();
    let regulars = Regulars::start(&stage, 6);
    stage.log.serves(20).await;
    let has_the_day = |server: &bangban_rig::Server| server.ask::<u32>(&["DBSIZE"]) > 0;
    let whose = cluster.masters.iter().position(has_the_day);
    let whose = whose.expect("the day lies somewhere");
    regulars.leave().await;

    while_it_happens(&stage, 6, async {
        stage.fault();
        cluster.masters[whose].ask::<()>(&["FLUSHALL"]);
        stage.log.serves(10).await;
        stage.fault();
        cluster.masters[whose].kill();
        if whose == 0 {
            let within = std::time::Duration::from_secs(20);
            tokio::task::block_in_place(|| {
                eventually("the replica takes over", within, || {
                    (cluster.replica.info("replication", "role") == "master").then_some(())
                });
            });
        } else {
            cluster.masters[whose].run();
        }
        stage.log.serves(10).await;
        let other = (whose + 1) % 3;
        stage.fault();
        cluster.masters[other].kill();
        if other != 0 {
            cluster.masters[other].run();
        }
        stage.log.serves(10).await;
    })
    .await;

    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(60, 5_000, (stage.faults(), 3));
}
