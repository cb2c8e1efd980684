//! What the State Council settled: the rows of its yearly notices, shipped as `data/national.csv`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::calendar::{FIRST_YEAR, LAST_YEAR};
use crate::day::Reason;
use crate::digest::Digest;
use crate::error::Error;
use crate::year::{Mark, Year};

/// Whether a notice takes a day off or makes it a working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// A day off, weekend days inside a holiday included.
    Holiday,
    /// A Saturday or Sunday on which offices work.
    Workday,
}

/// One day of a yearly notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The day; in the notice's year or, for the New Year holiday, in the December before it.
    pub date: NaiveDate,
    /// Off, or working.
    pub kind: Kind,
    /// The holiday's name in Chinese.
    pub name: String,
    /// The notice's number, or what else is known of where the row comes from.
    pub source: String,
}

/// The national calendar, one entry per year from [`FIRST_YEAR`] to [`LAST_YEAR`].
#[derive(Debug, Clone)]
pub(crate) struct National {
    pub(crate) years: Vec<Arc<Year>>,
    pub(crate) version: String,
}

/// The shipped data, read once. It never changes afterwards: calendars share it by reference.
pub(crate) static SHIPPED: LazyLock<Arc<National>> = LazyLock::new(|| {
    Arc::new(parse(include_str!("../data/national.csv")).expect("the shipped calendar is sound"))
});

impl National {
    fn provisional() -> Self {
        let years = (FIRST_YEAR..=LAST_YEAR)
            .map(|year| Arc::new(Year::provisional(year)))
            .collect();
        Self {
            years,
            version: String::new(),
        }
    }

    /// The same calendar with the notice for `year` in place of what was known of it.
    pub(crate) fn with_notice(&self, year: i32, rows: &[Row]) -> Result<Self, Error> {
        let mut next = self.clone();
        next.load(year, rows)?;
        next.version = next.label();
        Ok(next)
    }

    fn load(&mut self, year: i32, rows: &[Row]) -> Result<(), Error> {
        let index = |year: i32| {
            usize::try_from(year - FIRST_YEAR)
                .ok()
                .filter(|index| *index < self.years.len())
        };
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
        let at = index(year).ok_or(Error::OutOfRange(first))?;
        if rows.is_empty() {
            return Err(Error::EmptyYear(year));
        }
        let (mut own, mut before) = (BTreeMap::new(), BTreeMap::new());
        for row in rows {
            let target = match (row.date.year() - year, row.date.month()) {
                (0, _) => &mut own,
                (-1, 12) if at > 0 => &mut before,
                _ => {
                    return Err(Error::WrongYear {
                        year,
                        date: row.date,
                    });
                }
            };
            if row.source.trim().is_empty() {
                return Err(Error::Unsourced(row.date));
            }
            let reason = match row.kind {
                Kind::Holiday => Reason::Holiday,
                Kind::Workday => Reason::MakeUpWorkingDay,
            };
            let mark = Mark {
                reason,
                name: row.name.clone(),
                source: row.source.clone(),
                notice: year,
            };
            if target.insert(row.date, mark).is_some() {
                return Err(Error::Duplicate(row.date));
            }
        }
        // What the next year's notice said about this December stays; what this one said before goes.
        own.extend(self.kept(at, year + 1));
        self.years[at] = Arc::new(Year::official(year, own));
        if at > 0 && (!before.is_empty() || self.kept(at - 1, year).next().is_some()) {
            let last = Arc::make_mut(&mut self.years[at - 1]);
            let marks = last.marks().filter(|(_, mark)| mark.notice != year);
            before.extend(marks.map(|(date, mark)| (*date, mark.clone())));
            let is_official = last.is_official;
            *last = Year::official(year - 1, before);
            last.is_official = is_official;
        }
        Ok(())
    }

    /// The marks in a year that the notice for `notice` made.
    fn kept(&self, at: usize, notice: i32) -> impl Iterator<Item = (NaiveDate, Mark)> {
        let marks = self.years[at]
            .marks()
            .filter(move |(_, mark)| mark.notice == notice);
        marks.map(|(date, mark)| (*date, mark.clone()))
    }

    /// First and last official year, and a digest of every official day.
    fn label(&self) -> String {
        let mut digest = Digest::new();
        let mut last = FIRST_YEAR;
        for (year, days) in (FIRST_YEAR..).zip(&self.years) {
            digest.field(if days.is_official {
                "official"
            } else {
                "provisional"
            });
            if days.is_official {
                last = year;
            }
            for (date, mark) in days.marks() {
                digest.field(&date.to_string());
                digest.field(if mark.reason.is_working() {
                    "work"
                } else {
                    "rest"
                });
                digest.field(&mark.name);
                digest.field(&mark.source);
            }
        }
        format!("cn-{FIRST_YEAR}-{last}-{}", digest.hex())
    }
}

fn parse(text: &str) -> Result<National, Error> {
    let mut notices: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
    {
        let mut fields = line.splitn(5, ',');
        let mut field = || fields.next().expect("five fields in every row");
        let date = field().parse().expect("a date in every row");
        let kind = match field() {
            "holiday" => Kind::Holiday,
            "workday" => Kind::Workday,
            other => panic!("no such kind of day: {other}"),
        };
        let name = field().to_owned();
        let notice = field().parse().expect("a year in every row");
        notices.entry(notice).or_default().push(Row {
            date,
            kind,
            name,
            source: field().to_owned(),
        });
    }
    let mut national = National::provisional();
    for (year, rows) in notices {
        national.load(year, &rows)?;
    }
    national.version = national.label();
    Ok(national)
}
