//! Clocks of a case: which limits run, when they are due, what stops them (BB-8a, BX-2).

use bangban_calendar::{
    Calendar, Clock as Running, Closing, Due, Limit, Stop as Halt, StopKind, Unit,
};
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{Case, Clock, ClockEnded, ClockName, ClockRecomputed, ClockStarted},
    directory::v1::{LimitName, LimitOwner},
    types::v1::TimeUnit,
};
use chrono::NaiveTime;
use prost_types::Timestamp;

use super::{
    Act, Outside,
    outside::{local, timestamp},
};

/// How long before a due time the warning is given, in seconds: a day.
pub const WARNING_SECONDS: i64 = 86_400;

fn unit(unit: TimeUnit) -> Unit {
    match unit {
        TimeUnit::CalendarDay => Unit::CalendarDay,
        TimeUnit::Hour => Unit::Hour,
        TimeUnit::WorkingDay | TimeUnit::Unspecified => Unit::WorkingDay,
    }
}

/// The clock as the calendar counts it.
///
/// # Errors
/// INTERNAL for a stored clock without a start.
pub fn running(clock: &Clock) -> Result<Running, Refusal> {
    let start = clock
        .started_at
        .as_ref()
        .and_then(local)
        .ok_or_else(|| Refusal::internal("a clock without a start"))?;
    let limit = Limit {
        amount: clock.amount,
        unit: unit(clock.unit()),
        citation: clock.citation.clone(),
    };
    let mut running = Running::new(start, limit);
    for extension in &clock.extensions {
        running.extensions.push(Limit {
            amount: extension.amount,
            unit: unit(extension.unit()),
            citation: extension.citation.clone(),
        });
    }
    for stop in &clock.stops {
        let from = stop
            .from
            .as_ref()
            .and_then(local)
            .ok_or_else(|| Refusal::internal("a stop without a start"))?;
        running.stops.push(Halt {
            from,
            to: stop.to.as_ref().and_then(local),
            citation: stop.citation.clone(),
            kind: StopKind::ItemRule,
        });
    }
    Ok(running)
}

/// When the responsible office closes.
#[must_use]
pub fn closing(clock: &Clock) -> Closing {
    let mut week = [None; 7];
    for (day, time) in week.iter_mut().zip(&clock.closing_times) {
        *day = NaiveTime::parse_from_str(time, "%H:%M").ok();
    }
    Closing::of_week(week)
}

/// Closing times of the office that a limit binds.
fn office(owner: LimitOwner, case: &Case, outside: &Outside<'_>) -> Vec<String> {
    match owner {
        LimitOwner::Department => outside.department.closing_times.clone(),
        LimitOwner::Institution | LimitOwner::Unspecified => case.closing_times.clone(),
    }
}

/// The due time of a clock: none while it stands still.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn due(calendar: &Calendar, clock: &Clock) -> Result<(Option<Timestamp>, bool), Refusal> {
    let due = bangban_calendar::due(calendar, &running(clock)?, closing(clock))
        .map_err(Refusal::internal)?;
    Ok(match due {
        Due::At {
            at, provisional, ..
        } => (Some(timestamp(at.to_utc())), provisional),
        Due::Stopped { .. } => (None, false),
    })
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
    (clock.due_at, clock.is_provisional) = due(outside.calendar, &clock)?;
    Ok(Act::ClockStarted(ClockStarted { clock: Some(clock) }))
}

/// The clock with this id, still running or standing.
#[must_use]
pub fn open<'a>(case: &'a Case, id: &str) -> Option<&'a Clock> {
    case.clocks
        .iter()
        .find(|c| c.id == id && c.ended_at.is_none())
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
    let (after, is_provisional) = due(calendar, changed)?;
    if after == clock.due_at && is_provisional == clock.is_provisional {
        return Ok(None);
    }
    Ok(Some(Act::ClockRecomputed(ClockRecomputed {
        clock: clock.id.clone(),
        before: clock.due_at,
        after,
        reason: reason.to_owned(),
        calendar_version: calendar.version().to_owned(),
        is_provisional,
    })))
}

/// When something is to be done about the case's clocks without being asked: a warning, or the record of a breach.
#[must_use]
pub fn attention_at(case: &Case) -> Option<i64> {
    case.clocks
        .iter()
        .filter(|c| c.ended_at.is_none() && c.breached_at.is_none())
        .filter_map(|c| {
            let due = c.due_at.as_ref()?.seconds;
            Some(if c.warned_at.is_some() {
                due
            } else {
                due - WARNING_SECONDS
            })
        })
        .min()
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
