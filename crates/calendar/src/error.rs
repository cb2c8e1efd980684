//! What can be wrong with a question to the calendar.

use chrono::{DateTime, FixedOffset, NaiveDate};

/// A question without an answer, or a calendar that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The date, or a due time that would follow from it, lies outside what the calendar covers.
    #[error("{0} is outside the calendar (2004-01-01 to 2099-12-31)")]
    OutOfRange(NaiveDate),
    /// Two rows or two overrides speak of the same date.
    #[error("{0} is given twice")]
    Duplicate(NaiveDate),
    /// A row of a year's notice is neither in that year nor in the December before it.
    #[error("{date} does not belong to the notice for {year}")]
    WrongYear {
        /// The year whose notice is being loaded.
        year: i32,
        /// The row that does not belong to it.
        date: NaiveDate,
    },
    /// A notice without rows: every official year has holidays, so an empty one is a mistake of the loader.
    #[error("the notice for {0} has no rows")]
    EmptyYear(i32),
    /// A rest day that an override or a notice introduces has no source, so nobody could explain it.
    #[error("{0} has no source")]
    Unsourced(NaiveDate),
    /// An extension is not in the unit of its limit.
    #[error("an extension is in another unit than its limit")]
    MixedUnits,
    /// The limit and its extensions exceed [`crate::MAX_AMOUNT`].
    #[error("a limit of {0} units is too long")]
    TooLong(u64),
    /// A stop ends before it begins.
    #[error("a stop that begins at {from} ends before it, at {to}")]
    BackwardStop {
        /// When the clock was stopped.
        from: DateTime<FixedOffset>,
        /// When it was started again.
        to: DateTime<FixedOffset>,
    },
}
