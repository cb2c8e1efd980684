//! Working time of a district: which days count, when a limit ends, and why.
//!
//! Pure: time, calendar and stops are arguments. It knows no clock, no I/O and no cases. A [`Calendar`] is a value;
//! two districts never share anything that can change. A [`Clock`] is one running limit of a matter, and
//! [`due`], [`remaining`] and [`explain`] are functions of the two.
//!
//! The rules are 民法典 arts. 201-203 (the day of the event does not count; a last day that is a rest day moves on;
//! a day ends with the office's closing time), 行政许可法 art. 82 (days are working days) and the project's own
//! `BB-8a`, `BB-10.1.1b`, `BX-2` and `BX-3`. Local time is Asia/Shanghai, which has been UTC+8 without summer time
//! since 1991; the calendar starts in 2004.
//!
//! To load another year, call [`Calendar::with_year`]; to add a rule that explains a day, add it to [`Rule`].

mod calendar;
mod change;
mod clock;
mod closing;
mod day;
mod digest;
mod due;
mod error;
mod explain;
mod national;
mod provisional;
mod sentence;
mod stops;
mod walk;
mod year;

pub use calendar::{Calendar, DayChange, FIRST_YEAR, LAST_YEAR, Override, OverrideKind};
pub use change::{Change, recompute};
pub use clock::{Clock, Finding, FindingKind, Limit, MAX_AMOUNT, Stop, StopKind, Unit, findings};
pub use closing::Closing;
pub use day::{Day, Reason};
pub use due::{Due, Remaining, due, remaining};
pub use error::Error;
pub use explain::{DayExplained, Explanation, Rule, explain};
pub use national::{Kind, Row};

use chrono::FixedOffset;

/// Local time of every office: Asia/Shanghai, a fixed +08:00 for all dates of the calendar.
pub const SHANGHAI: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => panic!("eight hours is an offset"),
};
