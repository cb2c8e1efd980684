//! I4 once more, by another's judgement: what was asked and answered for each slot is linearizable, as stateright's tester
//! sees it. A slot is a set of seats; taking one and freeing one are its operations.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

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

/// How long that may take.
const WITHIN: Duration = Duration::from_secs(120);

/// As many as are waited for of each slot, and how many are left of them at least where a history is cut.
const ENOUGH: (usize, usize) = (150, 100);

/// A slot as it would be if everybody came one after the other.
#[derive(Debug, Clone)]
struct Slot {
    capacity: u32,
    taken: BTreeSet<u32>,
}

#[derive(Debug, Clone, PartialEq)]
enum Op {
    /// Whichever seat is free, or the one that was taken behind the end of the history.
    Take(Option<u32>),
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
            Op::Take(wanted) => {
                let mut seats = (0..self.capacity).filter(|n| wanted.is_none_or(|w| w == *n));
                match seats.find(|seat| !self.taken.contains(seat)) {
                    Some(seat) => {
                        self.taken.insert(seat);
                        Ret::Taken(seat)
                    }
                    None => Ret::Full,
                }
            }
            Op::Free(seat) => {
                self.taken.remove(seat);
                Ret::Freed
            }
        }
    }

    /// Any free seat is as good as any other.
    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        match (op, ret) {
            (Op::Take(_), Ret::Taken(seat)) => *seat < self.capacity && self.taken.insert(*seat),
            (Op::Take(_), Ret::Full) => self.taken.len() == self.capacity as usize,
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
                all.push((call.from, call.to, Op::Take(None), Ret::Full));
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
            .map(|(from, to, ret)| (from, to, Op::Take(None), ret)),
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

/// The first [`MOST`] operations. What was under way when the next began has no end: it may have been done, and what it was
/// to take may have been freed by what is cut off.
fn cut(operations: &mut Vec<(i64, i64, Op, Ret)>) {
    let Some((until, ..)) = operations.get(MOST).cloned() else {
        return;
    };
    operations.truncate(MOST);
    operations.retain(|(_, to, _, ret)| *to < until || *ret != Ret::Full);
    for (_, to, op, ret) in operations {
        if *to >= until {
            *to = i64::MAX;
            if let (Op::Take(wanted), Ret::Taken(seat)) = (op, ret) {
                *wanted = Some(*seat);
            }
        }
    }
}

/// What the tester tries first, so that its search seldom turns back: a "full" changes nothing, and a seat that is not
/// freed yet misleads nobody.
fn kind((_, _, op, ret): &(i64, i64, Op, Ret)) -> u8 {
    match (op, ret) {
        (Op::Take(_), Ret::Full) => 0,
        (Op::Take(_), _) => 1,
        _ => 2,
    }
}

/// The tester knows threads, each of which does one thing after the other: an operation goes to one that is idle.
fn is_linearizable(capacity: u32, operations: &[(i64, i64, Op, Ret)]) -> bool {
    let mut events: Vec<(i64, bool, usize)> = Vec::new();
    for (n, (from, to, ..)) in operations.iter().enumerate() {
        // Of what happens in the same microsecond, beginnings come first: nothing is ordered that was not.
        events.push((*from, false, n));
        if *to < i64::MAX {
            events.push((*to, true, n));
        }
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
    let take = |from, to, ret| (from, to, Op::Take(None), ret);
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

#[test]
fn what_is_under_way_where_a_history_is_cut_may_have_been_done_or_not() {
    let take = |from, to, ret| (from, to, Op::Take(None), ret);
    let free = |from, to, seat| (from, to, Op::Free(seat), Ret::Freed);
    let mut long = vec![take(0, 1, Ret::Taken(0))];
    // Asked for early and had late, when what is cut off had made room for it.
    long.push(take(2, 100_000, Ret::Taken(0)));
    for n in 0..i64::try_from(MOST).unwrap_or_default() {
        long.push(take(10 * n + 10, 10 * n + 15, Ret::Full));
    }
    long.push(free(50_000, 60_000, 0));
    assert!(is_linearizable(1, &long));
    cut(&mut long);
    assert_eq!(long.len(), MOST);
    assert!(is_linearizable(1, &long));
    // Taken by who heard of it later: it may have been what made the slot full.
    let mut full = vec![take(0, 100_000, Ret::Taken(0))];
    full.extend(long.iter().filter(|o| o.3 == Ret::Full).cloned());
    full.extend((0..3).map(|n| take(90_000 + n, 90_001 + n, Ret::Full)));
    cut(&mut full);
    assert!(is_linearizable(1, &full));
    assert!(!is_linearizable(2, &full), "a seat was free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_what_is_asked_and_answered_for_a_slot_is_linearizable_also_while_redis_is_flushed()
{
    is_linearizable_on(Redis::one()).await;
}

/// Whether there are enough operations of each slot.
async fn has_enough(stage: &Stage) -> bool {
    let history = stage.history().await;
    let counts = stage
        .slots()
        .into_iter()
        .map(|slot| operations(&history, &slot).len());
    counts.min() >= Some(ENOUGH.0)
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
    let began = Instant::now();
    while !has_enough(&stage).await {
        assert!(began.elapsed() < WITHIN, "too few come");
        stage.log.serves(16 * days).await;
    }
    regulars.leave().await;
    let seen = stage.judged().await;
    sweeps.abort();
    seen.has_enough(60, 10, (stage.faults(), 5));
    let history = stage.history().await;
    for slot in stage.slots() {
        let mut operations = operations(&history, &slot);
        cut(&mut operations);
        println!("{slot}: {} operations", operations.len());
        assert!(operations.len() >= ENOUGH.1, "vacuous");
        assert!(
            is_linearizable(stage.capacity, &operations),
            "{slot}: {operations:#?}"
        );
    }
}
