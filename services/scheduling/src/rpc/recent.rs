//! What this process remembers of requests and of those who hold seats, for some minutes. Losing it costs a question to the database.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bangban_learned::known::Known;
use bangban_proto::bangban::scheduling::v1::BookingPolicy;
use bangban_store::{Error, Now};

use crate::store::{
    Person, Seat, SlotKey, SlotRow,
    load::{Ahead, Loaded},
};

/// How long it is remembered.
const KEPT: Duration = Duration::from_secs(600);

/// Most that is remembered; then all is forgotten.
const MOST: usize = 100_000;

/// Most holds that are remembered with what was read for them, and slots; then all are forgotten.
const MOST_WHOLE: usize = 4096;

/// Most people who are remembered with what they have; then all are forgotten. Some 20 MB.
const MOST_PEOPLE: usize = 32_768;

/// How long a seat counts among those that a person has, behind its end: as long as the database is asked for it.
const BEHIND_US: i64 = 86_400_000_000;

type Kept<K, T> = Mutex<HashMap<K, (Instant, T)>>;

/// Which requests may have held a seat, what was read for those holds, and what another hold of the same slot, or by the same
/// people, may go by.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    holds: Kept<String, ()>,
    read: Kept<String, Box<Loaded>>,
    grounds: Kept<String, Ground>,
    slots: Kept<(String, SlotKey), (SlotRow, i64)>,
    people: Kept<String, (Person, Vec<Ahead>)>,
}

/// What holds of a district are judged by, and when it was so.
#[derive(Debug, Clone)]
struct Ground {
    now: Now,
    known: Arc<Known>,
    revision: i64,
    changes: i64,
    policy: BookingPolicy,
}

fn get<K: Hash + Eq + Borrow<Q>, Q: Hash + Eq + ?Sized, T: Clone>(
    map: &Kept<K, T>,
    key: &Q,
    kept: Duration,
) -> Option<T> {
    let map = map.lock().unwrap_or_else(PoisonError::into_inner);
    let (at, value) = map.get(key)?;
    (at.elapsed() < kept).then(|| value.clone())
}

fn put<K: Hash + Eq, T>(map: &Kept<K, T>, key: K, value: T, most: usize) {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    if map.len() >= most {
        map.clear();
    }
    map.insert(key, (Instant::now(), value));
}

/// What was written by what is remembered; none where it could not be, so that the database is read.
pub(super) fn unread<T>(written: Result<T, Error>) -> Option<T> {
    match written {
        Ok(written) => Some(written),
        Err(Error::Conflict | Error::Taken(_) | Error::Refused(_)) => None,
        Err(error) => {
            tracing::warn!(%error, "nothing can be written by what is remembered; the database is read");
            None
        }
    }
}

impl Recent {
    /// Whether a request may have held a seat here.
    pub(crate) fn has_held(&self, key: &str) -> bool {
        get(&self.holds, key, KEPT).is_some()
    }

    pub(crate) fn held(&self, key: &str) {
        put(&self.holds, key.to_owned(), (), MOST);
    }

    /// Remembers a hold that was written just now, with what was read for it and the person as they were written.
    pub(crate) fn read(&self, seat: Seat, person: Person, mut loaded: Box<Loaded>) {
        let mut ahead = std::mem::take(&mut loaded.ahead);
        // One that expires counts on: it may become an appointment without a change of the person's row.
        for seat in &mut ahead {
            seat.is_held = false;
        }
        ahead.push(Ahead::of(&seat));
        put(
            &self.people,
            person.id.clone(),
            (person, ahead),
            MOST_PEOPLE,
        );
        let booking = seat.booking.clone();
        loaded.seat = Some(seat);
        loaded.own_seat = None;
        put(&self.read, booking, loaded, MOST_WHOLE);
    }

    /// Remembers what was read of a slot and its district.
    pub(crate) fn saw(&self, slot: &SlotKey, loaded: &Loaded) {
        let (Some(revision), Some(found)) = (loaded.revision, &loaded.slot) else {
            return;
        };
        let district = &loaded.person.district;
        let ground = Ground {
            now: loaded.now,
            known: Arc::clone(&loaded.known),
            revision,
            changes: loaded.changes,
            policy: loaded.policy.clone(),
        };
        put(&self.grounds, district.clone(), ground, MOST_WHOLE);
        let key = (district.clone(), slot.clone());
        let found = (found.clone(), loaded.changes);
        put(&self.slots, key, found, MOST_WHOLE);
    }

    /// What is remembered of a slot and its district, as if it had been read now for a hold of a seat that was never used;
    /// of the person it says nothing. None where it is not remembered.
    pub(crate) fn ground(&self, district: &str, slot: &SlotKey) -> Option<Box<Loaded>> {
        let key = (district.to_owned(), slot.clone());
        let (found, changes) = get(&self.slots, &key, KEPT)?;
        let grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, ground) = grounds.get(district)?;
        let (mut ground, since) = (ground.clone(), at.elapsed());
        drop(grounds);
        ground.now.at += since;
        Some(Box::new(Loaded {
            now: ground.now,
            is_repeated: false,
            known: ground.known,
            revision: Some(ground.revision),
            // Both are what they were where nothing has changed since the first of them was read.
            changes: changes.min(ground.changes),
            policy: ground.policy,
            is_published: true,
            slot: Some(found),
            seat: None,
            person: Person::new(district, ""),
            ahead: Vec::new(),
            booking: None,
            own_seat: None,
        }))
    }

    /// Puts a person and what they have on a ground, where that is remembered.
    pub(crate) fn takes(&self, ground: &mut Loaded, applicant: &str) -> bool {
        let Some((person, mut ahead)) = get(&self.people, applicant, KEPT) else {
            return false;
        };
        if person.district != ground.person.district {
            return false;
        }
        let now_us = ground.now.us();
        ahead.retain(|seat| seat.ends_us > now_us - BEHIND_US);
        (ground.person, ground.ahead) = (person, ahead);
        true
    }

    /// What was read for a hold, with the time that it is by now; it is remembered no more.
    pub(crate) fn forgotten(&self, booking: &str) -> Option<Box<Loaded>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, mut loaded) = read.remove(booking)?;
        loaded.now.at += at.elapsed();
        Some(loaded)
    }
}
