//! What a gate has done so far, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a gate has done since it was made, in this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Seats that were given out.
    pub picked: u64,
    /// Times that somebody was told "full", or that only reserved seats are left.
    pub full: u64,
    /// Times that somebody was told "try again": seats being picked or freed, days being repaired.
    pub again: u64,
    /// Times that a "full" became "try again" because the knowledge of the generation was not fresh.
    pub full_withheld: u64,
    /// Times that Redis could not be asked.
    pub unavailable: u64,
    /// Seats that the gate gave out though the database had them taken.
    pub refused: u64,
    /// Seats of which an audit found the gate to say something else than the database.
    pub drift_found: u64,
    /// Of these, the ones that it set right.
    pub drift_repaired: u64,
    /// Seats that were picked, and neither kept nor given back by whoever picked them, found by an audit.
    pub abandoned: u64,
    /// Days of which an audit found other slots or reservations in the gate than in the database: forgotten, and rebuilt
    /// on first use.
    pub forgotten: u64,
    /// Days that were rebuilt from the database.
    pub rebuilds: u64,
    /// Rebuilds that had to begin again, because something changed meanwhile.
    pub rebuilds_repeated: u64,
    /// Times that this process admitted servers under a new generation.
    pub admissions: u64,
    /// Times that a connection was replaced.
    pub reconnects: u64,
    /// How many times the generation was replaced, by anybody, since the installation was made.
    pub generation: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: AtomicU64),* }

        impl Counters {
            pub(crate) fn read(&self, generation: u64) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed)),*, generation }
            }
        }
    };
}

counters!(
    picked,
    full,
    again,
    full_withheld,
    unavailable,
    refused,
    drift_found,
    drift_repaired,
    abandoned,
    forgotten,
    rebuilds,
    rebuilds_repeated,
    admissions,
    reconnects
);

pub(crate) fn count(counter: &AtomicU64) {
    add(counter, 1);
}

pub(crate) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
