//! Who waits to be taken in: by rank, and within a rank by district in turn, so that one district's flood is its own.
//!
//! A line that others have waited in without a pause is standing (CoDel; in the form of Facebook's "Fail at Scale", ACM Queue
//! 2015): who joins it waits only briefly, and the last comes first, because who has waited longest is least likely to be
//! served in time. Other lines stay patient and in order.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::class::Rank;

/// Of so many places that become free, the beginnings get one where both ranks wait: else they would never.
const TURNS: u8 = 8;

/// Whose calls wait together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Line {
    /// Nobody in particular: what the law wants public.
    Public,
    /// A token that was not checked before; anybody could have written it.
    Unknown,
    /// Callers whose authority lies in this district; empty for those of the whole country.
    District(String),
}

/// Where somebody waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) rank: Rank,
    pub(super) line: Line,
    pub(super) id: u64,
}

/// Everybody who waits.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    ongoing: Lines<T>,
    beginning: Lines<T>,
    turn: u8,
    next_id: u64,
    count: usize,
    most: usize,
    patience: Duration,
    short_patience: Duration,
}

#[derive(Debug)]
struct Lines<T> {
    by_line: HashMap<Line, Queue<T>>,
    /// Who is next; every line that is not empty, once.
    order: VecDeque<Line>,
}

#[derive(Debug)]
struct Queue<T> {
    waiters: VecDeque<Waiter<T>>,
    filled_at: Instant,
}

#[derive(Debug)]
struct Waiter<T> {
    id: u64,
    until: Instant,
    content: T,
}

impl<T> Waiting<T> {
    /// Room for `most`, who wait `patience`, or `short_patience` in a line that is standing.
    pub(super) fn new(most: usize, patience: Duration, short_patience: Duration) -> Self {
        Self {
            ongoing: Lines::new(),
            beginning: Lines::new(),
            turn: 0,
            next_id: 0,
            count: 0,
            most: most.max(1),
            patience,
            short_patience,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Until when somebody who comes now may wait.
    pub(super) fn until(&self, now: Instant, rank: Rank, line: &Line) -> Instant {
        let queue = self.lines(rank).by_line.get(line);
        let is_standing = queue.is_some_and(|q| q.is_standing(now, self.patience));
        now + if is_standing {
            self.short_patience
        } else {
            self.patience
        }
    }

    /// Puts somebody at the end of a line. Where there is no room, who has waited longest in the longest line leaves, and is
    /// given back with the spot: that may be the one who came.
    pub(super) fn push(
        &mut self,
        now: Instant,
        rank: Rank,
        line: Line,
        until: Instant,
        content: T,
    ) -> (Spot, Option<T>) {
        let id = self.next_id;
        self.next_id += 1;
        let waiter = Waiter { id, until, content };
        self.lines_mut(rank).push(now, line.clone(), waiter);
        self.count += 1;
        let left = if self.count > self.most {
            self.evict()
        } else {
            None
        };
        (Spot { rank, line, id }, left)
    }

    /// Takes somebody out who gave up; nothing when it is somebody else's turn already.
    pub(super) fn remove(&mut self, spot: &Spot) -> Option<T> {
        let removed = self.lines_mut(spot.rank).remove(&spot.line, spot.id)?;
        self.count -= 1;
        Some(removed)
    }

    /// Whose turn it is. Whose time is over is passed over.
    pub(super) fn next(&mut self, now: Instant) -> Option<T> {
        while self.count > 0 {
            let rank = self.next_rank();
            let patience = self.patience;
            let waiter = self.lines_mut(rank).next(now, patience)?;
            self.count -= 1;
            if waiter.until > now {
                return Some(waiter.content);
            }
        }
        None
    }

    fn next_rank(&mut self) -> Rank {
        match (self.ongoing.is_empty(), self.beginning.is_empty()) {
            (false, true) => Rank::Ongoing,
            (true, _) => Rank::Beginning,
            (false, false) => {
                self.turn = (self.turn + 1) % TURNS;
                if self.turn == 0 {
                    Rank::Beginning
                } else {
                    Rank::Ongoing
                }
            }
        }
    }

    fn evict(&mut self) -> Option<T> {
        let ongoing = self.ongoing.longest();
        let beginning = self.beginning.longest();
        let rank = if beginning >= ongoing {
            Rank::Beginning
        } else {
            Rank::Ongoing
        };
        let left = self.lines_mut(rank).evict()?;
        self.count -= 1;
        Some(left)
    }

    fn lines(&self, rank: Rank) -> &Lines<T> {
        match rank {
            Rank::Ongoing => &self.ongoing,
            Rank::Beginning => &self.beginning,
        }
    }

    fn lines_mut(&mut self, rank: Rank) -> &mut Lines<T> {
        match rank {
            Rank::Ongoing => &mut self.ongoing,
            Rank::Beginning => &mut self.beginning,
        }
    }
}

impl<T> Lines<T> {
    fn new() -> Self {
        Self {
            by_line: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn longest(&self) -> usize {
        let lengths = self.by_line.values().map(|q| q.waiters.len());
        lengths.max().unwrap_or(0)
    }

    fn push(&mut self, now: Instant, line: Line, waiter: Waiter<T>) {
        let queue = self.by_line.entry(line).or_insert_with_key(|line| {
            self.order.push_back(line.clone());
            Queue {
                waiters: VecDeque::new(),
                filled_at: now,
            }
        });
        queue.waiters.push_back(waiter);
    }

    fn next(&mut self, now: Instant, patience: Duration) -> Option<Waiter<T>> {
        let line = self.order.pop_front()?;
        let queue = self.by_line.get_mut(&line)?;
        let waiter = if queue.is_standing(now, patience) {
            queue.waiters.pop_back()
        } else {
            queue.waiters.pop_front()
        };
        if queue.waiters.is_empty() {
            self.by_line.remove(&line);
        } else {
            self.order.push_back(line);
        }
        waiter
    }

    fn remove(&mut self, line: &Line, id: u64) -> Option<T> {
        let waiters = &mut self.by_line.get_mut(line)?.waiters;
        // Ids rise along a line.
        let at = waiters.binary_search_by_key(&id, |w| w.id).ok()?;
        let removed = waiters.remove(at)?;
        if waiters.is_empty() {
            self.end(line);
        }
        Some(removed.content)
    }

    fn evict(&mut self) -> Option<T> {
        let (line, _) = self.by_line.iter().max_by_key(|(_, q)| q.waiters.len())?;
        let line = line.clone();
        let id = self.by_line.get(&line)?.waiters.front()?.id;
        self.remove(&line, id)
    }

    fn end(&mut self, line: &Line) {
        self.by_line.remove(line);
        self.order.retain(|l| l != line);
    }
}

impl<T> Queue<T> {
    fn is_standing(&self, now: Instant, patience: Duration) -> bool {
        now.saturating_duration_since(self.filled_at) > patience
    }
}
