//! A due time that explains itself, day by day (BX-2).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::SHANGHAI;
use crate::calendar::Calendar;
use crate::clock::{Clock, Unit};
use crate::closing::Closing;
use crate::day::{Day, Reason};
use crate::due::{Due, remaining};
use crate::error::Error;
use crate::sentence;
use crate::walk::{End, Listener, Step, Verdict, walk};

/// The rule that decided about a day. Names are stable: records and vectors keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Rule {
    /// The day of the event does not count (民法典 art. 201).
    DayOfEvent,
    /// Counted: a weekday.
    WorkingDay,
    /// Counted: a weekend day that the State Council made a working day.
    MakeUpWorkingDay,
    /// Counted: a day on which this district works.
    DistrictWorkingDay,
    /// Not counted in working days (行政许可法 art. 82): Saturday or Sunday.
    Weekend,
    /// Not counted in working days: a day off by the State Council's notice.
    Holiday,
    /// Not counted in working days: a statutory holiday of a year without a notice.
    ProvisionalHoliday,
    /// Not counted in working days: this district's offices are closed.
    DistrictRestDay,
    /// Not counted: the clock stood still in some part of the day.
    Stopped,
    /// Counted: a day of a limit in calendar days.
    CalendarDay,
    /// Counted as the last of a limit in calendar days, but a rest day: the end moves (民法典 art. 203).
    LastDayIsRest,
    /// Not counted: a rest day after the last one.
    RestAfterLastDay,
    /// Not counted: the working day to which the end moved.
    MovedToWorkingDay,
    /// Not counted: the limit is the same working day.
    SameDay,
    /// Hours ran on this day.
    HoursRun,
}

impl Rule {
    /// The stable name, as in JSON: `DAY_OF_EVENT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DayOfEvent => "DAY_OF_EVENT",
            Self::WorkingDay => "WORKING_DAY",
            Self::MakeUpWorkingDay => "MAKE_UP_WORKING_DAY",
            Self::DistrictWorkingDay => "DISTRICT_WORKING_DAY",
            Self::Weekend => "WEEKEND",
            Self::Holiday => "HOLIDAY",
            Self::ProvisionalHoliday => "PROVISIONAL_HOLIDAY",
            Self::DistrictRestDay => "DISTRICT_REST_DAY",
            Self::Stopped => "STOPPED",
            Self::CalendarDay => "CALENDAR_DAY",
            Self::LastDayIsRest => "LAST_DAY_IS_REST",
            Self::RestAfterLastDay => "REST_AFTER_LAST_DAY",
            Self::MovedToWorkingDay => "MOVED_TO_WORKING_DAY",
            Self::SameDay => "SAME_DAY",
            Self::HoursRun => "HOURS_RUN",
        }
    }
}

/// One day between start and due time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayExplained {
    /// The local date.
    pub date: NaiveDate,
    /// Whether it used up a unit, or hours ran on it.
    pub counted: bool,
    /// Which unit of the limit it was, from 1; none when not counted or when hours are counted.
    pub number: Option<u32>,
    /// For a limit in hours, for how long the clock ran that day.
    pub seconds: Option<i64>,
    /// Whether the year's notice may still change what kind of day it is.
    pub is_provisional: bool,
    /// The rule that decided.
    pub rule: Rule,
    /// The same in English.
    pub reason_en: String,
    /// The same in Chinese.
    pub reason_zh: String,
    /// Law, notice, local rule or stop that the rule rests on.
    pub source: String,
}

/// Why a limit ends when it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Every day from the start to the due time; while the clock is held, to the day of asking.
    pub days: Vec<DayExplained>,
    /// The same as [`crate::due`] says.
    pub due: Due,
    /// [`Calendar::version`] of the calendar that was used.
    pub calendar_version: String,
    /// Whether a notice that is not loaded yet may still move it.
    pub provisional: bool,
    /// For the applicant, in Chinese.
    pub sentence_zh: String,
    /// For the applicant, in English.
    pub sentence_en: String,
}

