//! Where it is decided who is taken in. One for a process; everything that decides lies under one lock, which is never held
//! while anything waits.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::{
    class::Rank,
    counts::{Counts, Passed},
    limit::Limit,
    permit::{Ended, Permit, Place, Seat},
    seats::Seats,
    settings::Settings,
    usual::Usual,
    waiting::{Line, Spot, Waiting},
};

/// How many times its usual time a call may take at least, where the target is shorter than that.
const TIMES_USUAL: u32 = 4;

/// Little is going on while no more than this part of the limit is in work, and nobody waits.
const QUIET: usize = 4;

/// Exports may take a quarter of what people may.
const EXPORTS_SHARE: usize = 4;

#[derive(Debug)]
pub(super) struct Gate {
    pub(super) settings: Settings,
    state: Mutex<State>,
    is_pressed: AtomicBool,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    usual: Usual,
    waiting: Waiting<oneshot::Sender<Permit>>,
    waited_at: Option<Instant>,
    feeds: Seats,
    exports: Seats,
    counts: Counts,
}

/// A call of people that wants in.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) rank: Rank,
    pub(super) line: Line,
    pub(super) method: Option<usize>,
    pub(super) deadline: Option<Instant>,
}

/// What it is told.
#[derive(Debug)]
pub(super) enum Asked {
    In(Permit),
    Wait(Place),
    /// Its time cannot suffice.
    TooLate,
}

/// Which places a call takes that stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Feed,
    Export,
}

impl Gate {
    pub(super) fn new(now: Instant, settings: Settings) -> Self {
        let s = &settings;
        Self {
            state: Mutex::new(State {
                limit: Limit::new(now, s.floor, s.start, s.ceiling),
                usual: Usual::new(),
                waiting: Waiting::new(s.ceiling, s.queue, s.short_queue()),
                waited_at: None,
                feeds: Seats::new(s.feed_stays),
                exports: Seats::new(s.export_stalls),
                counts: Counts::default(),
            }),
            is_pressed: AtomicBool::new(false),
            settings,
        }
    }

    /// Whether people wait.
    pub(super) fn is_pressed(&self) -> bool {
        self.is_pressed.load(Ordering::Relaxed)
    }

    pub(super) fn counts(&self) -> Counts {
        let state = self.lock();
        Counts {
            waiting: state.waiting.len(),
            limit: state.limit.now(),
            feeds_open: state.feeds.len(),
            exports_open: state.exports.len(),
            ..state.counts
        }
    }

    /// A call of people comes.
    pub(super) fn ask(self: &Arc<Self>, now: Instant, ask: Ask) -> Asked {
        let mut state = self.lock();
        if state.counts.in_flight < state.limit.now() {
            return Asked::In(self.permit(&mut state, now, ask.method));
        }
        state.limit.reached();
        state.waited_at = Some(now);
        let mut until = state.waiting.until(now, ask.rank, &ask.line);
        if let Some(deadline) = ask.deadline {
            let usual = state.usual.of(ask.method).unwrap_or_default();
            match deadline.checked_sub(usual) {
                Some(latest) if latest > now => until = until.min(latest),
                _ => {
                    state.counts.people.too_late += 1;
                    return Asked::TooLate;
                }
            }
        }
        state.counts.waited += 1;
        let (told, is_told) = oneshot::channel();
        // Whoever had to leave hears of it when its sender is dropped.
        let (spot, _) = state.waiting.push(now, ask.rank, ask.line, until, told);
        self.press(&state);
        drop(state);
        Asked::Wait(Place::new(self, spot, until, is_told, ask.method))
    }

