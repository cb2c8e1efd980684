//! I4 once more, by another's judgement: what was asked and answered for each slot is linearizable, as stateright's tester
//! sees it. A slot is a set of seats; taking one and freeing one are its operations.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester, SequentialSpec};

use super::{
    calls::{Answer, Asked},
    crowd::Regulars,
    judge::History,
    redis::Redis,
    stage::Stage,
    truth::{COOLING, FREE},
};

/// Most operations of a slot: the tester's search is exponential at worst.
const MOST: usize = 200;

/// A slot as it would be if everybody came one after the other.
#[derive(Debug, Clone)]
struct Slot {
    capacity: u32,
    taken: BTreeSet<u32>,
}

#[derive(Debug, Clone, PartialEq)]
enum Op {
    Take,
    Free(u32),
}

#[derive(Debug, Clone, PartialEq)]
enum Ret {
    Taken(u32),
    Full,
    Freed,
}

impl SequentialSpec for Slot {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        match op {
            Op::Take => match (0..self.capacity).find(|seat| !self.taken.contains(seat)) {
                Some(seat) => {
                    self.taken.insert(seat);
                    Ret::Taken(seat)
                }
                None => Ret::Full,
            },
            Op::Free(seat) => {
                self.taken.remove(seat);
                Ret::Freed
            }
        }
    }

    /// Any free seat is as good as any other.
    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        match (op, ret) {
            (Op::Take, Ret::Taken(seat)) => *seat < self.capacity && self.taken.insert(*seat),
            (Op::Take, Ret::Full) => self.taken.len() == self.capacity as usize,
            (Op::Free(seat), Ret::Freed) => self.taken.remove(seat),
            _ => false,
        }
    }
}

/// Operations of a slot: when they began and ended, and what came of them.
fn operations(history: &History, slot: &str) -> Vec<(i64, i64, Op, Ret)> {
    let mut all = Vec::new();
    // One request that was sent twice takes one seat, before the first answer; or two, of which the first was free again
    // before the second was asked for: then under another epoch.
    let mut takes: HashMap<(&str, u32, u64), (i64, i64, Ret)> = HashMap::new();
    for call in &history.calls {
        let is_here = match &call.asked {
            Asked::Hold { slot: asked, .. } => asked == slot,
            Asked::Move { to, .. } => to == slot,
            _ => false,
        };
        let (seat, epoch) = match &call.answer {
            _ if !is_here => continue,
            Answer::Held(hold) => (hold.seat, hold.epoch),
            Answer::Booked(booking) => (booking.seat, booking.epoch),
            Answer::Full => {
                all.push((call.from, call.to, Op::Take, Ret::Full));
                continue;
            }
            _ => continue,
        };
        let taken = (call.from, call.to, Ret::Taken(seat));
        let take = takes.entry((&call.key, seat, epoch)).or_insert(taken);
        (take.0, take.1) = (call.from.min(take.0), call.to.min(take.1));
    }
    all.extend(
        takes
            .into_values()
            .map(|(from, to, ret)| (from, to, Op::Take, ret)),
    );
    // A seat is freed between being let go and being written free.
    for ((of, seat), changes) in history.truth.by_seat() {
        if of != slot {
            continue;
        }
        for pair in changes.windows(2) {
            if pair[0].state == COOLING && pair[1].state == FREE {
                all.push((pair[0].at, pair[1].at, Op::Free(seat), Ret::Freed));
            }
        }
    }
    all.sort_by_key(|(from, ..)| *from);
    all
}

/// What the tester tries first, so that its search seldom turns back: a "full" changes nothing, and a seat that is not
/// freed yet misleads nobody.
fn kind((_, _, op, ret): &(i64, i64, Op, Ret)) -> u8 {
    match (op, ret) {
        (Op::Take, Ret::Full) => 0,
        (Op::Take, _) => 1,
        _ => 2,
    }
}

/// The tester knows threads, each of which does one thing after the other: an operation goes to one that is idle.
fn is_linearizable(capacity: u32, operations: &[(i64, i64, Op, Ret)]) -> bool {
    let mut events: Vec<(i64, bool, usize)> = Vec::new();
    for (n, (from, to, ..)) in operations.iter().enumerate() {
        // Of what happens in the same microsecond, beginnings come first: nothing is ordered that was not.
        events.extend([(*from, false, n), (*to, true, n)]);
    }
    events.sort();
    let slot = Slot {
        capacity,
        taken: BTreeSet::new(),
    };
    let mut tester = LinearizabilityTester::new(slot);
    let mut busy: BTreeMap<(u8, usize), usize> = BTreeMap::new();
    for (_, is_end, n) in events {
        let (_, _, op, ret) = &operations[n];
        let noted = if is_end {
            let thread = busy
                .iter()
                .find(|(_, of)| **of == n)
                .map(|(thread, _)| *thread);
            let thread = thread.expect("it began");
            busy.remove(&thread);
            tester.on_return(thread, ret.clone())
        } else {
            let kind = kind(&operations[n]);
            let idle = (0..)
                .map(|thread| (kind, thread))
                .find(|t| !busy.contains_key(t));
            let thread = idle.expect("one more");
            busy.insert(thread, n);
            tester.on_invoke(thread, op.clone())
        };
        noted.expect("a history");
    }
    tester.is_consistent()
}

#[test]
fn the_tester_finds_a_full_while_a_seat_was_free_and_a_seat_that_is_given_twice() {
    let take = |from, to, ret| (from, to, Op::Take, ret);
    let right = [
        take(0, 10, Ret::Taken(0)),
        take(5, 15, Ret::Full),
        (20, 30, Op::Free(0), Ret::Freed),
        take(25, 40, Ret::Taken(0)),
    ];
    assert!(is_linearizable(1, &right));
    let mut wrong = right.to_vec();
    wrong.push(take(50, 60, Ret::Full));
    assert!(is_linearizable(1, &wrong));
    assert!(!is_linearizable(2, &wrong), "a seat was free");
    let mut wrong = right.to_vec();
    wrong.push(take(50, 60, Ret::Taken(0)));
    assert!(!is_linearizable(1, &wrong), "it is somebody's");
    let late = [
        take(0, 10, Ret::Taken(0)),
        (20, 30, Op::Free(0), Ret::Freed),
        take(31, 40, Ret::Full),
    ];
    assert!(!is_linearizable(1, &late), "it had been freed before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_what_is_asked_and_answered_for_a_slot_is_linearizable_also_while_redis_is_flushed()
{
    is_linearizable_on(Redis::one()).await;
}

pub async fn is_linearizable_on(mut redis: Redis) {
    let Some(stage) = Stage::on(&redis, "linear", (2, 0), 2).await else {
        return;
    };
    let days = stage.days.len();
    let sweeps = stage.sweeps();
    let regulars = Regulars::start(&stage, 4);
    for n in 0..4 {
        stage.log.serves(16 * days).await;
        stage.fault();
        redis.masters()[n % days].ask::<()>(&["FLUSHALL"]);
    }
    stage.fault();
    redis.masters()[0].kill();
    redis.masters()[0].run();
    stage.log.serves(16 * days).await;
    regulars.leave().await;
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(60, 10, (stage.faults(), 5));
    let history = stage.history().await;
    for slot in stage.slots() {
        let mut operations = operations(&history, &slot);
        assert!(operations.len() >= 20, "vacuous: {}", operations.len());
        operations.truncate(MOST);
        println!("{slot}: {} operations", operations.len());
        assert!(
            is_linearizable(stage.capacity, &operations),
            "{slot}: {operations:#?}"
        );
    }
}
