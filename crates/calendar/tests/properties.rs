//! What must hold for every clock, whatever its limit, stops, district and closing time.

use bangban_calendar::{
    Calendar, Clock, Due, Limit, Override, OverrideKind, Remaining, Stop, StopKind, Unit, due,
    explain, remaining,
};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeDelta};
use proptest::prelude::*;

const MINUTES_OF_A_YEAR: i64 = 366 * 24 * 60;

fn origin() -> DateTime<FixedOffset> {
    "2024-01-01T00:00:00+08:00".parse().expect("an instant")
}

fn limit(amount: u32, unit: Unit) -> Limit {
    Limit {
        amount,
        unit,
        citation: "example".into(),
    }
}

fn units() -> impl Strategy<Value = Unit> {
    prop_oneof![
        Just(Unit::WorkingDay),
        Just(Unit::CalendarDay),
        Just(Unit::Hour)
    ]
}

fn closing_times() -> impl Strategy<Value = Option<NaiveTime>> {
    prop::option::of(
        (12_u32..20).prop_map(|hour| NaiveTime::from_hms_opt(hour, 30, 0).expect("a time")),
    )
}

/// Clocks that start in 2024 to 2027, so that official and provisional years both occur, with up to four closed stops.
fn clocks(unit: impl Strategy<Value = Unit>) -> impl Strategy<Value = Clock> {
    let stop = (0..60_i64 * 24 * 60, 0..12_i64 * 24 * 60);
    let parts = (
        unit,
        0..60_u32,
        0..4 * MINUTES_OF_A_YEAR,
        prop::collection::vec(stop, 0..5),
        0..2_u32,
    );
    parts.prop_map(|(unit, amount, start, stops, extension)| {
        let start = origin() + TimeDelta::minutes(start);
        let stop = |(after, length): (i64, i64)| {
            let from = start + TimeDelta::minutes(after);
            let to = Some(from + TimeDelta::minutes(length));
            Stop {
                from,
                to,
                citation: "行政许可法 art. 45".into(),
                kind: StopKind::Testing,
            }
        };
        let extensions = vec![limit(5, unit); extension as usize];
        Clock {
            start,
            limit: limit(amount, unit),
            extensions,
            stops: stops.into_iter().map(stop).collect(),
        }
    })
}

/// Districts that close on some days and work on others.
fn districts() -> impl Strategy<Value = Calendar> {
    prop::collection::btree_map(0..4 * 366_u64, any::<bool>(), 0..40).prop_map(|days| {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date");
        let day = |(after, works): (u64, bool)| Override {
            date: first + chrono::Days::new(after),
            kind: if works {
                OverrideKind::Work
            } else {
                OverrideKind::Rest
            },
            name: "local".into(),
            citation: "county notice".into(),
        };
        Calendar::national()
            .with_overrides(days.into_iter().map(day))
            .expect("sound overrides")
    })
}

fn at(calendar: &Calendar, clock: &Clock, closing: Option<NaiveTime>) -> DateTime<FixedOffset> {
    due(calendar, clock, closing)
        .expect("inside the calendar")
        .at()
        .expect("no open stop")
}

fn left(
    calendar: &Calendar,
    clock: &Clock,
    closing: Option<NaiveTime>,
    now: DateTime<FixedOffset>,
) -> Remaining {
    remaining(calendar, clock, closing, now).expect("inside the calendar")
}

/// What is left, in one number that falls as time passes.
fn amount(left: &Remaining) -> i64 {
    left.seconds.unwrap_or(i64::from(left.amount))
}

