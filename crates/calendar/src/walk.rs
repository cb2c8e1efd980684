//! The one place that counts. It goes through the days of a limit and says of each what it was; [`crate::due`],
//! [`crate::remaining`] and [`crate::explain`] listen to the same walk, so that they cannot disagree.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use crate::SHANGHAI;
use crate::calendar::Calendar;
use crate::clock::{Clock, Unit};
use crate::closing::Closing;
use crate::error::Error;
use crate::stops::{Span, Stops};

/// What a day was to the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    DayOfEvent,
    Counted,
    Rest,
    Stopped(usize),
    /// Counted as the last of a limit in calendar days, which then moves because offices are closed.
    LastDayIsRest,
    RestAfterLastDay,
    /// Not counted, and yet the day on which the limit ends.
    MovedToWorkingDay,
    SameDay,
    /// How long the clock ran that day.
    Hours(TimeDelta),
}

/// A day, what it was, and from when on it is used up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) date: NaiveDate,
    pub(crate) verdict: Verdict,
    pub(crate) ends_at: NaiveDateTime,
}

/// How the walk ended, in local time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Due {
        at: NaiveDateTime,
        on: NaiveDate,
        is_provisional: bool,
    },
    Stopped(Span),
}

/// Who listens to a walk.
pub(crate) trait Listener {
    fn step(&mut self, step: Step);
    /// A stretch of an hourly limit in which the clock ran.
    fn ran(&mut self, _from: NaiveDateTime, _to: NaiveDateTime) {}
}

/// Nobody listens.
pub(crate) struct Silence;

impl Listener for Silence {
    fn step(&mut self, _: Step) {}
}

/// Walks the limit from its start to its end or to the stop that still holds it.
pub(crate) fn walk(
    calendar: &Calendar,
    clock: &Clock,
    closing: Closing,
    listener: &mut impl Listener,
) -> Result<End, Error> {
    let total = clock.total()?;
    let stops = Stops::of(clock)?;
    let start = clock.start.with_timezone(&SHANGHAI).naive_local();
    calendar.is_working(start.date())?;
    match clock.limit.unit {
        Unit::Hour => hours(calendar, start, total, &stops, listener),
        unit => days(
            calendar,
            Days {
                unit,
                start,
                total,
                closing,
                stops: &stops,
            },
            listener,
        ),
    }
}

struct Days<'a> {
    unit: Unit,
    start: NaiveDateTime,
    total: u32,
    closing: Closing,
    stops: &'a Stops,
}

impl Days<'_> {
    /// When the day ends for somebody who waits for the office (民法典 art. 203).
    fn close(&self, date: NaiveDate) -> Result<NaiveDateTime, Error> {
        match self.closing.on(date) {
            Some(time) => Ok(date.and_time(time)),
            None => midnight_after(date),
        }
    }
}

