//! Years without a notice, and what happens when it comes (BX-3).

use bangban_calendar::{
    Calendar, Clock, Due, Error, Kind, Limit, Override, OverrideKind, Reason, Row, Unit, due,
    recompute,
};
use chrono::{Datelike, NaiveDate};

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn row(day: &str, kind: Kind) -> Row {
    Row {
        date: date(day),
        kind,
        name: "国庆节".into(),
        source: "an invented notice, for this test".into(),
    }
}

fn days_off(calendar: &Calendar, year: i32) -> Vec<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
    let days = first.iter_days().take_while(|day| day.year() == year);
    days.filter(|day| calendar.day(*day).expect("inside").reason == Reason::ProvisionalHoliday)
        .collect()
}

/// 2027 by hand: first day of the first month is 6 February, 5/5 is 9 June, 8/15 is 15 September, Qingming 5 April.
#[test]
fn the_holidays_of_2027_follow_the_regulation() {
    let expected = [
        "2027-01-01",
        "2027-02-05",
        "2027-02-06",
        "2027-02-07",
        "2027-02-08",
        "2027-02-09",
        "2027-02-10",
        "2027-04-05",
        "2027-05-01",
        "2027-05-02",
        "2027-05-03",
        "2027-05-04",
        "2027-06-09",
        "2027-09-15",
        "2027-10-01",
        "2027-10-02",
        "2027-10-03",
        "2027-10-04",
        "2027-10-05",
    ];
    assert_eq!(days_off(&Calendar::national(), 2027), expected.map(date));
}

/// Two holidays on one date still make thirteen days: Mid-Autumn 2028 is 3 October, a Tuesday.
#[test]
fn a_festival_inside_national_day_is_made_up() {
    let october = days_off(&Calendar::national(), 2028)
        .into_iter()
        .filter(|day| day.month() == 10);
    assert_eq!(
        october.collect::<Vec<_>>(),
        [
            "2028-10-01",
            "2028-10-02",
            "2028-10-03",
            "2028-10-04",
            "2028-10-05"
        ]
        .map(date)
    );
}

#[test]
fn every_provisional_year_has_thirteen_weekdays_off() {
    let calendar = Calendar::national();
    for year in 2027..=2099 {
        let off = days_off(&calendar, year)
            .into_iter()
            .filter(|day| day.weekday().num_days_from_monday() < 5);
        assert_eq!(off.count(), 13, "{year}");
    }
}

#[test]
fn a_notice_makes_a_year_official_and_moves_due_times() {
    let before = Calendar::national();
    let rows = [
        "2027-10-01",
        "2027-10-02",
        "2027-10-03",
        "2027-10-04",
        "2027-10-05",
        "2027-10-06",
        "2027-10-07",
    ];
    let rows = rows
        .map(|day| row(day, Kind::Holiday))
        .into_iter()
        .chain([row("2027-10-09", Kind::Workday)]);
    let after = before.with_year(2027, rows).expect("a sound notice");
    assert!(after.is_official(2027) && !before.is_official(2027));
    assert_ne!(before.version(), after.version());
    assert!(
        after.version().starts_with("cn-2004-2027-"),
        "{}",
        after.version()
    );

    let start = "2027-09-30T09:00:00+08:00".parse().expect("an instant");
    let clock = Clock::new(
        start,
        Limit {
            amount: 2,
            unit: Unit::WorkingDay,
            citation: "example".into(),
        },
    );
    let change = recompute(&before, &after, &clock, None).expect("two due times");
    assert!(change.is_moved() && change.before.is_provisional() && !change.after.is_provisional());
    assert_eq!(
        (change.before.on(), change.after.on()),
        (Some(date("2027-10-07")), Some(date("2027-10-09")))
    );
    // 30 September to 9 October: every one of these days is settled now and was not before.
    assert_eq!(change.days.len(), 10);
    assert_eq!(
        (&change.before_version[..], &change.after_version[..]),
        (before.version(), after.version())
    );

    let same = recompute(&after, &after, &clock, None).expect("two due times");
    assert!(!same.is_moved() && same.days.is_empty());
}

