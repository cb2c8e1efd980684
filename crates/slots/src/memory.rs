//! The gate of a platform that is one process. Lost with it, and rebuilt from the database by the next.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::value::{self, Began, Correction, DayValue, PickAnswer, Ticket};
use crate::{Day, Place, Who};

/// Memory is not replaced behind anybody's back: one generation for ever.
const GENERATION: i64 = 0;

#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<Day, Kept>>);

#[derive(Debug)]
struct Kept {
    value: DayValue,
    until: Instant,
}

/// What happens to a day does not change how long it is kept.
fn as_before<T>(_: &T) -> Option<Duration> {
    None
}

impl Memory {
    /// Changes a day; `keep` says by the answer for how long it is kept from now on, as Redis does when it is set.
    fn with<T>(
        &self,
        day: &Day,
        keep: impl FnOnce(&T) -> Option<Duration>,
        change: impl FnOnce(&mut Option<DayValue>) -> T,
    ) -> T {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (mut value, mut until) = match days.remove(day).filter(|kept| kept.until > now) {
            Some(kept) => (Some(kept.value), kept.until),
            None => (None, now),
        };
        let answer = change(&mut value);
        if let Some(keep) = keep(&answer) {
            days.retain(|_, kept| kept.until > now);
            until = now + keep;
        }
        if let Some(value) = value {
            days.insert(day.clone(), Kept { value, until });
        }
        answer
    }

    pub(crate) fn pick(&self, day: &Day, slot: u16, who: Who) -> PickAnswer {
        self.with(day, as_before, |value| {
            value::pick(value, GENERATION, slot, who)
        })
    }

    pub(crate) fn settle(&self, day: &Day, ticket: Ticket, mark: [u8; 2]) -> bool {
        self.with(day, as_before, |value| {
            value::settle(value, GENERATION, ticket, mark)
        })
    }

    pub(crate) fn free_up(&self, day: &Day, leaving: &[Place], lifted: Option<u16>) -> i64 {
        self.with(day, as_before, |value| {
            value::free_up(value, GENERATION, leaving, lifted)
        });
        GENERATION
    }

    pub(crate) fn freed(&self, day: &Day, places: &[Place]) {
        self.with(day, as_before, |value| {
            value::freed(value, GENERATION, places)
        });
    }

    pub(crate) fn forget(&self, day: &Day) {
        self.with(day, as_before, |value| *value = None);
    }

    pub(crate) fn begin(
        &self,
        day: &Day,
        token: u64,
        abandoned: Option<u64>,
        keep: Duration,
    ) -> (Began, i64) {
        let is_kept = |began: &Began| (*began == Began::Yes).then_some(keep);
        let began = self.with(day, is_kept, |value| {
            value::begin(value, GENERATION, token, abandoned)
        });
        (began, GENERATION)
    }

    pub(crate) fn finish(&self, day: &Day, picture: DayValue, keep: Duration) -> bool {
        let is_kept = |is_done: &bool| is_done.then_some(keep);
        self.with(day, is_kept, |value| value::finish(value, picture))
    }

    pub(crate) fn mend(
        &self,
        day: &Day,
        seen: &DayValue,
        corrections: &[Correction],
        drift: u64,
    ) -> (u16, u16) {
        self.with(day, as_before, |value| {
            value::mend(value, seen, corrections, drift)
        })
    }

    pub(crate) fn get(&self, wanted: &[Day]) -> Vec<Option<DayValue>> {
        let days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        wanted
            .iter()
            .map(|day| {
                days.get(day)
                    .filter(|kept| kept.until > now)
                    .map(|kept| kept.value.clone())
                    .filter(|v| v.is_ready(GENERATION))
            })
            .collect()
    }
}