/// Explains the due time of a clock to somebody who asks at `now` (BX-2).
///
/// # Errors
/// As [`crate::due`]; [`Error::OutOfRange`] also when the clock is held and `now` lies outside the calendar.
pub fn explain(
    calendar: &Calendar,
    clock: &Clock,
    closing: impl Into<Closing>,
    now: DateTime<FixedOffset>,
) -> Result<Explanation, Error> {
    let closing = closing.into();
    let mut steps = Steps(Vec::new());
    let end = walk(calendar, clock, closing, &mut steps)?;
    let mut steps = steps.0;
    if let End::Stopped(stop) = end {
        let today = now.with_timezone(&SHANGHAI).date_naive();
        let first = steps
            .last()
            .map(|step| step.date.succ_opt().unwrap_or(step.date));
        let first = first.unwrap_or_else(|| clock.start.with_timezone(&SHANGHAI).date_naive());
        let held = first
            .iter_days()
            .take_while(|date| *date <= today.max(stop.from.date()));
        let verdict = Verdict::Stopped(stop.index);
        steps.extend(held.map(|date| Step {
            date,
            verdict,
            ends_at: date.and_time(NaiveTime::MIN),
        }));
    }
    let mut days = Vec::with_capacity(steps.len());
    let mut number = 0;
    for step in steps {
        days.push(explained(
            &calendar.day(step.date)?,
            clock,
            step.verdict,
            &mut number,
        ));
    }
    let due = Due::of(end, clock);
    let left = remaining(calendar, clock, closing, now)?;
    let facts = sentence::Facts {
        clock,
        due,
        days: &days,
        left,
        closing,
        total: clock.total()?,
    };
    let (sentence_zh, sentence_en) = (sentence::chinese(&facts), sentence::english(&facts));
    let calendar_version = calendar.version().to_owned();
    Ok(Explanation {
        days,
        due,
        calendar_version,
        provisional: due.is_provisional(),
        sentence_zh,
        sentence_en,
    })
}

struct Steps(Vec<Step>);

impl Listener for Steps {
    fn step(&mut self, step: Step) {
        self.0.push(step);
    }
}

fn explained(day: &Day, clock: &Clock, verdict: Verdict, number: &mut u32) -> DayExplained {
    let rule = rule(day, clock.limit.unit, verdict);
    let (is_unit, seconds) = match verdict {
        Verdict::Counted | Verdict::LastDayIsRest => (true, None),
        Verdict::Hours(ran) => (false, Some(ran.num_seconds())),
        _ => (false, None),
    };
    *number += u32::from(is_unit);
    let source = match verdict {
        Verdict::Stopped(index) => clock.stops[index].citation.clone(),
        Verdict::DayOfEvent => "民法典 art. 201".to_owned(),
        Verdict::LastDayIsRest | Verdict::RestAfterLastDay | Verdict::MovedToWorkingDay => {
            format!("民法典 art. 203; {}", day.source)
        }
        Verdict::Counted if clock.limit.unit == Unit::CalendarDay => clock.limit.citation.clone(),
        Verdict::Hours(_) | Verdict::SameDay => clock.limit.citation.clone(),
        Verdict::Counted | Verdict::Rest => day.source.clone(),
    };
    let name = day.name.as_deref();
    let (reason_zh, reason_en) = match verdict {
        Verdict::Stopped(index) => sentence::stopped(clock.stops[index].kind),
        _ => sentence::reason(rule, name, seconds),
    };
    DayExplained {
        date: day.date,
        counted: is_unit || seconds.is_some_and(|seconds| seconds > 0),
        number: is_unit.then_some(*number),
        seconds,
        is_provisional: day.is_provisional,
        rule,
        reason_en,
        reason_zh,
        source,
    }
}

fn rule(day: &Day, unit: Unit, verdict: Verdict) -> Rule {
    match verdict {
        Verdict::DayOfEvent => Rule::DayOfEvent,
        Verdict::Stopped(_) => Rule::Stopped,
        Verdict::LastDayIsRest => Rule::LastDayIsRest,
        Verdict::RestAfterLastDay => Rule::RestAfterLastDay,
        Verdict::MovedToWorkingDay => Rule::MovedToWorkingDay,
        Verdict::SameDay => Rule::SameDay,
        Verdict::Hours(_) => Rule::HoursRun,
        Verdict::Counted if unit == Unit::CalendarDay => Rule::CalendarDay,
        Verdict::Counted | Verdict::Rest => match day.reason {
            Reason::Weekday => Rule::WorkingDay,
            Reason::Weekend => Rule::Weekend,
            Reason::Holiday => Rule::Holiday,
            Reason::MakeUpWorkingDay => Rule::MakeUpWorkingDay,
            Reason::ProvisionalHoliday => Rule::ProvisionalHoliday,
            Reason::DistrictRest => Rule::DistrictRestDay,
            Reason::DistrictWork => Rule::DistrictWorkingDay,
        },
    }
}
