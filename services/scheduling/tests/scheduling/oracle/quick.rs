//! What takes seconds: each test provokes what one guard is there for, at the moment at which it matters.
//!
//! * the constraint (a row for each seat, by its key): two gates give out the same seats, whose rows are new;
//! * the fence (the epoch that a change names): the same with rows that were used before; a confirmation meets the sweep;
//! * the owner's guard: former owners and strangers act on a hold;
//! * capacity that is lowered while somebody takes one of the seats that are withdrawn;
//! * the atomicity of the gate's script: a crowd at one gate, of which the database refuses nobody.

use bangban_proto::bangban::scheduling::v1::{self as v1, Hold};
use bangban_slots::Counts;
use chrono::TimeDelta;
use futures::{
    FutureExt as _,
    future::{Either, ready, select},
};
use tokio::join;
use uuid::Uuid;

use super::{
    barrier::Barrier,
    calls::{Answer, Caller},
    crowd::{rush, somebody},
    judge,
    redis::Redis,
    stage::{self, Stage},
    truth::{HELD, Truth},
};
use crate::served::world::{ADMIN, CHEN_JUN, DISTRICT, World};

/// What two gates in memory say is "full" is wrong now and then, which is why a platform of two processes refuses them:
/// everything else must hold all the same.
async fn but_for_full(stage: &Stage) {
    stage.clears().await;
    let mut history = stage.history().await;
    history.calls.retain(|call| call.answer != Answer::Full);
    judge::judge(&history);
}

