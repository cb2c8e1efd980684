//! The calendar of a district, from what was learned.

use std::collections::BTreeMap;

use bangban_calendar::{Calendar, Kind, Override, OverrideKind, Row};
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{Amendment, CalendarYearLoaded, DayKind};
use chrono::{Datelike as _, NaiveDate};

/// What differs from the calendar that ships.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Differs {
    /// The notices that were loaded since, of each year the latest.
    pub notices: Vec<CalendarYearLoaded>,
    /// Days of notices that were learned by releases which kept all of them in one list.
    pub listed: Vec<Amendment>,
    /// The district's own days.
    pub amendments: Vec<Amendment>,
}

/// The district's calendar: the national one with what differs.
///
/// # Errors
/// INTERNAL for amendments that contradict each other.
pub fn calendar(differs: &Differs) -> Result<Calendar, Refusal> {
    let mut calendar = Calendar::national();
    for (year, rows) in notices(differs)? {
        calendar = calendar.with_year(year, rows).map_err(Refusal::internal)?;
    }
    if differs.amendments.is_empty() {
        return Ok(calendar);
    }
    let own: Result<Vec<_>, _> = differs.amendments.iter().map(own).collect();
    calendar.with_overrides(own?).map_err(Refusal::internal)
}

/// Each year's notice, which may also name days in the December before.
fn notices(differs: &Differs) -> Result<BTreeMap<i32, Vec<Row>>, Refusal> {
    let ships = Calendar::national();
    let mut notices: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
    for day in &differs.listed {
        let row = row(day)?;
        let year = row.date.year();
        // A year that ships is never loaded: such a day is of the notice of the next one.
        let of = year + i32::from(ships.is_official(year));
        notices.entry(of).or_default().push(row);
    }
    for notice in &differs.notices {
        let year = i32::try_from(notice.year).map_err(Refusal::internal)?;
        let rows = notice.days.iter().map(row).collect::<Result<_, _>>()?;
        notices.insert(year, rows);
    }
    Ok(notices)
}

fn date(day: &Amendment) -> Result<NaiveDate, Refusal> {
    NaiveDate::parse_from_str(&day.date, "%Y-%m-%d").map_err(Refusal::internal)
}

fn row(day: &Amendment) -> Result<Row, Refusal> {
    Ok(Row {
        date: date(day)?,
        kind: match day.kind() {
            DayKind::Work => Kind::Workday,
            _ => Kind::Holiday,
        },
        name: day.name.clone(),
        source: day.citation.clone(),
    })
}

fn own(day: &Amendment) -> Result<Override, Refusal> {
    Ok(Override {
        date: date(day)?,
        kind: match day.kind() {
            DayKind::Work => OverrideKind::Work,
            _ => OverrideKind::Rest,
        },
        name: day.name.clone(),
        citation: day.citation.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str, kind: DayKind) -> Amendment {
        Amendment {
            date: date.to_owned(),
            kind: kind.into(),
            name: "元旦".to_owned(),
            citation: "国办发明电〔2026〕1号（示例）".to_owned(),
            amended_at: None,
        }
    }

    #[test]
    fn what_an_older_release_listed_is_kept_until_the_notice_is_learned_again() {
        let mut differs = Differs {
            listed: vec![
                day("2026-12-27", DayKind::Work),
                day("2027-01-01", DayKind::Rest),
            ],
            ..Differs::default()
        };
        let works = |calendar: &Calendar, date: &str| {
            let date = date.parse().expect("a date");
            calendar.is_working(date).expect("within the calendar")
        };
        let listed = calendar(&differs).expect("a calendar");
        assert!(listed.is_official(2027) && works(&listed, "2026-12-27"));
        assert!(!works(&listed, "2026-10-01"), "the year before stays");
        differs.notices.push(CalendarYearLoaded {
            year: 2027,
            days: vec![day("2027-01-01", DayKind::Rest)],
        });
        let again = calendar(&differs).expect("a calendar");
        assert!(again.is_official(2027) && !works(&again, "2026-12-27"));
    }
}
