//! Clocks: what the contract says about one, as the calendar counts it (BB-8a, BX-2).

use bangban_calendar::{
    Calendar, Clock as Running, Closing, Due, Explanation, Limit, Stop as Halt, StopKind, Unit,
};
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{Clock, ClockRecomputed, Recount},
    types::v1::{DueTimeExplanation, ExplainedDay, Text, TimeUnit},
};
use chrono::{DateTime, FixedOffset, NaiveTime};
use prost_types::Timestamp;

use crate::time::{local, timestamp};

/// How long before a due time the warning is given, in seconds: a day.
pub const WARNING_SECONDS: i64 = 86_400;

/// The same for limits of the same day, or in hours: an hour.
const SHORT_WARNING_SECONDS: i64 = 3_600;

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

/// A clock starts: its due time is counted.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn started(mut clock: Clock, calendar: &Calendar) -> Result<Clock, Refusal> {
    (clock.due_at, clock.is_provisional) = due(calendar, &clock)?;
    Ok(clock)
}

/// The clock with this id, still running or standing.
#[must_use]
pub fn open<'a>(clocks: &'a [Clock], id: &str) -> Option<&'a Clock> {
    clocks.iter().find(|c| c.id == id && c.ended_at.is_none())
}

/// Whether a clock runs: it has not ended and does not stand still.
#[must_use]
pub fn runs(clock: &Clock) -> bool {
    clock.ended_at.is_none() && clock.due_at.is_some()
}

/// A clock is counted anew, with before and after (BX-3); nothing when it stays. `changed` is the clock with its stops
/// and extensions of now.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn recomputed(
    clock: &Clock,
    changed: &Clock,
    reason: &str,
    calendar: &Calendar,
) -> Result<Option<ClockRecomputed>, Refusal> {
    let (after, is_provisional) = due(calendar, changed)?;
    if after == clock.due_at && is_provisional == clock.is_provisional {
        return Ok(None);
    }
    Ok(Some(ClockRecomputed {
        clock: clock.id.clone(),
        before: clock.due_at,
        after,
        reason: reason.to_owned(),
        calendar_version: calendar.version().to_owned(),
        is_provisional,
    }))
}

/// The clocks that run, counted by the calendar as it is now: those whose due time moves (BX-3).
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn recounted(
    clocks: &[Clock],
    reason: &str,
    calendar: &Calendar,
) -> Result<Vec<ClockRecomputed>, Refusal> {
    let count = |clock: &Clock| recomputed(clock, clock, reason, calendar).transpose();
    clocks
        .iter()
        .filter(|c| runs(c))
        .filter_map(count)
        .collect()
}

/// A due time that moved is put down with its clock.
pub fn moved(clock: &mut Clock, act: &ClockRecomputed, at: Timestamp) {
    clock.recounts.push(Recount {
        before: act.before,
        after: act.after,
        reason: act.reason.clone(),
        calendar_version: act.calendar_version.clone(),
        recounted_at: Some(at),
    });
    clock.due_at = act.after;
    clock.is_provisional = act.is_provisional;
    clock.warned_at = None;
    // A breach stays on record; one of the new due time would be another.
    if act.after.is_some_and(|after| after.seconds > at.seconds) {
        clock.breached_at = None;
    }
}

/// What a clock calls for when nobody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The due time is near: see [`warning_at`].
    Warn(String),
    /// The due time has passed.
    Breach(String),
}

/// When the warning of a due time is given, in seconds since the epoch: a day before, or an hour before when the limit is
/// the same day or counts hours; a day before would come with the start itself.
#[must_use]
pub fn warning_at(clock: &Clock, due: i64) -> i64 {
    if clock.amount == 0 || clock.unit() == TimeUnit::Hour {
        due - SHORT_WARNING_SECONDS
    } else {
        due - WARNING_SECONDS
    }
}

/// What clocks call for at an instant, in seconds since the epoch; each by the clock's id (BB-8a).
#[must_use]
pub fn calls(clocks: &[Clock], now: i64) -> Vec<Call> {
    let call = |clock: &Clock| {
        let due = clock.due_at?.seconds;
        if now >= due {
            Some(Call::Breach(clock.id.clone()))
        } else if clock.warned_at.is_none() && now >= warning_at(clock, due) {
            Some(Call::Warn(clock.id.clone()))
        } else {
            None
        }
    };
    clocks
        .iter()
        .filter(|c| runs(c) && c.breached_at.is_none())
        .filter_map(call)
        .collect()
}

/// When clocks next call for something, in seconds since the epoch.
#[must_use]
pub fn attention_at(clocks: &[Clock]) -> Option<i64> {
    let when = |clock: &Clock| {
        let due = clock.due_at.as_ref()?.seconds;
        Some(if clock.warned_at.is_some() {
            due
        } else {
            warning_at(clock, due)
        })
    };
    clocks
        .iter()
        .filter(|c| runs(c) && c.breached_at.is_none())
        .filter_map(when)
        .min()
}

/// The next due time.
#[must_use]
pub fn next_due_at(clocks: &[Clock]) -> Option<Timestamp> {
    clocks
        .iter()
        .filter(|c| c.ended_at.is_none())
        .filter_map(|c| c.due_at)
        .min_by_key(|due| (due.seconds, due.nanos))
}

/// A due time explains itself, day by day, to somebody who asks at `now` (BX-2).
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn explained(
    clock: &Clock,
    calendar: &Calendar,
    now: DateTime<FixedOffset>,
) -> Result<DueTimeExplanation, Refusal> {
    let told = bangban_calendar::explain(calendar, &running(clock)?, closing(clock), now)
        .map_err(Refusal::internal)?;
    let Explanation {
        days,
        due,
        calendar_version,
        provisional,
        sentence_zh,
        sentence_en,
    } = told;
    let day = |day: bangban_calendar::DayExplained| ExplainedDay {
        date: day.date.to_string(),
        is_counted: day.counted,
        number: day.number.unwrap_or_default(),
        rule: day.rule.name().to_owned(),
        reason: Some(Text {
            zh: day.reason_zh,
            en: day.reason_en,
        }),
        source: day.source,
    };
    Ok(DueTimeExplanation {
        days: days.into_iter().map(day).collect(),
        due_at: due.at().map(|at| timestamp(at.to_utc())),
        is_provisional: provisional,
        calendar_version,
        sentence: Some(Text {
            zh: sentence_zh,
            en: sentence_en,
        }),
    })
}
