//! Dates, times of day and instants, as the contract writes them.

use bangban_calendar::SHANGHAI;
use bangban_kit::refusal::Refusal;
use bangban_limits::time::instant;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Timelike as _, Utc};
use prost_types::Timestamp;

/// Minutes of a day.
const DAY_MINUTES: u32 = 24 * 60;

/// A date, YYYY-MM-DD.
///
/// # Errors
/// DATE_IMPOSSIBLE (BB-8d).
pub fn date(field: &str, text: &str) -> Result<NaiveDate, Refusal> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        Refusal::invalid(
            "DATE_IMPOSSIBLE",
            "BB-8d",
            "日期不存在，请核对",
            "there is no such date",
        )
        .field(field, "no such date")
    })
}

/// Minutes since midnight of HH:MM; none of what is no time of day.
#[must_use]
pub fn minutes(text: &str) -> Option<u32> {
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
    Some(time.hour() * 60 + time.minute())
}

/// Minutes since midnight of two times of day, the second after the first.
///
/// # Errors
/// TIMES_REVERSED (BB-9.2b).
pub fn span(field: &str, from: &str, to: &str) -> Result<(u32, u32), Refusal> {
    match (minutes(from), minutes(to)) {
        (Some(from), Some(to)) if from < to => Ok((from, to)),
        _ => Err(Refusal::invalid(
            "TIMES_REVERSED",
            "BB-9.2b",
            format!("结束时间须晚于开始时间（{from}—{to}）"),
            format!("the end must be later than the beginning ({from} to {to})"),
        )
        .field(field, "not later than the beginning")),
    }
}

/// The instant of so many minutes after midnight of a day in Asia/Shanghai.
#[must_use]
pub fn at(date: NaiveDate, minutes: u32) -> DateTime<Utc> {
    let days = chrono::Days::new(u64::from(minutes / DAY_MINUTES));
    let minutes = minutes % DAY_MINUTES;
    let time = NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap_or_default();
    let local = date.checked_add_days(days).unwrap_or(date).and_time(time);
    // A fixed offset: every local time is exactly one instant.
    SHANGHAI
        .from_local_datetime(&local)
        .single()
        .unwrap_or_default()
        .with_timezone(&Utc)
}

/// The day in Asia/Shanghai, and minutes since its midnight.
#[must_use]
pub fn local(at: DateTime<Utc>) -> (NaiveDate, u32) {
    let local = at.with_timezone(&SHANGHAI);
    (local.date_naive(), local.hour() * 60 + local.minute())
}

/// An instant of a message of ours; the epoch where it is missing, which is never later than anything.
#[must_use]
pub fn of(at: Option<&Timestamp>) -> DateTime<Utc> {
    at.and_then(instant).unwrap_or_default()
}

/// A day and minutes as people read them: `12月1日 09:30`, `1 December 09:30`.
#[must_use]
pub fn readable(at: DateTime<Utc>) -> (String, String) {
    let local = at.with_timezone(&SHANGHAI);
    (
        local.format("%-m月%-d日 %H:%M").to_string(),
        local.format("%-d %B %H:%M").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_and_times_that_are_none_are_refused() {
        for text in ["2026-02-30", "2026-13-01", "", "tomorrow"] {
            let refusal = date("date", text).expect_err("no date");
            assert_eq!(
                (refusal.reason, refusal.requirement),
                ("DATE_IMPOSSIBLE", "BB-8d")
            );
        }
        for (from, to) in [("10:00", "09:00"), ("10:00", "10:00"), ("25:00", "26:00")] {
            let refusal = span("hours", from, to).expect_err("reversed");
            assert_eq!(
                (refusal.reason, refusal.requirement),
                ("TIMES_REVERSED", "BB-9.2b")
            );
        }
        assert_eq!(span("hours", "08:30", "12:00").expect("a span"), (510, 720));
    }

    #[test]
    fn people_read_local_time() {
        let at = "2026-12-01T01:30:00Z".parse().expect("an instant");
        assert_eq!(
            readable(at),
            ("12月1日 09:30".to_owned(), "1 December 09:30".to_owned())
        );
    }

    proptest! {
        #[test]
        fn a_local_time_and_its_instant_are_the_same_moment(day in 0_u64..30_000, minute in 0_u32..DAY_MINUTES) {
            let first = NaiveDate::from_ymd_opt(2004, 1, 1).expect("a date");
            let date = first + chrono::Days::new(day);
            prop_assert_eq!(local(at(date, minute)), (date, minute));
        }
    }
}
