//! Places for calls that stay open. When all are taken, the one that has gone on longest makes room, of the caller who holds
//! most: nobody waits for ever, and whoever made room goes on from where it was.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The places.
#[derive(Debug)]
pub(super) struct Seats {
    held: Vec<Held>,
    next_id: u64,
    /// How long a place is safe.
    stays: Duration,
}

#[derive(Debug)]
struct Held {
    id: u64,
    whose: String,
    since: Instant,
    end: CancellationToken,
}

/// A place that was given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) id: u64,
    /// Told when the place is given to somebody else.
    pub(super) end: CancellationToken,
    /// Whether somebody had to make room.
    pub(super) is_displacing: bool,
}

impl Seats {
    pub(super) fn new(stays: Duration) -> Self {
        Self {
            held: Vec::new(),
            next_id: 0,
            stays,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// A place among `most`, if there is one.
    pub(super) fn take(&mut self, now: Instant, whose: &str, most: usize) -> Option<Given> {
        let is_displacing = self.held.len() >= most;
        if is_displacing {
            let at = self.oldest_of_the_greediest(now)?;
            self.held.remove(at).end.cancel();
        }
        let id = self.next_id;
        self.next_id += 1;
        let end = CancellationToken::new();
        self.held.push(Held {
            id,
            whose: whose.to_owned(),
            since: now,
            end: end.clone(),
        });
        Some(Given {
            id,
            end,
            is_displacing,
        })
    }

    /// The place is safe again from now on.
    pub(super) fn touch(&mut self, now: Instant, id: u64) {
        if let Some(held) = self.held.iter_mut().find(|held| held.id == id) {
            held.since = now;
        }
    }

    /// Gives a place back; nothing when somebody else has it already.
    pub(super) fn leave(&mut self, id: u64) {
        self.held.retain(|held| held.id != id);
    }

    fn oldest_of_the_greediest(&self, now: Instant) -> Option<usize> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for held in &self.held {
            *counts.entry(&held.whose).or_default() += 1;
        }
        let most = counts.values().max()?;
        let greedy = self.held.iter().enumerate();
        let greedy = greedy.filter(|(_, held)| counts.get(held.whose.as_str()) == Some(most));
        let (at, oldest) = greedy.min_by_key(|(_, held)| held.since)?;
        (now.saturating_duration_since(oldest.since) >= self.stays).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_most_makes_room_with_the_oldest_and_not_before_its_time() {
        let mut at = Instant::now();
        let second = Duration::from_secs(1);
        let mut seats = Seats::new(10 * second);
        let mut given = Vec::new();
        for whose in ["modest", "greedy", "greedy"] {
            given.push(seats.take(at, whose, 3).unwrap());
            at += second;
        }
        assert!(seats.take(at, "new", 3).is_none());
        at += 10 * second;
        assert!(seats.take(at, "new", 3).unwrap().is_displacing);
        let ended: Vec<_> = given.iter().map(|g| g.end.is_cancelled()).collect();
        assert_eq!(ended, [false, true, false]);
        // Who had to leave does not give back what is another's.
        seats.leave(given[1].id);
        assert_eq!(seats.len(), 3);
    }

    #[test]
    fn who_is_at_work_is_safe() {
        let mut at = Instant::now();
        let second = Duration::from_secs(1);
        let mut seats = Seats::new(30 * second);
        let first = seats.take(at, "a", 1).unwrap();
        at += 40 * second;
        seats.touch(at, first.id);
        assert!(seats.take(at, "b", 1).is_none());
        assert!(!first.end.is_cancelled());
    }
}
