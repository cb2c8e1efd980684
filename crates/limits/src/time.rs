//! Instants, as the contract writes them and as rules judge them.

use bangban_calendar::SHANGHAI;
use bangban_kit::refusal::Refusal;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use prost_types::Timestamp;

/// An instant as the contract writes it.
#[must_use]
pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

/// An instant of the contract.
#[must_use]
pub fn instant(at: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}

/// An instant of the contract in Asia/Shanghai.
#[must_use]
pub fn local(at: &Timestamp) -> Option<DateTime<FixedOffset>> {
    instant(at).map(|at| at.with_timezone(&SHANGHAI))
}

/// An instant of the contract in microseconds since the epoch, as rows have it.
#[must_use]
pub fn us(at: Option<&Timestamp>) -> Option<i64> {
    at.map(|t| t.seconds * 1_000_000 + i64::from(t.nanos) / 1000)
}

/// The day of an instant in Asia/Shanghai.
#[must_use]
pub fn today(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&SHANGHAI).date_naive()
}

/// Midnight in Asia/Shanghai at the beginning of a day.
#[must_use]
pub fn day_start(date: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = date.and_hms_opt(0, 0, 0)?;
    let local = midnight.and_local_timezone(SHANGHAI).single()?;
    Some(local.with_timezone(&Utc))
}

/// A date of the contract, YYYY-MM-DD.
///
/// # Errors
/// DATE_IMPOSSIBLE (BB-8d).
pub fn date(field: &'static str, text: &str) -> Result<NaiveDate, Refusal> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| impossible(field))
}

/// Midnight in Asia/Shanghai at the beginning of a date of the contract, in microseconds since the epoch.
///
/// # Errors
/// DATE_IMPOSSIBLE (BB-8d).
pub fn day_start_us(field: &'static str, text: &str) -> Result<i64, Refusal> {
    let start = day_start(date(field, text)?).ok_or_else(|| impossible(field))?;
    Ok(start.timestamp_micros())
}

fn impossible(field: &'static str) -> Refusal {
    Refusal::invalid(
        "DATE_IMPOSSIBLE",
        "BB-8d",
        "日期不存在",
        "there is no such date",
    )
    .field(field, "no such date")
}

/// A reported instant: not in the future, not before `earliest`.
///
/// # Errors
/// TIME_IN_FUTURE, TIME_TOO_EARLY (BB-8d).
pub fn reported(
    field: &'static str,
    at: Option<&Timestamp>,
    earliest: Option<&Timestamp>,
    now: DateTime<Utc>,
) -> Result<Timestamp, Refusal> {
    let given = at.and_then(instant).ok_or_else(|| {
        Refusal::invalid(
            "TIME_IMPOSSIBLE",
            "BB-8d",
            "时间不存在",
            "this is no instant",
        )
        .field(field, "no instant")
    })?;
    // A minute of grace for clocks that differ.
    if given > now + chrono::TimeDelta::minutes(1) {
        return Err(Refusal::invalid(
            "TIME_IN_FUTURE",
            "BB-8d",
            "时间不能在将来",
            "the instant lies in the future",
        )
        .field(field, "lies in the future"));
    }
    if earliest
        .and_then(instant)
        .is_some_and(|earliest| given < earliest)
    {
        return Err(Refusal::invalid(
            "TIME_TOO_EARLY",
            "BB-8d",
            "时间早于前一环节，请核对",
            "the instant lies before the step that comes first",
        )
        .field(field, "before the step that comes first"));
    }
    Ok(timestamp(given))
}
