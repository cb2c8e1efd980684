//! When an office closes, weekday by weekday (民法典 art. 203).

use chrono::{Datelike, NaiveDate, NaiveTime};

/// Closing times of an office. An office without any never closes before 24:00.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Closing([Option<NaiveTime>; 7]);

impl Closing {
    /// Closing times of Monday to Sunday; none where the office does not open.
    #[must_use]
    pub const fn of_week(times: [Option<NaiveTime>; 7]) -> Self {
        Self(times)
    }

    /// When the office closes on a day on which it opens. A make-up working day on a weekday without hours ends with
    /// the latest hour of the week: in doubt for the one who waits for a due time.
    #[must_use]
    pub fn on(&self, date: NaiveDate) -> Option<NaiveTime> {
        let weekday = date.weekday().num_days_from_monday() as usize;
        self.0[weekday].or_else(|| self.0.iter().flatten().max().copied())
    }
}

/// The same time on every day.
impl From<Option<NaiveTime>> for Closing {
    fn from(time: Option<NaiveTime>) -> Self {
        Self([time; 7])
    }
}

/// The same time on every day.
impl From<NaiveTime> for Closing {
    fn from(time: NaiveTime) -> Self {
        Self([Some(time); 7])
    }
}