fn days(calendar: &Calendar, limit: Days<'_>, listener: &mut impl Listener) -> Result<End, Error> {
    let mut date = limit.start.date();
    let (mut counted, mut is_provisional) = (0, false);
    if limit.total > 0 {
        listener.step(Step {
            date,
            verdict: Verdict::DayOfEvent,
            ends_at: midnight_after(date)?,
        });
        date = next(date)?;
    }
    loop {
        let day_ends = midnight_after(date)?;
        let is_first = date == limit.start.date();
        let is_working = calendar.is_working(date)?;
        // A limit may end on this day when offices are open and no more than this day is left of it. Then only what
        // happens before closing matters; on any other day a stop in any part of it takes the whole day out.
        let may_end = is_working && counted + 1 >= limit.total;
        let (from, to) = match (is_first, may_end) {
            (true, _) => (limit.start, limit.close(date)?),
            (false, true) => (date.and_time(NaiveTime::MIN), limit.close(date)?),
            (false, false) => (date.and_time(NaiveTime::MIN), day_ends),
        };
        if let Some(stop) = limit.stops.within(from, to) {
            if stop.to.is_none() {
                return Ok(End::Stopped(stop));
            }
            listener.step(Step {
                date,
                verdict: Verdict::Stopped(stop.index),
                ends_at: day_ends,
            });
            date = next(date)?;
            continue;
        }
        let is_moving = counted >= limit.total;
        let verdict = match (limit.unit, is_working, is_moving) {
            (_, true, true) if is_first && to <= from => Verdict::DayOfEvent,
            (_, true, true) if is_first => Verdict::SameDay,
            (_, true, true) => Verdict::MovedToWorkingDay,
            (_, true, false) => Verdict::Counted,
            (Unit::CalendarDay, false, true) => Verdict::RestAfterLastDay,
            (Unit::CalendarDay, false, false) if counted + 1 == limit.total => {
                Verdict::LastDayIsRest
            }
            (Unit::CalendarDay, false, false) => Verdict::Counted,
            (_, false, _) => Verdict::Rest,
        };
        counted += u32::from(matches!(verdict, Verdict::Counted | Verdict::LastDayIsRest));
        // Whether offices work matters to every day of a limit in working days, to others only at their end.
        if limit.unit == Unit::WorkingDay || counted >= limit.total {
            is_provisional |= calendar.is_provisional(date)?;
        }
        let is_due = match verdict {
            Verdict::Counted => counted >= limit.total,
            Verdict::SameDay | Verdict::MovedToWorkingDay => true,
            _ => false,
        };
        let ends_at = if is_due { to } else { day_ends };
        listener.step(Step {
            date,
            verdict,
            ends_at,
        });
        if is_due {
            return Ok(End::Due {
                at: ends_at,
                on: date,
                is_provisional,
            });
        }
        date = next(date)?;
    }
}

fn hours(
    calendar: &Calendar,
    start: NaiveDateTime,
    total: u32,
    stops: &Stops,
    listener: &mut impl Listener,
) -> Result<End, Error> {
    let (mut at, mut left) = (start, TimeDelta::hours(i64::from(total)));
    let mut runs: Vec<(NaiveDateTime, NaiveDateTime)> = Vec::new();
    let mut held = None;
    for stop in stops
        .iter()
        .filter(|stop| stop.to.is_none_or(|to| stop.from < to))
    {
        if stop.from >= at + left {
            break;
        }
        if stop.from > at {
            runs.push((at, stop.from));
            left -= stop.from - at;
        }
        match stop.to {
            Some(to) => at = at.max(to),
            None => {
                held = Some(*stop);
                break;
            }
        }
    }
    if held.is_none() {
        runs.push((at, at + left));
        at += left;
    }
    for (from, to) in &runs {
        listener.ran(*from, *to);
    }
    let until = held.map_or(at, |stop| stop.from.max(start));
    calendar.is_working(until.date())?;
    let mut date = start.date();
    while date <= until.date() {
        let (begins, ends) = (date.and_time(NaiveTime::MIN), midnight_after(date)?);
        let overlaps = runs
            .iter()
            .map(|(from, to)| (*to).min(ends) - (*from).max(begins));
        let ran = overlaps
            .filter(|part| *part > TimeDelta::zero())
            .sum::<TimeDelta>();
        let verdict = match stops.within(begins.max(start), ends) {
            Some(stop) if ran.is_zero() => Verdict::Stopped(stop.index),
            _ => Verdict::Hours(ran),
        };
        // An open stop's own day is told with the stop when the clock did not run on it.
        if held.is_none() || !ran.is_zero() || date < until.date() {
            listener.step(Step {
                date,
                verdict,
                ends_at: ends.min(until),
            });
        }
        date = next(date)?;
    }
    match held {
        Some(stop) => Ok(End::Stopped(stop)),
        // 24:00 belongs to the day that it ends.
        None => Ok(End::Due {
            at,
            on: at.date(),
            is_provisional: false,
        }),
    }
}

fn next(date: NaiveDate) -> Result<NaiveDate, Error> {
    date.succ_opt().ok_or(Error::OutOfRange(date))
}

fn midnight_after(date: NaiveDate) -> Result<NaiveDateTime, Error> {
    Ok(next(date)?.and_time(NaiveTime::MIN))
}
