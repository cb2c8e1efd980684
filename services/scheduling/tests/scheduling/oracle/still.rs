//! Nothing happens to the servers.

use super::{
    crowd::{CROWDS, PEOPLE, Regulars, rush},
    redis::Redis,
    stage::{self, Stage},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_of_ten_thousand_who_want_twenty_seats_twenty_have_one_and_all_are_answered() {
    ten_thousand(Redis::one()).await;
}

pub async fn ten_thousand(redis: Redis) {
    let _alone = CROWDS.lock().await;
    let Some(stage) = Stage::on(&redis, "still", (20, 0), 2).await else {
        return;
    };
    // Nothing expires here, however slow the machine is.
    stage.world.rules(stage::rules(60)).await;
    let rushed = rush(&stage, 0, PEOPLE).await;
    assert_eq!(rushed.counts(), (20, 9_980));
    let seen = stage.judged().await;
    seen.has_enough(20, 9_980, (0, 0));
    assert_eq!(seen.lost, 0, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_bb_9_2b_people_who_come_and_go_are_never_told_full_wrongly() {
    come_and_go(Redis::one()).await;
}

pub async fn come_and_go(redis: Redis) {
    let Some(stage) = Stage::on(&redis, "regulars", (3, 1), 2).await else {
        return;
    };
    let sweeps = stage.sweeps();
    let regulars = Regulars::start(&stage, 12);
    stage.log.serves(300).await;
    // Few find a free seat to move to, and how many is chance.
    stage.log.moves(5).await;
    regulars.leave().await;
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(250, 100, (0, 0));
    assert!(
        seen.moved >= 4 && seen.expired >= 3 && seen.repeated > 20,
        "vacuous: {seen}"
    );
    assert_eq!(seen.lost, 0, "{seen}");
}
