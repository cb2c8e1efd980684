//! What this process remembers of days between two looks at them. Losing it costs time, never truth.

use std::collections::{HashMap, HashSet};
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

/// Days on which somebody was told "full" or "try again".
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<HashSet<Day>>);

impl Noted {
    pub(crate) fn note(&self, day: &Day) {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if days.len() < REMEMBERED && !days.contains(day) {
            days.insert(day.clone());
        }
    }

    pub(crate) fn take(&self, limit: usize) -> Vec<Day> {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<Day> = days.iter().take(limit).cloned().collect();
        for day in &taken {
            days.remove(day);
        }
        taken
    }
}