/// I1, which holds at every moment, whatever else is under way.
async fn one_at_a_time(stage: &Stage) {
    let (mut wrong, _) = judge::found(&stage.history().await);
    wrong.retain(|it| it.starts_with("I1"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_two_gates_that_know_nothing_of_each_other_give_no_seat_twice() {
    let Some(stage) = Stage::open("two_gates", "", (6, 0), 2).await else {
        return;
    };
    // Nothing expires here, however slow the machine is.
    stage.world.rules(stage::rules(60)).await;
    // Rows that are new, then rows that were used.
    for _ in 0..2 {
        stage.all_is_free().await;
        let barrier = Barrier::set(&stage).await;
        let both = async {
            // Both have read that the first seat is free, and are about to write.
            barrier.holds_back(2).await;
            barrier.lets_go().await;
        };
        let (one, two, slot) = (stage.caller(0), stage.caller(1), stage.slot(0));
        let (first, second) = (somebody(), somebody());
        let (first, second, ()) = join!(one.hold(&slot, &first), two.hold(&slot, &second), both);
        one_at_a_time(&stage).await;
        let rushed = rush(&stage, 0, 22).await;
        one_at_a_time(&stage).await;
        assert_eq!(rushed.counts(), (4, 18));
        for (caller, hold) in [(&one, first), (&two, second)] {
            let Answer::Held(hold) = hold else {
                panic!("{hold:?}")
            };
            assert_eq!(caller.release(&hold).await, Answer::GivenUp);
        }
        rushed.leave(&stage).await;
        stage.clears().await;
    }
    but_for_full(&stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_confirmation_that_meets_the_end_of_its_hold_is_not_undone_by_it() {
    let Some(stage) = Stage::open("end_of_hold", "", (1, 0), 2).await else {
        return;
    };
    // It ends when the confirmation is being written, however slow the machine is.
    stage.world.rules(stage::rules(60)).await;
    let caller = stage.caller(0);
    let Answer::Held(hold) = caller.hold(&stage.slot(0), &somebody()).await else {
        panic!("not held")
    };
    let barrier = Barrier::in_turn(&stage).await;
    let ends = async {
        // First the confirmation, then, when the hold is over, the sweep of another process.
        barrier.holds_back(1).await;
        let is_over = World::end_of(&hold) + TimeDelta::seconds(2);
        stage.world.advance_to(is_over).await;
        barrier.holds_back(2).await;
        barrier.lets_go().await;
    };
    let (answer, ()) = join!(caller.confirm(&hold), ends);
    assert!(matches!(answer, Answer::Booked(_)), "{answer:?}");
    but_for_full(&stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_neither_a_former_owner_nor_a_stranger_does_anything_to_a_hold() {
    let Some(stage) = Stage::open("owners", "", (1, 0), 1).await else {
        return;
    };
    let (caller, slot) = (stage.caller(0), stage.slot(0));
    let Answer::Held(former) = caller.hold(&slot, &somebody()).await else {
        panic!("not held")
    };
    // It expires, and its seat comes back; the next one lives while all is tried.
    stage.clears().await;
    stage.world.rules(stage::rules(60)).await;
    let Answer::Held(hold) = caller.hold(&slot, &somebody()).await else {
        panic!("not held")
    };
    assert!(hold.seat == former.seat && hold.epoch > former.epoch);
    let mut newer = former.clone();
    newer.epoch = hold.epoch;
    // The booking is right, and the seat had that epoch when it was another's, or has never had it.
    let with = |epoch| {
        let mut hold = hold.clone();
        hold.epoch = epoch;
        hold
    };
    let (stale, unheard_of) = (with(former.epoch), with(hold.epoch + 1));
    let stranger = stage.caller_as(&CHEN_JUN);
    for (name, who, theirs) in [
        ("the former owner", &caller, &former),
        ("the former owner who knows the epoch", &caller, &newer),
        ("a stranger", &stranger, &hold),
        ("an epoch of before", &caller, &stale),
        ("an epoch of nobody", &caller, &unheard_of),
    ] {
        refused_everything(name, who, theirs).await;
        let truth = Truth::read(&stage.world.store).await;
        let last = truth.changes.last().expect("a change");
        assert_eq!((last.state, &last.booking), (HELD, &hold.booking));
    }
    let answer = caller.confirm(&hold).await;
    assert!(matches!(answer, Answer::Booked(_)), "{answer:?}");
    stage.judged().await;
}

async fn refused_everything(name: &str, who: &Caller, hold: &Hold) {
    let answers = [
        who.confirm(hold).await,
        who.release(hold).await,
        who.extend(hold).await,
    ];
    let is_refused = |a: &Answer| matches!(a, Answer::Refused(_));
    assert!(answers.iter().all(is_refused), "{name}: {answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_seat_is_withdrawn_or_held_and_never_both() {
    let Some(stage) = Stage::open("withdrawn", "", (2, 0), 1).await else {
        return;
    };
    stage.world.rules(stage::rules(60)).await;
    let (caller, slot) = (stage.caller(0), stage.slot(0));
    let Answer::Held(first) = caller.hold(&slot, &somebody()).await else {
        panic!("not held")
    };
    let fewer = v1::ChangeSlotRequest {
        district: DISTRICT.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        slot: slot.clone(),
        capacity: 1,
        reason: "窗口减少".to_owned(),
        ..v1::ChangeSlotRequest::default()
    };
    let mut capacity = stage.world.capacity();
    let barrier = Barrier::on_slots(&stage).await;
    let (applicant, fewer) = (somebody(), stage.world.by(&ADMIN, fewer));
    let meanwhile = async {
        // The change has read that the second seat is free, and is about to write.
        barrier.holds_back(1).await;
        // Who takes that seat waits for the change; with it already, there is nothing to wait for.
        let hold = caller.hold(&slot, &applicant).boxed();
        let waits = barrier.holds_back(2).boxed();
        let hold = match select(hold, waits).await {
            Either::Left((answer, _)) => ready(answer).boxed(),
            Either::Right((_, hold)) => hold,
        };
        barrier.lets_go().await;
        hold.await
    };
    let (changed, second) = join!(capacity.change_slot(fewer), meanwhile);
    let day = changed.expect("changed").into_inner().day.expect("a day");
    assert_eq!(day.slots[0].capacity, 1, "the first has its seat");
    assert_eq!(second, Answer::Full, "two seats of one");
    let answer = caller.confirm(&first).await;
    assert!(matches!(answer, Answer::Booked(_)), "{answer:?}");
    one_at_a_time(&stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_the_gate_gives_each_seat_to_one_so_that_the_database_refuses_nobody() {
    one_gate(Redis::one()).await;
}

pub async fn one_gate(redis: Redis) {
    let Some(stage) = Stage::on(&redis, "one_gate", (20, 0), 2).await else {
        return;
    };
    // Nothing expires here, however slow the machine is.
    stage.world.rules(stage::rules(60)).await;
    for slot in 0..2 {
        let (one, two) = join!(rush(&stage, 2 * slot, 80), rush(&stage, 2 * slot + 1, 80));
        assert_eq!((one.counts(), two.counts()), ((20, 60), (20, 60)));
        join!(one.leave(&stage), two.leave(&stage));
    }
    let seen = stage.judged().await;
    seen.has_enough(80, 240, (0, 0));
    let counts = stage.counts();
    let all = |count: fn(Counts) -> u64| counts.iter().map(|c| count(*c)).sum::<u64>();
    // Who takes a seat while the machine stands still for seconds is given up by the audit: it may be another's as well.
    let given_up = all(|c| c.abandoned);
    let twice = [all(|c| c.refused), all(|c| c.drift_repaired)];
    assert!(
        twice.iter().all(|count| *count <= given_up),
        "seats were given to two: {counts:?}"
    );
}
