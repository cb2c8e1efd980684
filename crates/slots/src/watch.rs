//! What this process remembers of days between two looks at them. Losing it costs time, never truth.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Day;

/// More is forgotten: what is still wrong is noticed anew.
const REMEMBERED: usize = 10_000;

/// Since when something has been seen unchanged.
#[derive(Debug)]
pub(crate) struct Since<K, V>(Mutex<HashMap<K, (V, Instant)>>);

impl<K, V> Default for Since<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Hash + Eq, V: PartialEq + Copy> Since<K, V> {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, (V, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long `value` has been seen at `key`, this time included.
    pub(crate) fn see(&self, key: K, value: V) -> Duration {
        let mut seen = self.lock();
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        let entry = seen.entry(key).or_insert((value, Instant::now()));
        if entry.0 != value {
            *entry = (value, Instant::now());
        }
        entry.1.elapsed()
    }

    /// What is at `key`, if it has been there for `long`.
    pub(crate) fn longer_than(&self, key: &K, long: Duration) -> Option<V> {
        self.lock()
            .get(key)
            .filter(|(_, since)| since.elapsed() >= long)
            .map(|(value, _)| *value)
    }

    pub(crate) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }
}

/// Days that are in use, in the order in which they are to be compared: each soon after it was used, but not sooner than
/// `rest` after the last time.
#[derive(Debug)]
pub(crate) struct InUse {
    rest: Duration,
    days: Mutex<Turns>,
}

#[derive(Debug, Default)]
struct Turns {
    /// Whether each was used since it was taken last.
    used: HashMap<Day, bool>,
    /// From when on each may be taken.
    order: BTreeSet<(Instant, Day)>,
}

impl InUse {
    pub(crate) fn new(rest: Duration) -> Self {
        Self {
            rest,
            days: Mutex::default(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Turns> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note<'a>(&self, days: impl IntoIterator<Item = &'a Day>) {
        let turns = &mut *self.lock();
        for day in days {
            if let Some(is_used) = turns.used.get_mut(day) {
                *is_used = true;
            } else if turns.used.len() < REMEMBERED {
                turns.used.insert(day.clone(), true);
                turns.order.insert((Instant::now(), day.clone()));
            }
        }
    }

    /// Whether a day has a turn before it, or had one within a rest.
    pub(crate) fn has(&self, day: &Day) -> bool {
        self.lock().used.contains_key(day)
    }

    /// Up to `limit` days whose turn it is; the one that has waited longest first.
    pub(crate) fn take(&self, limit: usize) -> Vec<Day> {
        let turns = &mut *self.lock();
        let now = Instant::now();
        let mut taken = Vec::new();
        while taken.len() < limit
            && turns.order.first().is_some_and(|(from, _)| *from <= now)
            && let Some((_, day)) = turns.order.pop_first()
        {
            if turns.used.insert(day.clone(), false) != Some(true) {
                // It has rested, and nobody has used it meanwhile.
                turns.used.remove(&day);
                continue;
            }
            turns.order.insert((now + self.rest, day.clone()));
            taken.push(day);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(site: usize) -> Day {
        let on = chrono::NaiveDate::default();
        Day::new("zigui", &format!("site-{site:05}"), on).unwrap()
    }

    #[test]
    fn a_day_that_is_used_all_the_time_has_its_turn_once_in_a_rest() {
        let rest = Duration::from_millis(60);
        let in_use = InUse::new(rest);
        // Before and behind each turn.
        let mut turns: Vec<(Instant, Instant)> = Vec::new();
        let began = Instant::now();
        while turns.len() < 3 {
            assert!(began.elapsed() < Duration::from_secs(60), "{turns:?}");
            in_use.note([&day(1)]);
            let before = Instant::now();
            if in_use.take(10) == [day(1)] {
                turns.push((before, Instant::now()));
            }
        }
        let are_apart = |pair: &[(Instant, Instant)]| pair[1].1 - pair[0].0 >= rest;
        assert!(turns.windows(2).all(are_apart), "{turns:?}");
    }

    #[test]
    fn each_use_is_followed_by_a_turn_and_a_day_out_of_use_has_none() {
        let in_use = InUse::new(Duration::from_secs(3600));
        in_use.note([&day(1)]);
        assert_eq!(in_use.take(10), [day(1)]);
        // While it rests.
        in_use.note([&day(1)]);
        assert_eq!(in_use.take(10), []);

        let in_use = InUse::new(Duration::from_millis(30));
        let rested = || std::thread::sleep(Duration::from_millis(40));
        in_use.note([&day(1)]);
        assert_eq!(in_use.take(10), [day(1)]);
        in_use.note([&day(1)]);
        rested();
        assert_eq!(in_use.take(10), [day(1)]);
        assert!(in_use.has(&day(1)) && !in_use.has(&day(2)));
        rested();
        assert_eq!(in_use.take(10), []);
        assert!(!in_use.has(&day(1)));
        assert!(in_use.lock().used.is_empty() && in_use.lock().order.is_empty());
    }

    #[test]
    fn whoever_waits_longest_is_next_however_often_others_are_used() {
        let in_use = InUse::new(Duration::ZERO);
        let days: Vec<Day> = (0..50).map(day).collect();
        let mut turns = HashMap::new();
        for _ in 0..50 {
            in_use.note(&days);
            for day in in_use.take(10) {
                *turns.entry(day).or_insert(0) += 1;
            }
        }
        assert_eq!(turns.len(), 50);
        assert!(turns.values().all(|n| (9..=11).contains(n)), "{turns:?}");
    }

    #[test]
    fn what_is_remembered_of_days_is_bounded() {
        let in_use = InUse::new(Duration::from_secs(60));
        let days: Vec<Day> = (0..REMEMBERED + 100).map(day).collect();
        in_use.note(&days);
        in_use.note(&days);
        assert_eq!(in_use.take(usize::MAX).len(), REMEMBERED);
        let turns = in_use.lock();
        assert_eq!(
            (turns.used.len(), turns.order.len()),
            (REMEMBERED, REMEMBERED)
        );
    }
}
