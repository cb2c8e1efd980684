//! What the outside knows when a command is decided.

use bangban_kit::{identity::Caller, refusal::Refusal};
pub use bangban_limits::time::{day_start, instant, timestamp, today};
use bangban_proto::bangban::{scheduling::v1::BookingPolicy, types::v1::Actor};
use chrono::{DateTime, NaiveDate, Utc};
use prost_types::Timestamp;

use super::time;

/// Time, actor and the rules by which people book.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    /// Now, by the clock that rules are judged by.
    pub now: DateTime<Utc>,
    /// Who acts.
    pub caller: &'a Caller,
    /// The rules in force, with defaults in their places.
    pub policy: &'a BookingPolicy,
}

impl Outside<'_> {
    /// Now, as the contract writes it.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        Some(timestamp(self.now))
    }

    /// Who acts, as the contract writes it.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        Some(self.caller.actor())
    }
}

/// The end of a day in Asia/Shanghai, in microseconds since the epoch; none for what is no date.
#[must_use]
pub fn day_end_us(date: &str) -> Option<i64> {
    let next = date.parse::<NaiveDate>().ok()?.succ_opt()?;
    day_start(next).map(|at| at.timestamp_micros())
}

/// First and last day of a request.
///
/// # Errors
/// DATE_IMPOSSIBLE, DATES_REVERSED (BB-8d).
pub fn dates(from: &str, to: &str) -> Result<(NaiveDate, NaiveDate), Refusal> {
    let (first, last) = (time::date("from", from)?, time::date("to", to)?);
    if last < first {
        return Err(Refusal::invalid(
            "DATES_REVERSED",
            "BB-8d",
            "结束日期早于开始日期",
            "the last day lies before the first",
        )
        .field("to", "before `from`"));
    }
    Ok((first, last))
}