    /// Somebody gave up waiting.
    pub(super) fn give_up(&self, spot: &Spot) {
        let mut state = self.lock();
        state.waiting.remove(spot);
        self.press(&state);
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.lock().counts);
    }

    /// A call has ended: its place is free.
    pub(super) fn leave(self: &Arc<Self>, now: Instant, permit: &Permit) {
        let mut state = self.lock();
        self.judge(&mut state, now, permit);
        state.counts.in_flight -= 1;
        while state.counts.in_flight < state.limit.now() {
            let Some(next) = state.waiting.next(now) else {
                break;
            };
            let permit = self.permit(&mut state, now, None);
            if let Err(unsent) = next.send(permit) {
                // It gave up at this moment. Not by its drop, which would take the lock that is held.
                unsent.forget();
                state.counts.in_flight -= 1;
                state.counts.people.admitted -= 1;
            }
        }
        if !state.waiting.is_empty() {
            state.waited_at = Some(now);
            state.limit.reached();
        }
        self.press(&state);
    }

    /// Takes a place for a call that stays open.
    pub(super) fn sit(self: &Arc<Self>, now: Instant, kind: Kind, whose: &str) -> Option<Seat> {
        let mut state = self.lock();
        let given = match kind {
            Kind::Feed => state.feeds.take(now, whose, self.settings.max_feeds),
            Kind::Export => self.export(&mut state, now, whose),
        };
        let passed = state.passed(kind);
        let Some(given) = given else {
            passed.refused += 1;
            return None;
        };
        passed.admitted += 1;
        state.counts.displaced += u64::from(given.is_displacing);
        Some(Seat::new(self, kind, given))
    }

    pub(super) fn touch(&self, now: Instant, id: u64) {
        self.lock().exports.touch(now, id);
    }

    pub(super) fn stand_up(&self, kind: Kind, id: u64) {
        let mut state = self.lock();
        match kind {
            Kind::Feed => state.feeds.leave(id),
            Kind::Export => state.exports.leave(id),
        }
    }

    /// While people wait, or have just waited, one export at a time goes on: few, but never none.
    fn export(&self, state: &mut State, now: Instant, whose: &str) -> Option<super::seats::Given> {
        let recently = self.settings.queue / 5;
        let is_pressed = !state.waiting.is_empty()
            || state
                .waited_at
                .is_some_and(|at| now.saturating_duration_since(at) < recently);
        let share = (state.limit.now() / EXPORTS_SHARE).min(self.settings.max_exports);
        let most = if is_pressed { 1 } else { share.max(1) };
        state.exports.take(now, whose, most)
    }

    /// What the time that a call took says.
    fn judge(&self, state: &mut State, now: Instant, permit: &Permit) {
        let took = now.saturating_duration_since(permit.since);
        let usual = state.usual.of(permit.method);
        match permit.ended {
            Ended::Answered if permit.is_quiet && state.is_quiet() => {
                state.usual.learn(permit.method, took);
            }
            Ended::Answered => {}
            Ended::Refused => return,
            // What was cut off would have taken longer: that counts only where it is long already.
            Ended::CutOff if took < usual.unwrap_or(self.settings.target) => return,
            Ended::CutOff => {}
        }
        let may = (usual.unwrap_or_default() * TIMES_USUAL).max(self.settings.target);
        let slowness = took.as_secs_f64() / may.max(Duration::from_micros(1)).as_secs_f64();
        state.limit.sample(now, permit.since, slowness);
    }

    fn permit(self: &Arc<Self>, state: &mut State, now: Instant, method: Option<usize>) -> Permit {
        let counts = &mut state.counts;
        counts.in_flight += 1;
        counts.most_in_flight = counts.most_in_flight.max(counts.in_flight);
        counts.people.admitted += 1;
        Permit::new(self, now, method, state.is_quiet())
    }

    fn press(&self, state: &State) {
        let is_pressed = !state.waiting.is_empty();
        self.is_pressed.store(is_pressed, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_quiet(&self) -> bool {
        let little = (self.limit.now() / QUIET).max(1);
        self.counts.in_flight <= little && self.waiting.is_empty()
    }

    fn passed(&mut self, kind: Kind) -> &mut Passed {
        match kind {
            Kind::Feed => &mut self.counts.feeds,
            Kind::Export => &mut self.counts.exports,
        }
    }
}
