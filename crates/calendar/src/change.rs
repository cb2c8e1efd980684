//! What a new version of a calendar does to a clock (BX-3).

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::SHANGHAI;
use crate::calendar::{Calendar, DayChange};
use crate::clock::Clock;
use crate::closing::Closing;
use crate::due::{Due, due};
use crate::error::Error;

/// A due time before and after a calendar changed, for the case's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Version of the calendar that was in force.
    pub before_version: String,
    /// Version of the new one.
    pub after_version: String,
    /// Due time under the old calendar.
    pub before: Due,
    /// Due time under the new one.
    pub after: Due,
    /// The days between the clock's start and the later of both due times that changed: the reason.
    pub days: Vec<DayChange>,
}

impl Change {
    /// Whether the due time, its day or its being provisional changed, so that people must be told.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        self.before != self.after
    }
}

/// The due time of a clock under two calendars, and the days that make the difference.
///
/// # Errors
/// As [`due`].
pub fn recompute(
    before: &Calendar,
    after: &Calendar,
    clock: &Clock,
    closing: impl Into<Closing>,
) -> Result<Change, Error> {
    let closing = closing.into();
    let (old, new) = (due(before, clock, closing)?, due(after, clock, closing)?);
    let first = clock.start.with_timezone(&SHANGHAI).date_naive();
    let last = first.max(last_day(&old)).max(last_day(&new));
    let mut days = before.changes_within(after, first.year()..=last.year());
    days.retain(|change| (first..=last).contains(&change.after.date));
    Ok(Change {
        before_version: before.version().to_owned(),
        after_version: after.version().to_owned(),
        before: old,
        after: new,
        days,
    })
}

/// The last day that can have decided: the due one, or the one on which the clock stopped.
fn last_day(due: &Due) -> NaiveDate {
    match due {
        Due::At { on, .. } => *on,
        Due::Stopped { since } => since.with_timezone(&SHANGHAI).date_naive(),
    }
}
