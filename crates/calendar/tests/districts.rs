//! Thousands of districts at once, each by its own calendar (trap: OpenCPS mixed them in static fields).

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use bangban_calendar::{Calendar, Clock, Limit, Override, OverrideKind, Unit, due};
use chrono::{Days, NaiveDate};

const DISTRICTS: u64 = 4_000;
const THREADS: u64 = 8;

fn first() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date")
}

/// The district's own days: three off and one worked, others for every district.
fn own_days(district: u64) -> BTreeMap<NaiveDate, OverrideKind> {
    let day = |salt: u64| first() + Days::new((district * 7_919 + salt * 104_729) % 300);
    let mut days = BTreeMap::from([1, 2, 3].map(|salt| (day(salt), OverrideKind::Rest)));
    days.insert(day(4), OverrideKind::Work);
    days
}

fn calendar(district: u64) -> Calendar {
    let days = own_days(district).into_iter().map(|(date, kind)| Override {
        date,
        kind,
        name: format!("day of {district}"),
        citation: format!("notice of {district}"),
    });
    Calendar::national()
        .with_overrides(days)
        .expect("sound overrides")
}

/// The same from scratch, knowing only the national calendar and a map.
fn expected(national: &Calendar, district: u64, start: NaiveDate, amount: u32) -> NaiveDate {
    let own = own_days(district);
    let mut left = amount;
    for date in start.iter_days().skip(1) {
        let works = match own.get(&date) {
            Some(kind) => *kind == OverrideKind::Work,
            None => national.is_working(date).expect("inside the calendar"),
        };
        left -= u32::from(works);
        if left == 0 {
            return date;
        }
    }
    unreachable!("dates do not end")
}

#[test]
fn thousands_of_districts_are_computed_at_once_each_by_its_own_calendar() {
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let barrier = &barrier;
            scope.spawn(move || {
                let national = Calendar::national();
                barrier.wait();
                // Neighbouring districts run in different threads; each is asked again after the others.
                for round in 0..2 {
                    for district in (thread..DISTRICTS).step_by(THREADS as usize) {
                        let day = first() + Days::new((district * 31 + round * 17) % 250);
                        let start = format!("{day}T09:00:00+08:00").parse().expect("an instant");
                        let amount = 1 + (district % 30) as u32;
                        let limit = Limit {
                            amount,
                            unit: Unit::WorkingDay,
                            citation: "example".into(),
                        };
                        let found = due(&calendar(district), &Clock::new(start, limit), None)
                            .expect("a due time");
                        assert_eq!(
                            found.on(),
                            Some(expected(&national, district, day, amount)),
                            "{district}"
                        );
                    }
                }
            });
        }
    });
}

#[test]
fn calendars_with_other_days_have_other_versions() {
    let mut versions: Vec<String> = (0..DISTRICTS)
        .map(|district| calendar(district).version().to_owned())
        .collect();
    versions.push(Calendar::national().version().to_owned());
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len() as u64, DISTRICTS + 1);
    assert_eq!(calendar(7).version(), calendar(7).version());
}

#[test]
fn a_version_does_not_depend_on_the_order_of_the_overrides() {
    let days: Vec<Override> = calendar(7).overrides().cloned().collect();
    let turned = Calendar::national()
        .with_overrides(days.into_iter().rev())
        .expect("sound overrides");
    assert_eq!(turned, calendar(7));
}

#[test]
fn a_version_tells_every_field_of_an_override_apart() {
    let version = |date: u64, kind, name: &str, citation: &str| {
        let date = first() + Days::new(date);
        let day = Override {
            date,
            kind,
            name: name.into(),
            citation: citation.into(),
        };
        let calendar = Calendar::national()
            .with_overrides([day])
            .expect("sound overrides");
        calendar.version().to_owned()
    };
    let (rest, work) = (OverrideKind::Rest, OverrideKind::Work);
    let versions = [
        version(1, rest, "flood", "notice 1"),
        version(2, rest, "flood", "notice 1"),
        version(1, work, "flood", "notice 1"),
        version(1, rest, "fair", "notice 1"),
        version(1, rest, "flood", "notice 2"),
        version(1, rest, "floodn", "otice 1"),
    ];
    for (index, version) in versions.iter().enumerate() {
        assert!(!versions[..index].contains(version), "{index}");
    }
}
