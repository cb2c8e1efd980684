//! Comparing what the gate says of a day with what the database says.

use crate::value::layout::{FREE, LEAVING, TAKEN};
use crate::value::{Correction, DayValue};
use crate::{Day, DayState, Row};

/// A day as the gate had it before the database was read.
#[derive(Debug, Clone)]
pub struct Look {
    pub(crate) day: Day,
    pub(crate) value: Option<DayValue>,
}

impl Look {
    /// Which day.
    pub fn day(&self) -> &Day {
        &self.day
    }

    /// Whether the gate knows the day at all; one that it does not know need not be read from the database.
    pub fn is_known(&self) -> bool {
        self.value.is_some()
    }

    /// How many seats the gate has of it; none where it does not know the day.
    pub fn seats(&self) -> usize {
        self.value.as_ref().map_or(0, |day| day.seat_count().into())
    }
}

/// What an audit found on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audited {
    /// Seats of which the gate said something else than the database, before and after it was read.
    pub drift_found: u64,
    /// Of these, the ones that were set right now; the rest, beside which something was being freed, at the next audit.
    pub drift_repaired: u64,
    /// Seats that were picked and then left alone.
    pub abandoned: u64,
    /// The day's slots or reservations are not those of the database: it was forgotten and is rebuilt on first use.
    pub is_forgotten: bool,
}

/// What to correct, and how much of it is drift.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) corrections: Vec<Correction>,
    /// The first so many of them are drift; the rest finishes what others may just be finishing.
    pub(crate) drift: u64,
    pub(crate) abandoned: u64,
}

/// `None` if the slots themselves differ. `is_abandoned` says of a seat's index and ticket whether nobody will come
/// back to it.
pub(crate) fn compare(
    value: &DayValue,
    state: &DayState,
    mut is_abandoned: impl FnMut(u16, [u8; 2]) -> bool,
) -> Option<Compared> {
    if usize::from(value.slot_count()) != state.slots.len() {
        return None;
    }
    let (mut drift, mut rest, mut abandoned) = (Vec::new(), Vec::new(), 0);
    for (slot, expected) in (0..).zip(&state.slots) {
        let seats = value.seats_of(slot)?;
        if seats.len() != expected.seats.len() || value.reserved(slot) != expected.reserved {
            return None;
        }
        for (index, row) in seats.zip(&expected.seats) {
            let seen = value.seat(index);
            let becomes = |mark| Correction {
                index,
                expected: seen,
                mark,
            };
            match (seen, *row) {
                (FREE, Row::Free)
                | (TAKEN, Row::Taken)
                | (LEAVING, Row::Due)
                | (TAKEN, Row::Due) => {}
                // Its release has been committed; whoever did it may be about to say so, or may be gone.
                (LEAVING, Row::Free) => rest.push(becomes(FREE)),
                (FREE | TAKEN | LEAVING, row) => drift.push(becomes(row.mark())),
                // Picked, and committed: "taken" is on its way or lost.
                (_, Row::Taken) => rest.push(becomes(TAKEN)),
                (ticket, row) => {
                    if is_abandoned(index, ticket) {
                        abandoned += 1;
                        rest.push(becomes(row.mark()));
                    }
                }
            }
        }
    }
    let count = drift.len() as u64;
    drift.extend(rest);
    Some(Compared {
        corrections: drift,
        drift: count,
        abandoned,
    })
}
