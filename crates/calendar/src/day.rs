//! One day and why it is a working day or not.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A day as an office sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The local date.
    pub date: NaiveDate,
    /// Whether the office works on it.
    pub is_working: bool,
    /// Whether the State Council may still decide otherwise, because the year's notice is not loaded.
    pub is_provisional: bool,
    /// Why.
    pub reason: Reason,
    /// The holiday that the day belongs to or makes up for, in Chinese, or the override's name.
    pub name: Option<String>,
    /// The notice, regulation or citation that says so.
    pub source: String,
}

/// Why a day is a working day or a rest day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Reason {
    /// Monday to Friday and nothing else.
    Weekday,
    /// Saturday or Sunday and nothing else.
    Weekend,
    /// A day off by the State Council's notice, be it the holiday itself or a day moved next to it.
    Holiday,
    /// A Saturday or Sunday that the notice made a working day.
    MakeUpWorkingDay,
    /// A statutory holiday, or the day that makes up for one on a weekend, in a year without a notice.
    ProvisionalHoliday,
    /// A day off in this district only.
    DistrictRest,
    /// A working day in this district only.
    DistrictWork,
}

impl Reason {
    /// Whether offices work on such a day.
    #[must_use]
    pub const fn is_working(self) -> bool {
        matches!(
            self,
            Self::Weekday | Self::MakeUpWorkingDay | Self::DistrictWork
        )
    }
}
