//! What this process remembers of people and requests for some minutes. Losing it costs a question to the database.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::store::{Seat, load::Loaded};

/// How long it is remembered.
const KEPT: Duration = Duration::from_secs(600);

/// How long it is without a doubt what somebody is: directory's feed takes about as long.
const CERTAIN: Duration = Duration::from_secs(2);

/// Most that is remembered; then all is forgotten.
const MOST: usize = 100_000;

/// Most holds that are remembered with what was read for them; then all are forgotten.
const MOST_HOLDS: usize = 4096;

/// Whether people are of special groups, which requests have held a seat, and what was read for those holds.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    specials: Mutex<HashMap<String, (Instant, bool)>>,
    holds: Mutex<HashMap<String, (Instant, ())>>,
    read: Mutex<HashMap<String, (Instant, Loaded)>>,
}

fn get<T: Copy>(
    map: &Mutex<HashMap<String, (Instant, T)>>,
    key: &str,
    kept: Duration,
) -> Option<T> {
    let map = map.lock().unwrap_or_else(PoisonError::into_inner);
    let (at, value) = map.get(key)?;
    (at.elapsed() < kept).then_some(*value)
}

fn put<T>(map: &Mutex<HashMap<String, (Instant, T)>>, key: &str, value: T, most: usize) {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    if map.len() >= most {
        map.clear();
    }
    map.insert(key.to_owned(), (Instant::now(), value));
}

impl Recent {
    /// Whether a person is of a special group, as far as it is remembered.
    pub(crate) fn is_special(&self, applicant: &str) -> Option<bool> {
        get(&self.specials, applicant, KEPT)
    }

    /// Whether a person may be of another group by now than what is remembered.
    pub(crate) fn doubts(&self, applicant: &str) -> bool {
        get(&self.specials, applicant, CERTAIN).is_none()
    }

    pub(crate) fn learned(&self, applicant: &str, is_special: bool) {
        put(&self.specials, applicant, is_special, MOST);
    }

    /// Whether a request has held a seat here.
    pub(crate) fn has_held(&self, key: &str) -> bool {
        get(&self.holds, key, KEPT).is_some()
    }

    pub(crate) fn held(&self, key: &str) {
        put(&self.holds, key, (), MOST);
    }

    /// Remembers a hold that was written just now, with what was read for it.
    pub(crate) fn read(&self, seat: Seat, loaded: Loaded) {
        let booking = seat.booking.clone();
        let loaded = Loaded {
            seat: Some(seat),
            own_seat: None,
            ..loaded
        };
        put(&self.read, &booking, loaded, MOST_HOLDS);
    }

    /// What was read for a hold, with the time that it is by now; it is remembered no more.
    pub(crate) fn forgotten(&self, booking: &str) -> Option<Loaded> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, mut loaded) = read.remove(booking)?;
        loaded.now.at += at.elapsed();
        Some(loaded)
    }
}
