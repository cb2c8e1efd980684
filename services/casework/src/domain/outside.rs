//! What the outside knows when a command is decided.

use bangban_calendar::Calendar;
use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_limits::time;
pub use bangban_limits::time::{instant, local, timestamp};
use bangban_proto::bangban::{
    casework::v1::{Case, CaseState},
    directory::v1::{Department, ItemVersion},
    types::v1::Actor,
};
use chrono::{DateTime, Utc};
use prost_types::Timestamp;

/// Time, actor, calendar and catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    /// Now, by the clock that rules are judged by.
    pub now: DateTime<Utc>,
    /// Who acts.
    pub caller: &'a Caller,
    /// The district's calendar.
    pub calendar: &'a Calendar,
    /// The version of the item that the case is under.
    pub item: &'a ItemVersion,
    /// The competent department.
    pub department: &'a Department,
    /// The case from which a material is to be reused, when one is named and there is one.
    pub earlier: Option<&'a Case>,
}

impl Outside<'_> {
    /// Now, as the contract writes it.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        Some(timestamp(self.now))
    }

    /// Who acts, as the contract writes it.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        Some(self.caller.actor())
    }
}

/// A reported instant: not in the future, not before `earliest`.
///
/// # Errors
/// TIME_IN_FUTURE, TIME_TOO_EARLY (BB-8d).
pub fn reported(
    field: &'static str,
    at: Option<&Timestamp>,
    earliest: Option<&Timestamp>,
    outside: &Outside<'_>,
) -> Result<Timestamp, Refusal> {
    time::reported(field, at, earliest, outside.now)
}

/// The number of the next entry in a list of the case, from 1.
#[must_use]
pub fn next_number<T>(entries: &[T]) -> u32 {
    u32::try_from(entries.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1)
}

/// The case is in one of these states.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d).
pub fn in_state(case: &Case, states: &[CaseState], zh: &str, en: &str) -> Result<(), Refusal> {
    if states.contains(&case.state()) {
        return Ok(());
    }
    Err(Refusal::precondition(
        "OUT_OF_ORDER",
        "BB-8d",
        format!("{zh}（当前状态：{}）", state_zh(case.state())),
        format!(
            "{en} (the case is {})",
            case.state().as_str_name().trim_start_matches("CASE_STATE_")
        ),
    ))
}

/// The case still goes on.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d).
pub fn going_on(case: &Case) -> Result<(), Refusal> {
    in_state(
        case,
        &[
            CaseState::Open,
            CaseState::PreChecked,
            CaseState::Filed,
            CaseState::Accepted,
            CaseState::Decided,
            CaseState::Delivered,
        ],
        "办件已结束，只能作更正",
        "the case has ended: only corrections are possible",
    )
}

/// A state as a clerk reads it.
#[must_use]
pub fn state_zh(state: CaseState) -> &'static str {
    match state {
        CaseState::Unspecified => "未知",
        CaseState::Open => "已接待",
        CaseState::PreChecked => "预审通过",
        CaseState::Filed => "已提交",
        CaseState::Accepted => "已受理",
        CaseState::Decided => "已决定",
        CaseState::Delivered => "已交付",
        CaseState::FiledAway => "已归档",
        CaseState::Ended => "已终止",
    }
}
