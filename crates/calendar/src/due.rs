//! When a limit ends and how much of it is left.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::SHANGHAI;
use crate::calendar::Calendar;
use crate::clock::{Clock, Unit};
use crate::closing::Closing;
use crate::error::Error;
use crate::walk::{End, Listener, Silence, Step, Verdict, walk};

/// When a limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Due {
    /// It ends.
    At {
        /// The last instant in time, +08:00. The end of a day without closing time is 00:00 of the next.
        at: DateTime<FixedOffset>,
        /// The last day. It is the day before `at`'s date when the day ends at 24:00.
        on: NaiveDate,
        /// Whether a notice of the State Council that is not loaded yet may still move it.
        provisional: bool,
    },
    /// A stop without end holds it, so nobody can say.
    Stopped {
        /// When the stop began.
        since: DateTime<FixedOffset>,
    },
}

impl Due {
    /// The last instant in time, unless the clock is held.
    #[must_use]
    pub const fn at(&self) -> Option<DateTime<FixedOffset>> {
        match self {
            Self::At { at, .. } => Some(*at),
            Self::Stopped { .. } => None,
        }
    }

    /// The last day, unless the clock is held.
    #[must_use]
    pub const fn on(&self) -> Option<NaiveDate> {
        match self {
            Self::At { on, .. } => Some(*on),
            Self::Stopped { .. } => None,
        }
    }

    /// Whether a notice that is not loaded yet may still move it. False while the clock is held.
    #[must_use]
    pub const fn is_provisional(&self) -> bool {
        matches!(
            self,
            Self::At {
                provisional: true,
                ..
            }
        )
    }

    /// Whether the limit has passed at `now`. A clock that is held does not pass.
    #[must_use]
    pub fn is_overdue(&self, now: DateTime<FixedOffset>) -> bool {
        self.at().is_some_and(|at| now > at)
    }

    pub(crate) fn of(end: End, clock: &Clock) -> Self {
        match end {
            End::Due {
                at,
                on,
                is_provisional,
            } => Self::At {
                at: shanghai(at),
                on,
                provisional: is_provisional,
            },
            End::Stopped(stop) => Self::Stopped {
                since: clock.stops[stop.index].from.with_timezone(&SHANGHAI),
            },
        }
    }
}

/// When the limit of a clock ends (BB-8a, BB-10.1.1b; 民法典 arts. 201-203).
///
/// `closing` is that of the office which must act; without hours the last day ends at 24:00. It does not matter to
/// a limit in hours. Microseconds for the usual limits.
///
/// # Errors
/// [`Error::OutOfRange`] when start or end lie outside the calendar; [`Error::MixedUnits`], [`Error::TooLong`],
/// [`Error::BackwardStop`] for a clock that contradicts itself.
pub fn due(calendar: &Calendar, clock: &Clock, closing: impl Into<Closing>) -> Result<Due, Error> {
    Ok(Due::of(
        walk(calendar, clock, closing.into(), &mut Silence)?,
        clock,
    ))
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// What `amount` counts.
    pub unit: Unit,
    /// Whole units not used up; a day is used up when it has ended, a begun hour is left.
    pub amount: u32,
    /// For a limit in hours, what is left to the second.
    pub seconds: Option<i64>,
    /// Whether the clock stands still at this instant.
    pub is_stopped: bool,
    /// Whether the limit has passed. `amount` may be 0 before, when the last day moved to a working day.
    pub is_overdue: bool,
}

/// What is left of a limit at `now`. Nothing passes while the clock stands still, and only an extension adds
/// (trap: a system whose remaining time grew).
///
/// # Errors
/// As [`due`].
pub fn remaining(
    calendar: &Calendar,
    clock: &Clock,
    closing: impl Into<Closing>,
    now: DateTime<FixedOffset>,
) -> Result<Remaining, Error> {
    let mut used = Used {
        now: now.with_timezone(&SHANGHAI).naive_local(),
        days: 0,
        time: TimeDelta::zero(),
    };
    let end = walk(calendar, clock, closing.into(), &mut used)?;
    let total = clock.total()?;
    let is_overdue = Due::of(end, clock).is_overdue(now);
    let (amount, seconds) = if clock.limit.unit == Unit::Hour {
        let left = (TimeDelta::hours(i64::from(total)) - used.time).num_seconds();
        let hours = left.unsigned_abs().div_ceil(3600);
        (u32::try_from(hours).unwrap_or(total), Some(left))
    } else {
        (total - used.days, None)
    };
    let is_stopped = clock.is_stopped(now) && !is_overdue;
    Ok(Remaining {
        unit: clock.limit.unit,
        amount,
        seconds,
        is_stopped,
        is_overdue,
    })
}

struct Used {
    now: NaiveDateTime,
    days: u32,
    time: TimeDelta,
}

impl Listener for Used {
    fn step(&mut self, step: Step) {
        let counts = matches!(step.verdict, Verdict::Counted | Verdict::LastDayIsRest);
        self.days += u32::from(counts && step.ends_at <= self.now);
    }

    fn ran(&mut self, from: NaiveDateTime, to: NaiveDateTime) {
        self.time += (to.min(self.now) - from).max(TimeDelta::zero());
    }
}

/// Local time as an instant; +08:00 has neither gaps nor folds.
pub(crate) fn shanghai(local: NaiveDateTime) -> DateTime<FixedOffset> {
    local
        .and_local_timezone(SHANGHAI)
        .single()
        .expect("a fixed offset has every local time once")
}
