//! The calendar of a district, from what was learned.

use bangban_calendar::{Calendar, Kind, Override, OverrideKind, Row};
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{Amendment, Calendar as Differs, DayKind};
use chrono::NaiveDate;

/// The district's calendar: the national one with what differs.
///
/// # Errors
/// INTERNAL for amendments that contradict each other.
pub fn calendar(national: &Differs, district: &Differs) -> Result<Calendar, Refusal> {
    let mut calendar = Calendar::national();
    let date =
        |a: &Amendment| NaiveDate::parse_from_str(&a.date, "%Y-%m-%d").map_err(Refusal::internal);
    if !national.national.is_empty() {
        let mut years: std::collections::BTreeMap<i32, Vec<Row>> =
            std::collections::BTreeMap::new();
        for day in &national.national {
            let at = date(day)?;
            let kind = if day.kind() == DayKind::Work {
                Kind::Workday
            } else {
                Kind::Holiday
            };
            let row = Row {
                date: at,
                kind,
                name: day.name.clone(),
                source: day.citation.clone(),
            };
            years
                .entry(chrono::Datelike::year(&at))
                .or_default()
                .push(row);
        }
        for (year, rows) in years {
            calendar = calendar.with_year(year, rows).map_err(Refusal::internal)?;
        }
    }
    if district.amendments.is_empty() {
        return Ok(calendar);
    }
    let mut overrides = Vec::new();
    for day in &district.amendments {
        let kind = if day.kind() == DayKind::Work {
            OverrideKind::Work
        } else {
            OverrideKind::Rest
        };
        overrides.push(Override {
            date: date(day)?,
            kind,
            name: day.name.clone(),
            citation: day.citation.clone(),
        });
    }
    calendar
        .with_overrides(overrides)
        .map_err(Refusal::internal)
}
