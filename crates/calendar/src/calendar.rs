//! A district's calendar: the nation's days and the district's own on top.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::day::{Day, Reason};
use crate::digest::Digest;
use crate::error::Error;
use crate::national::{National, Row, SHIPPED};
use crate::year::{Mark, Year};

/// First year of the calendar.
pub const FIRST_YEAR: i32 = 2004;
/// Last year of the calendar; later dates are refused rather than guessed.
pub const LAST_YEAR: i32 = 2099;

/// Which days are working days, for one district, in one version.
///
/// An immutable value: cloning shares it, changing it makes another. Nothing in it is shared with another district
/// that either could change (trap: OpenCPS kept calendars in static fields).
#[derive(Clone)]
pub struct Calendar(Arc<Inner>);

struct Inner {
    national: Arc<National>,
    overrides: BTreeMap<NaiveDate, Override>,
    years: Vec<Arc<Year>>,
    version: String,
}

/// A day that differs in one district: a flood, a local holiday, an extra working day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The local date.
    pub date: NaiveDate,
    /// Off, or working.
    pub kind: OverrideKind,
    /// What it is called, for the applicant to read.
    pub name: String,
    /// The local rule or announcement. Obligatory: a due time explains itself (BX-2).
    pub citation: String,
}

/// Whether an override takes a day off or makes it a working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OverrideKind {
    /// The district's offices are closed.
    Rest,
    /// The district's offices work.
    Work,
}

/// A day that two calendars see differently (BX-3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayChange {
    /// As the first calendar has it.
    pub before: Day,
    /// As the second has it.
    pub after: Day,
}

impl Calendar {
    /// The national calendar as shipped: official from 2004 to the last loaded notice, provisional after it.
    #[must_use]
    pub fn national() -> Self {
        Self::assemble(Arc::clone(&SHIPPED), BTreeMap::new())
    }

    /// This calendar with `overrides` in place of those that it had.
    ///
    /// # Errors
    /// A date twice, outside the calendar, or without a citation.
    pub fn with_overrides(
        &self,
        overrides: impl IntoIterator<Item = Override>,
    ) -> Result<Self, Error> {
        let mut own = BTreeMap::new();
        for day in overrides {
            index(day.date)?;
            if day.citation.trim().is_empty() {
                return Err(Error::Unsourced(day.date));
            }
            let date = day.date;
            if own.insert(date, day).is_some() {
                return Err(Error::Duplicate(date));
            }
        }
        Ok(Self::assemble(Arc::clone(&self.0.national), own))
    }

    /// This calendar with the State Council's notice for `year`, which then is official (BX-3). Overrides stay.
    ///
    /// `rows` are the whole notice: days off, weekends within them included, and make-up working days, also those in
    /// the December before. Loading a year again replaces it, as an amended notice does.
    ///
    /// # Errors
    /// No rows, a row without source, twice, or of another year than the notice's; a year outside the calendar.
    pub fn with_year(&self, year: i32, rows: impl IntoIterator<Item = Row>) -> Result<Self, Error> {
        let rows: Vec<Row> = rows.into_iter().collect();
        let national = self.0.national.with_notice(year, &rows)?;
        Ok(Self::assemble(Arc::new(national), self.0.overrides.clone()))
    }

    fn assemble(national: Arc<National>, overrides: BTreeMap<NaiveDate, Override>) -> Self {
        let mut years = national.years.clone();
        let mut version = national.version.clone();
        if !overrides.is_empty() {
            let mut digest = Digest::new();
            for day in overrides.values() {
                let (reason, kind) = match day.kind {
                    OverrideKind::Rest => (Reason::DistrictRest, "rest"),
                    OverrideKind::Work => (Reason::DistrictWork, "work"),
                };
                for field in [&day.date.to_string(), kind, &day.name, &day.citation] {
                    digest.field(field);
                }
                let (name, source) = (day.name.clone(), day.citation.clone());
                let at = index(day.date).expect("overrides were checked");
                let notice = day.date.year();
                Arc::make_mut(&mut years[at]).put(
                    day.date,
                    Mark {
                        reason,
                        name,
                        source,
                        notice,
                    },
                );
            }
            version = format!("{version}+{}-{}", overrides.len(), digest.hex());
        }
        Self(Arc::new(Inner {
            national,
            overrides,
            years,
            version,
        }))
    }

    /// A label of the content: equal labels mean equal days, reasons and sources.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The district's own days, in order.
    pub fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.0.overrides.values()
    }

    /// Whether the State Council's notice for a year is loaded.
    #[must_use]
    pub fn is_official(&self, year: i32) -> bool {
        usize::try_from(year - FIRST_YEAR)
            .ok()
            .and_then(|at| self.0.years.get(at))
            .is_some_and(|year| year.is_official)
    }

    /// All that is known of a day.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] before 2004 and after 2099.
    pub fn day(&self, date: NaiveDate) -> Result<Day, Error> {
        Ok(self.0.years[index(date)?].day(date))
    }

    /// Whether the office works on a day.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn is_working(&self, date: NaiveDate) -> Result<bool, Error> {
        Ok(self.0.years[index(date)?].is_working(date))
    }

    pub(crate) fn is_provisional(&self, date: NaiveDate) -> Result<bool, Error> {
        Ok(self.0.years[index(date)?].is_provisional(date))
    }

    /// The `count`-th working day after `date`, which itself does not count; `date` when `count` is 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn add_working_days(&self, date: NaiveDate, count: u32) -> Result<NaiveDate, Error> {
        index(date)?;
        let (mut at, mut left) = (date, count);
        while left > 0 {
            at = at.succ_opt().ok_or(Error::OutOfRange(at))?;
            left -= u32::from(self.is_working(at)?);
        }
        Ok(at)
    }

    /// Working days after `from` up to and including `to`; 0 when `to` is not later.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> Result<u32, Error> {
        index(from)?;
        index(to)?;
        let mut count = 0;
        for date in from.iter_days().skip(1).take_while(|date| *date <= to) {
            count += u32::from(self.is_working(date)?);
        }
        Ok(count)
    }

    /// The days that `after` sees differently, in order (BX-3): whether they are worked, provisional, and why.
    #[must_use]
    pub fn changes(&self, after: &Self) -> Vec<DayChange> {
        self.changes_within(after, FIRST_YEAR..=LAST_YEAR)
    }

    pub(crate) fn changes_within(
        &self,
        after: &Self,
        within: RangeInclusive<i32>,
    ) -> Vec<DayChange> {
        let mut changes = Vec::new();
        for (year, (old, new)) in (FIRST_YEAR..).zip(self.0.years.iter().zip(&after.0.years)) {
            if !within.contains(&year) || Arc::ptr_eq(old, new) {
                continue;
            }
            let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("every year has a first day");
            for date in first.iter_days().take_while(|date| date.year() == year) {
                let (before, after) = (old.day(date), new.day(date));
                if before != after {
                    changes.push(DayChange { before, after });
                }
            }
        }
        changes
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calendar").field(&self.0.version).finish()
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.0.version == other.0.version
    }
}

impl Eq for Calendar {}

fn index(date: NaiveDate) -> Result<usize, Error> {
    if (FIRST_YEAR..=LAST_YEAR).contains(&date.year()) {
        Ok((date.year() - FIRST_YEAR) as usize)
    } else {
        Err(Error::OutOfRange(date))
    }
}