/// The clock as its record stood at `now`: later stops are unknown, running ones are open.
fn known(clock: &Clock, now: DateTime<FixedOffset>) -> Clock {
    let mut known = clock.clone();
    known.stops.retain(|stop| stop.from <= now);
    for stop in &mut known.stops {
        stop.to = stop.to.filter(|to| *to <= now);
    }
    known
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_limit_in_days_never_ends_on_a_rest_day(
        calendar in districts(),
        clock in clocks(prop_oneof![Just(Unit::WorkingDay), Just(Unit::CalendarDay)]),
        closing in closing_times(),
    ) {
        let found = due(&calendar, &clock, closing).expect("inside the calendar");
        let on = found.on().expect("no open stop");
        prop_assert!(calendar.is_working(on).expect("inside the calendar"));
        let expected = closing.map_or_else(
            || (on + chrono::Days::new(1)).and_time(NaiveTime::MIN),
            |time| on.and_time(time),
        );
        prop_assert_eq!(found.at().expect("no open stop").naive_local(), expected);
    }

    #[test]
    fn a_limit_never_ends_inside_a_stop(
        calendar in districts(), clock in clocks(units()), closing in closing_times(),
    ) {
        let at = at(&calendar, &clock, closing);
        for stop in &clock.stops {
            prop_assert!(at <= stop.from || Some(at) >= stop.to, "{at} in {stop:?}");
        }
    }

    #[test]
    fn a_longer_limit_ends_later(
        calendar in districts(), clock in clocks(units()), closing in closing_times(),
    ) {
        let mut longer = clock.clone();
        longer.extensions.push(limit(1, clock.limit.unit));
        let (short, long) = (at(&calendar, &clock, closing), at(&calendar, &longer, closing));
        match clock.limit.unit {
            // One more calendar day may end on the same working day, after a weekend.
            Unit::CalendarDay => prop_assert!(short <= long),
            // The same working day may already have moved to the next one.
            _ if clock.total() == Ok(0) => prop_assert!(short <= long),
            _ => prop_assert!(short < long),
        }
    }

    #[test]
    fn a_longer_stop_never_brings_the_end_forward(
        calendar in districts(), clock in clocks(units()), closing in closing_times(), minutes in 0..5000_i64,
    ) {
        let mut longer = clock.clone();
        for stop in &mut longer.stops {
            stop.to = stop.to.map(|to| to + TimeDelta::minutes(minutes));
        }
        prop_assert!(at(&calendar, &clock, closing) <= at(&calendar, &longer, closing));
    }

    #[test]
    fn no_time_passes_while_a_clock_is_stopped(
        calendar in districts(), clock in clocks(units()), closing in closing_times(),
    ) {
        for stop in &clock.stops {
            let to = stop.to.expect("a closed stop");
            let (before, after) = (left(&calendar, &clock, closing, stop.from), left(&calendar, &clock, closing, to));
            prop_assert_eq!(amount(&before), amount(&after));
            prop_assert_eq!(before.is_overdue, after.is_overdue);
            prop_assert!(before.is_stopped || before.is_overdue || stop.from == to || amount(&before) == 0);
        }
    }

    #[test]
    fn what_is_left_never_grows(
        calendar in districts(), clock in clocks(units()), closing in closing_times(), step in 1..3000_i64,
    ) {
        let total = clock.total().expect("one unit");
        let mut now = clock.start - TimeDelta::days(1);
        let mut before = left(&calendar, &clock, closing, now);
        prop_assert_eq!(before.amount, total);
        let end = at(&calendar, &clock, closing);
        while now <= end {
            now += TimeDelta::minutes(step);
            let after = left(&calendar, &clock, closing, now);
            prop_assert!(amount(&after) <= amount(&before), "{now}: {before:?} {after:?}");
            // Whoever asked at the time, not knowing what was to come, was told the same.
            prop_assert_eq!(amount(&left(&calendar, &known(&clock, now), closing, now)), amount(&after), "{}", now);
            before = after;
        }
        prop_assert_eq!(amount(&before), 0);
        prop_assert!(before.is_overdue);
        prop_assert!(!left(&calendar, &clock, closing, end).is_overdue);
    }

    #[test]
    fn an_explanation_agrees_with_the_due_time(
        calendar in districts(), clock in clocks(units()), closing in closing_times(), open in any::<bool>(),
    ) {
        let mut clock = clock;
        if let Some(stop) = clock.stops.first_mut().filter(|_| open) {
            stop.to = None;
        }
        let now = clock.start + TimeDelta::days(80);
        let found = explain(&calendar, &clock, closing, now).expect("inside the calendar");
        prop_assert_eq!(found.due, due(&calendar, &clock, closing).expect("inside the calendar"));
        prop_assert_eq!(found.provisional, found.due.is_provisional());
        // Every day is told, once, in order, from the start.
        prop_assert_eq!(found.days[0].date, clock.start.date_naive());
        for pair in found.days.windows(2) {
            prop_assert_eq!(pair[0].date.succ_opt(), Some(pair[1].date));
        }
        let last = found.days.last().expect("a day");
        match found.due {
            Due::At { on, .. } => prop_assert_eq!(last.date, on),
            Due::Stopped { .. } => prop_assert!(last.date >= now.date_naive() && !last.counted),
        }
        let numbers: Vec<u32> = found.days.iter().filter_map(|day| day.number).collect();
        prop_assert!(numbers.iter().copied().eq(1..=numbers.len() as u32));
        let total = clock.total().expect("one unit");
        if found.due.at().is_some() && clock.limit.unit == Unit::Hour {
            let seconds: i64 = found.days.iter().filter_map(|day| day.seconds).sum();
            prop_assert_eq!(seconds, i64::from(total) * 3600);
        } else if found.due.at().is_some() {
            prop_assert_eq!(numbers.len(), total as usize);
        }
    }

    #[test]
    fn without_stops_it_is_the_working_day_arithmetic(
        calendar in districts(), clock in clocks(Just(Unit::WorkingDay)), closing in closing_times(),
    ) {
        let clock = Clock { stops: Vec::new(), ..clock };
        let total = clock.total().expect("one unit");
        prop_assume!(total > 0);
        let expected = calendar.add_working_days(clock.start.date_naive(), total).expect("inside the calendar");
        prop_assert_eq!(due(&calendar, &clock, closing).expect("inside the calendar").on(), Some(expected));
        prop_assert_eq!(calendar.working_days_between(clock.start.date_naive(), expected), Ok(total));
    }

    #[test]
    fn any_zone_of_the_start_gives_the_same_due_time(
        clock in clocks(units()), closing in closing_times(), hours in -11..12_i32,
    ) {
        let zone = FixedOffset::east_opt(hours * 3600).expect("an offset");
        let mut elsewhere = clock.clone();
        elsewhere.start = clock.start.with_timezone(&zone);
        for stop in &mut elsewhere.stops {
            stop.from = stop.from.with_timezone(&zone);
        }
        let calendar = Calendar::national();
        prop_assert_eq!(due(&calendar, &clock, closing), due(&calendar, &elsewhere, closing));
    }

    #[test]
    fn a_clock_survives_json(clock in clocks(units())) {
        let text = serde_json::to_string(&clock).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Clock>(&text).expect("a clock"), clock);
    }
}
