//! Questions to the national calendar.

use bangban_calendar::{Calendar, Clock, Limit, SHANGHAI, Unit, explain};
use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveTime};

use crate::{cli, failure::Failure, tell};

/// Answers on standard output.
pub fn answer(question: &cli::Calendar) -> Result<(), Failure> {
    let calendar = Calendar::national();
    match question {
        cli::Calendar::IsWorkingDay { date } => {
            let day = calendar.day(*date).map_err(failed)?;
            let nature = if day.is_working {
                "working day 工作日"
            } else {
                "rest day 休息日"
            };
            let name = day.name.map(|name| format!(" {name}")).unwrap_or_default();
            let doubt = if day.is_provisional {
                "; provisional until the year's notice is loaded"
            } else {
                ""
            };
            tell::line(format!(
                "{date} {}: {nature} ({:?}{name}; {}{doubt})",
                date.weekday(),
                day.reason,
                day.source
            ));
        }
        cli::Calendar::Add { date, count } => {
            let end = calendar.add_working_days(*date, *count).map_err(failed)?;
            tell::line(format!("{end} {}", end.weekday()));
        }
        cli::Calendar::Due {
            start,
            limit,
            unit,
            closes,
        } => {
            let unit = match unit {
                cli::Unit::WorkingDay => Unit::WorkingDay,
                cli::Unit::CalendarDay => Unit::CalendarDay,
                cli::Unit::Hour => Unit::Hour,
            };
            let limit = Limit {
                amount: *limit,
                unit,
                citation: "as asked on the command line".to_owned(),
            };
            due(&calendar, &Clock::new(*start, limit), *closes)?;
        }
    }
    Ok(())
}

fn due(calendar: &Calendar, clock: &Clock, closes: Option<NaiveTime>) -> Result<(), Failure> {
    let why = explain(calendar, clock, closes, clock.start).map_err(failed)?;
    for day in &why.days {
        let number = day
            .number
            .map_or_else(|| " –".to_owned(), |number| format!("{number:>2}"));
        let zh = &day.reason_zh;
        tell::line(format!(
            "{} {}  {number}  {zh} / {} ({})",
            day.date,
            day.date.weekday(),
            day.reason_en,
            day.source
        ));
    }
    tell::line(&why.sentence_zh);
    tell::line(&why.sentence_en);
    if let Some(at) = why.due.at() {
        let doubt = if why.provisional { ", provisional" } else { "" };
        tell::line(format!(
            "due: {} (calendar {}{doubt})",
            at.to_rfc3339(),
            why.calendar_version
        ));
    }
    Ok(())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn failed(error: bangban_calendar::Error) -> Failure {
    Failure::new(format!("{error}: ask for other dates or a shorter limit."))
}

/// An instant: a date (09:00 of that day in Asia/Shanghai), or a date with time and offset.
pub fn instant(text: &str) -> Result<DateTime<FixedOffset>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at);
    }
    let nine = NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default();
    text.parse::<NaiveDate>()
        .ok()
        .and_then(|date| date.and_time(nine).and_local_timezone(SHANGHAI).single())
        .ok_or_else(|| "write YYYY-MM-DD, or 2026-11-24T10:30:00+08:00".to_owned())
}

/// A time of day.
pub fn time(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M")
        .map_err(|_| "write HH:MM, for example 17:30".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_alone_is_nine_o_clock_in_shanghai() {
        assert_eq!(
            instant("2026-11-24").expect("an instant").to_rfc3339(),
            "2026-11-24T09:00:00+08:00"
        );
        assert!(instant("24.11.2026").is_err());
    }
}
