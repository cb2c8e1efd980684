//! The days of one year that differ from plain weeks, and a bit per day that says whether offices work.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Weekday};

use crate::day::{Day, Reason};
use crate::provisional;

/// A day that is more than a weekday or a weekend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) reason: Reason,
    pub(crate) name: String,
    pub(crate) source: String,
    /// The year of the notice that settled the day; a notice also reaches into the December before it.
    pub(crate) notice: i32,
}

/// One year, official or provisional.
#[derive(Debug, Clone)]
pub(crate) struct Year {
    pub(crate) is_official: bool,
    marks: BTreeMap<NaiveDate, Mark>,
    working: [u64; 6],
}

impl Year {
    /// A year whose notice is not known.
    pub(crate) fn provisional(year: i32) -> Self {
        let marks = provisional::holidays(year).into_iter().map(|(date, name)| {
            let (name, source) = (name.to_owned(), provisional::SOURCE.to_owned());
            (
                date,
                Mark {
                    reason: Reason::ProvisionalHoliday,
                    name,
                    source,
                    notice: year,
                },
            )
        });
        Self::of(year, false, marks.collect())
    }

    /// A year as its notice has it.
    pub(crate) fn official(year: i32, marks: BTreeMap<NaiveDate, Mark>) -> Self {
        Self::of(year, true, marks)
    }

    fn of(year: i32, is_official: bool, marks: BTreeMap<NaiveDate, Mark>) -> Self {
        let mut working = [0; 6];
        let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("every year has a first day");
        for date in first.iter_days().take_while(|date| date.year() == year) {
            let reason = marks
                .get(&date)
                .map_or_else(|| plain(date), |mark| mark.reason);
            set(&mut working, date, reason.is_working());
        }
        Self {
            is_official,
            marks,
            working,
        }
    }

    pub(crate) fn marks(&self) -> impl Iterator<Item = (&NaiveDate, &Mark)> {
        self.marks.iter()
    }

    pub(crate) fn put(&mut self, date: NaiveDate, mark: Mark) {
        set(&mut self.working, date, mark.reason.is_working());
        self.marks.insert(date, mark);
    }

    pub(crate) fn is_working(&self, date: NaiveDate) -> bool {
        let day = date.ordinal0() as usize;
        self.working[day / 64] >> (day % 64) & 1 == 1
    }

    pub(crate) fn is_provisional(&self, date: NaiveDate) -> bool {
        !self.is_official
            && !self
                .marks
                .get(&date)
                .is_some_and(|mark| is_district(mark.reason))
    }

    pub(crate) fn day(&self, date: NaiveDate) -> Day {
        let mark = self.marks.get(&date);
        let reason = mark.map_or_else(|| plain(date), |mark| mark.reason);
        Day {
            date,
            is_working: reason.is_working(),
            is_provisional: self.is_provisional(date),
            reason,
            name: mark.map(|mark| mark.name.clone()),
            source: match mark {
                Some(mark) => mark.source.clone(),
                None if self.is_official => "国务院关于职工工作时间的规定 art. 7".to_owned(),
                None => provisional::SOURCE.to_owned(),
            },
        }
    }
}

fn is_district(reason: Reason) -> bool {
    matches!(reason, Reason::DistrictRest | Reason::DistrictWork)
}

fn plain(date: NaiveDate) -> Reason {
    match date.weekday() {
        Weekday::Sat | Weekday::Sun => Reason::Weekend,
        _ => Reason::Weekday,
    }
}

fn set(working: &mut [u64; 6], date: NaiveDate, is_working: bool) {
    let day = date.ordinal0() as usize;
    let bit = 1 << (day % 64);
    if is_working {
        working[day / 64] |= bit;
    } else {
        working[day / 64] &= !bit;
    }
}
