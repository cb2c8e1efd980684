//! Which slot is booked next.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::NaiveDate;
use rand::RngExt as _;

use crate::world::SITE;

/// The service group that all slots are of.
pub const GROUP: &str = "benefits";

/// A slot of a day.
pub fn slot(date: NaiveDate, number: usize) -> String {
    format!("{SITE}.{date}.{number}")
}

/// Slots of a site.
pub enum Slots {
    /// Any of them: so many slots on each of these days.
    Spread(Vec<NaiveDate>, usize),
    /// All want the same one, until it is sold out: then all want the next.
    Hot(Vec<String>, AtomicUsize),
}

impl Slots {
    /// The slot to book, for somebody who has so many appointments, on a day on which that person has none.
    pub fn next(&self, of_person: usize, have: usize) -> String {
        match self {
            Self::Spread(days, each) => {
                let number = rand::rng().random_range(0..*each);
                slot(days[(of_person + have) % days.len()], number)
            }
            Self::Hot(slots, at) => slots[at.load(Ordering::Relaxed) % slots.len()].clone(),
        }
    }

    /// This one is sold out.
    pub fn is_full(&self, slot: &str) {
        if let Self::Hot(slots, at) = self {
            let now = at.load(Ordering::Relaxed);
            if slots[now % slots.len()] == slot {
                // One of those who hear it at the same time goes on for all.
                let _ = at.compare_exchange(now, now + 1, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }
}
