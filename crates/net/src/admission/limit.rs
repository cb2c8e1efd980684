//! How many calls may be in work at once: more while they are quick, fewer when they take too long (AIMD).
//!
//! A window is judged when it has lasted and holds enough calls. The measure is how long calls were in work beside how long
//! they may be; whatever makes them wait inside (processors, connections of a database, a lock) shows in it.

use std::time::Duration;

use tokio::time::Instant;

/// Shortest window.
const WINDOW: Duration = Duration::from_millis(100);

/// Fewest calls in a window.
const CALLS: u32 = 16;

/// What one call counts at most: one that hangs does not judge the others.
const MOST: f64 = 4.0;

/// The limit.
#[derive(Debug)]
pub(super) struct Limit {
    floor: f64,
    ceiling: f64,
    current: f64,
    /// Doubles until it falls for the first time, as TCP does.
    is_starting: bool,
    window: Window,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    /// Calls that were taken in before say nothing of the limit as it is now.
    counts_from: Instant,
    sum: f64,
    calls: u32,
    /// Whether the limit kept somebody out.
    was_reached: bool,
}

impl Limit {
    /// A limit that is never below `floor`, which is 1 or more, and never above `ceiling`.
    pub(super) fn new(now: Instant, floor: usize, start: usize, ceiling: usize) -> Self {
        let floor = floor.max(1) as f64;
        let ceiling = (ceiling as f64).max(floor);
        Self {
            floor,
            ceiling,
            current: (start as f64).clamp(floor, ceiling),
            is_starting: true,
            window: Window {
                since: now,
                counts_from: now,
                sum: 0.0,
                calls: 0,
                was_reached: false,
            },
        }
    }

    /// What it is.
    pub(super) fn now(&self) -> usize {
        self.current as usize
    }

    /// It kept somebody out.
    pub(super) fn reached(&mut self) {
        self.window.was_reached = true;
    }

    /// A call has ended that began at `began` and took `slowness` times what it may take.
    pub(super) fn sample(&mut self, now: Instant, began: Instant, slowness: f64) {
        let window = &mut self.window;
        if began < window.counts_from {
            return;
        }
        window.sum += slowness.clamp(0.0, MOST);
        window.calls += 1;
        if window.calls < CALLS || now.saturating_duration_since(window.since) < WINDOW {
            return;
        }
        let slowness = window.sum / f64::from(window.calls);
        let was_reached = window.was_reached;
        (window.since, window.sum, window.calls, window.was_reached) = (now, 0.0, 0, false);
        if slowness > 1.0 {
            window.counts_from = now;
            self.is_starting = false;
            self.current *= (1.0 / slowness).clamp(0.5, 0.95);
        } else if was_reached && self.is_starting {
            self.current *= 2.0;
        } else if was_reached {
            self.current += (self.ceiling / 64.0).max(1.0);
        }
        self.current = self.current.clamp(self.floor, self.ceiling);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sixteen calls that take a window together.
    fn window(limit: &mut Limit, at: &mut Instant, slowness: f64) -> usize {
        for _ in 0..CALLS {
            *at += WINDOW / CALLS;
            limit.sample(*at, *at, slowness);
        }
        limit.now()
    }

    #[test]
    fn it_doubles_until_calls_are_slow_and_then_feels_its_way() {
        let mut at = Instant::now();
        let mut limit = Limit::new(at, 4, 8, 64);
        assert_eq!(window(&mut limit, &mut at, 0.5), 8, "nobody was kept out");
        limit.reached();
        assert_eq!(window(&mut limit, &mut at, 0.5), 16);
        limit.reached();
        assert_eq!(window(&mut limit, &mut at, 2.0), 8);
        limit.reached();
        assert_eq!(window(&mut limit, &mut at, 0.5), 9);
        for _ in 0..10 {
            window(&mut limit, &mut at, 3.0);
        }
        assert_eq!(limit.now(), 4);
    }

    #[test]
    fn calls_from_before_a_change_do_not_change_it_again() {
        let mut at = Instant::now();
        let before = at;
        let mut limit = Limit::new(at, 4, 64, 64);
        assert_eq!(window(&mut limit, &mut at, 2.0), 32);
        for _ in 0..1000 {
            at += Duration::from_millis(1);
            limit.sample(at, before, 4.0);
        }
        assert_eq!(limit.now(), 32);
    }

    #[test]
    fn one_call_that_hangs_does_not_judge_the_others() {
        let mut at = Instant::now();
        let mut limit = Limit::new(at, 4, 64, 64);
        limit.sample(at, at, 1e9);
        assert_eq!(window(&mut limit, &mut at, 0.5), 64);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(
            floor in 0usize..50,
            start in 0usize..1000,
            ceiling in 0usize..500,
            steps in prop::collection::vec((0u64..200, 0u64..200, -1.0f64..1e6, any::<bool>()), 0..2000),
        ) {
            let mut at = Instant::now();
            let mut limit = Limit::new(at, floor, start, ceiling);
            for (pause, ago, slowness, is_reached) in steps {
                at += Duration::from_millis(pause);
                if is_reached {
                    limit.reached();
                }
                let began = at.checked_sub(Duration::from_millis(ago)).unwrap_or(at);
                limit.sample(at, began, slowness);
                let least = floor.max(1);
                prop_assert!(limit.now() >= least && limit.now() <= ceiling.max(least));
            }
        }
    }
}