#[test]
fn an_amended_notice_replaces_the_first_and_reaches_into_december() {
    let first = Calendar::national().with_year(
        2027,
        [
            row("2026-12-31", Kind::Holiday),
            row("2027-01-01", Kind::Holiday),
        ],
    );
    let first = first.expect("a sound notice");
    assert!(!first.is_working(date("2026-12-31")).expect("inside"));
    assert!(
        first.is_official(2026)
            && !first
                .day(date("2026-12-31"))
                .expect("inside")
                .is_provisional
    );
    let second = first
        .with_year(2027, [row("2027-01-01", Kind::Holiday)])
        .expect("a sound notice");
    assert!(second.is_working(date("2026-12-31")).expect("inside"));
    assert!(!second.is_working(date("2026-10-01")).expect("inside"));
    // Loading 2026 again keeps what the notice for 2027 said of its December.
    let third = first
        .with_year(2026, [row("2026-10-01", Kind::Holiday)])
        .expect("a sound notice");
    assert!(!third.is_working(date("2026-12-31")).expect("inside"));
    // The same content has the same label, whichever way it came.
    let again = Calendar::national()
        .with_year(2027, [row("2027-01-01", Kind::Holiday)])
        .expect("a sound notice");
    assert_eq!(second.version(), again.version());
}

#[test]
fn notices_that_cannot_be_are_refused() {
    let calendar = Calendar::national();
    let holiday = |day| row(day, Kind::Holiday);
    assert_eq!(calendar.with_year(2027, []), Err(Error::EmptyYear(2027)));
    assert_eq!(
        calendar.with_year(2027, [holiday("2026-11-30")]),
        Err(Error::WrongYear {
            year: 2027,
            date: date("2026-11-30")
        })
    );
    assert_eq!(
        calendar.with_year(2027, [holiday("2027-01-01"), holiday("2027-01-01")]),
        Err(Error::Duplicate(date("2027-01-01")))
    );
    let unsourced = Row {
        source: " ".into(),
        ..holiday("2027-01-01")
    };
    assert_eq!(
        calendar.with_year(2027, [unsourced]),
        Err(Error::Unsourced(date("2027-01-01")))
    );
    assert!(matches!(
        calendar.with_year(2100, [holiday("2100-01-01")]),
        Err(Error::OutOfRange(_))
    ));
}

#[test]
fn overrides_stay_when_a_year_is_loaded_and_are_settled() {
    let rest = |day: &str, citation: &str| Override {
        date: date(day),
        kind: OverrideKind::Rest,
        name: "flood".into(),
        citation: citation.into(),
    };
    let calendar = Calendar::national()
        .with_overrides([rest("2027-07-14", "county notice")])
        .expect("sound");
    let day = calendar.day(date("2027-07-14")).expect("inside");
    assert_eq!(
        (day.reason, day.is_provisional),
        (Reason::DistrictRest, false)
    );
    let loaded = calendar
        .with_year(2027, [row("2027-10-01", Kind::Holiday)])
        .expect("sound");
    assert_eq!(
        loaded.day(date("2027-07-14")).expect("inside").reason,
        Reason::DistrictRest
    );
    assert_eq!(loaded.overrides().count(), 1);
    assert!(
        Calendar::national()
            .is_working(date("2027-07-14"))
            .expect("inside")
    );

    let twice = [rest("2027-07-14", "a"), rest("2027-07-14", "b")];
    assert_eq!(
        Calendar::national().with_overrides(twice),
        Err(Error::Duplicate(date("2027-07-14")))
    );
    assert_eq!(
        Calendar::national().with_overrides([rest("2027-07-14", "")]),
        Err(Error::Unsourced(date("2027-07-14")))
    );
}

#[test]
fn a_limit_beyond_the_calendar_is_refused() {
    let start = "2099-12-30T09:00:00+08:00".parse().expect("an instant");
    for unit in [Unit::WorkingDay, Unit::CalendarDay, Unit::Hour] {
        let clock = Clock::new(
            start,
            Limit {
                amount: 100,
                unit,
                citation: "example".into(),
            },
        );
        assert!(
            matches!(
                due(&Calendar::national(), &clock, None),
                Err(Error::OutOfRange(_))
            ),
            "{unit:?}"
        );
    }
    let clock = Clock::new(
        start,
        Limit {
            amount: 1,
            unit: Unit::WorkingDay,
            citation: "example".into(),
        },
    );
    assert!(matches!(
        due(&Calendar::national(), &clock, None),
        Ok(Due::At { .. })
    ));
}
