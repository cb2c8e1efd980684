//! Clocks of a case: which limits run, and who answers for them (BB-8a).

use bangban_calendar::Calendar;
use bangban_kit::refusal::Refusal;
use bangban_limits::clock;
use bangban_proto::bangban::{
    casework::v1::{Case, Clock, ClockEnded, ClockName, ClockStarted},
    directory::v1::{LimitName, LimitOwner},
};
use prost_types::Timestamp;

use super::{Act, Outside, delegation};

/// Closing times of the office that a limit binds.
fn office(owner: LimitOwner, case: &Case, outside: &Outside<'_>) -> Vec<String> {
    match owner {
        LimitOwner::Department => outside.department.closing_times.clone(),
        LimitOwner::Institution | LimitOwner::Unspecified => case.closing_times.clone(),
    }
}

/// Starts a clock from a limit of the item's version; nothing when the version has no such limit.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn start(
    case: &Case,
    (name, limit): (ClockName, LimitName),
    id: &str,
    at: &Timestamp,
    outside: &Outside<'_>,
) -> Result<Option<Act>, Refusal> {
    let Some(limit) = outside.item.limits.iter().find(|l| l.name() == limit) else {
        return Ok(None);
    };
    started(
        case,
        Clock {
            id: id.to_owned(),
            name: name.into(),
            owner: limit.owner,
            amount: limit.amount,
            unit: limit.unit,
            citation: limit.citation.clone(),
            started_at: Some(*at),
            ..Clock::default()
        },
        outside,
    )
    .map(Some)
}

/// Starts a clock that is described whole.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn started(case: &Case, mut clock: Clock, outside: &Outside<'_>) -> Result<Act, Refusal> {
    clock.closing_times = office(clock.owner(), case, outside);
    Ok(Act::ClockStarted(ClockStarted {
        clock: Some(clock::started(clock, outside.calendar)?),
    }))
}

/// The clock with this id, still running or standing.
#[must_use]
pub fn open<'a>(case: &'a Case, id: &str) -> Option<&'a Clock> {
    clock::open(&case.clocks, id)
}

/// Ends a clock if it runs: at the instant at which what was owed was done, which may be reported later (BB-8a).
#[must_use]
pub fn ended(case: &Case, id: &str, at: Option<Timestamp>) -> Option<Act> {
    open(case, id).map(|clock| {
        Act::ClockEnded(ClockEnded {
            clock: clock.id.clone(),
            at,
        })
    })
}

/// The clock is counted anew, with before and after on record (BX-3); nothing when it stays.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn recomputed(
    clock: &Clock,
    changed: &Clock,
    reason: &str,
    calendar: &Calendar,
) -> Result<Option<Act>, Refusal> {
    let moved = clock::recomputed(clock, changed, reason, calendar)?;
    Ok(moved.map(Act::ClockRecomputed))
}

/// When something is to be done about the case without being asked: a warning, the record of a breach, the end of a
/// delegation whose term is over. In seconds since the epoch.
#[must_use]
pub fn attention_at(case: &Case) -> Option<i64> {
    let clocks = clock::attention_at(&case.clocks);
    clocks.into_iter().chain(delegation::expires_at(case)).min()
}

/// Who answers for a clock: the responsible agent, or the department.
#[must_use]
pub fn responsible(case: &Case, clock: &Clock) -> String {
    if clock.owner() == LimitOwner::Department {
        case.department.clone()
    } else {
        case.agent.clone()
    }
}
