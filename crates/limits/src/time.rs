//! Instants, as the contract writes them and as rules judge them.

use bangban_calendar::SHANGHAI;
use bangban_kit::refusal::Refusal;
use chrono::{DateTime, FixedOffset, Utc};
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
