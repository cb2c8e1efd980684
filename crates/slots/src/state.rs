//! What the database says of a day: the picture that a rebuild puts into the gate and an audit compares it with.

use std::time::Duration;

/// What the database says of one seat.
///
/// The difference between [`Row::Taken`] and [`Row::Due`] is what keeps "full" from ever being wrong: only a seat that
/// *nobody may be freeing at this moment* is taken. A release touches no row before it is due by the database's clock,
/// so a picture that is read with that clock cannot mistake a seat whose release has begun for one that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Row {
    /// No row, or one that says FREE.
    Free,
    /// HELD, CONFIRMED, or COOLING with `free_at` after the database's `now()`.
    Taken,
    /// COOLING with `free_at` at or before the database's `now()`: a release may be on its way.
    Due,
}

/// A slot as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotState {
    /// Seats from number 0 that are for special groups; 0 from `reserved_until` on by the database's clock, whether the
    /// reservation was lifted on record yet or not. At most the number of seats.
    pub reserved: u16,
    /// One for each seat, by number: their count is the capacity. Seats with rows above the capacity are left out.
    pub seats: Vec<Row>,
}

/// A day as the database knows it, read in one snapshot after [`crate::Gate::begin_rebuild`] or [`crate::Gate::look`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayState {
    /// By slot number; a number that belongs to no slot (any more) has no seats. At most 65,535 seats together.
    pub slots: Vec<SlotState>,
    /// How long Redis, or memory, may keep the day: until it is over, and some. Nothing but garbage collection hangs on it; what is
    /// collected too early is rebuilt. Whole seconds, at least one.
    pub keep: Duration,
}

/// Seats of a slot that can be picked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Free {
    /// By anybody.
    pub ordinary: u16,
    /// By somebody of a special group: `ordinary` and the reserved ones.
    pub special: u16,
}
