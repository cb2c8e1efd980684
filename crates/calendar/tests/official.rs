//! The shipped calendar against a source of its own, day by day, and against what the notices say of themselves.

use std::collections::BTreeSet;

use bangban_calendar::{Calendar, Error, Reason};
use chrono::{Datelike, NaiveDate, Weekday};

const OTHER: &str = include_str!("fixtures/chinese-days.txt");

/// Days on which the two sources differ, with what the State Council's notice says. None does: both agree on all
/// 8,401 days. A difference that an update brings in is settled by its notice, here.
const SETTLED: [(&str, bool, &str); 0] = [];

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn exceptions(kind: &str) -> BTreeSet<NaiveDate> {
    let lines = OTHER.lines().filter(|line| !line.starts_with('#'));
    let mut dates = BTreeSet::new();
    for line in lines {
        let mut words = line.split(' ');
        let year = words.next().expect("a year");
        if words.next() == Some(kind) {
            dates.extend(words.map(|day| date(&format!("{year}-{}-{}", &day[..2], &day[2..]))));
        }
    }
    dates
}

#[test]
fn two_sources_agree_on_every_day_from_2004_to_2026() {
    let (calendar, rest, work) = (Calendar::national(), exceptions("rest"), exceptions("work"));
    assert!(
        rest.len() > 350 && work.len() == 150,
        "{} {}",
        rest.len(),
        work.len()
    );
    let mut compared = 0;
    for day in date("2004-01-01")
        .iter_days()
        .take_while(|day| day.year() <= 2026)
    {
        let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let other = if is_weekend {
            work.contains(&day)
        } else {
            !rest.contains(&day)
        };
        let settled = SETTLED.iter().find(|(settled, ..)| date(settled) == day);
        let expected = settled.map_or(other, |(_, is_working, _)| *is_working);
        let ours = calendar.day(day).expect("inside the calendar");
        assert_eq!(ours.is_working, expected, "{day}: {ours:?}");
        assert_eq!(calendar.is_working(day), Ok(expected), "{day}");
        assert!(!ours.is_provisional, "{day}");
        compared += 1;
    }
    assert_eq!(compared, 8_401);
}

#[test]
fn the_notice_for_2026_takes_33_days_off_and_makes_6_working() {
    let calendar = Calendar::national();
    let days = date("2026-01-01")
        .iter_days()
        .take_while(|day| day.year() == 2026);
    let days: Vec<_> = days
        .map(|day| calendar.day(day).expect("inside the calendar"))
        .collect();
    let of = |reason| days.iter().filter(|day| day.reason == reason).count();
    assert_eq!((of(Reason::Holiday), of(Reason::MakeUpWorkingDay)), (33, 6));
    let noted = days
        .iter()
        .filter(|day| matches!(day.reason, Reason::Holiday | Reason::MakeUpWorkingDay));
    assert!(
        noted
            .into_iter()
            .all(|day| day.source == "国办发明电〔2025〕7号" && day.name.is_some())
    );
}

/// Make-up working days by notice, as a third source counts them that read each notice on gov.cn; the one in December
/// 2007, which it leaves out, is added. 国办发明电〔2019〕16号 names one more, taken back by 〔2020〕1号.
#[test]
fn each_year_works_as_many_weekend_days_as_its_notices_name() {
    let named = [
        ("〔2007〕52", 6),
        ("〔2008〕42", 6),
        ("〔2009〕27", 8),
        ("〔2010〕40", 5),
        ("〔2011〕45", 7),
        ("〔2012〕33", 12),
        ("〔2013〕28", 5),
        ("〔2014〕28", 4),
        ("国发明电〔2015〕1", 1),
        ("〔2015〕18", 6),
        ("〔2016〕17", 5),
        ("〔2017〕12", 6),
        ("〔2018〕15", 5),
        ("〔2019〕3", 2),
        ("〔2019〕16", 6),
        ("〔2020〕1号", 0),
        ("〔2020〕27", 7),
        ("〔2021〕11", 7),
        ("〔2022〕16", 7),
        ("〔2023〕7", 8),
        ("〔2024〕12", 5),
        ("〔2025〕7", 6),
    ];
    let calendar = Calendar::national();
    let all = date("2004-01-01")
        .iter_days()
        .take_while(|day| day.year() <= 2026);
    let made_up: Vec<String> = all
        .filter_map(|day| calendar.day(day).ok())
        .filter(|day| day.reason == Reason::MakeUpWorkingDay)
        .map(|day| day.source)
        .collect();
    for (notice, count) in named {
        assert_eq!(
            made_up
                .iter()
                .filter(|source| source.contains(notice))
                .count(),
            count,
            "{notice}"
        );
    }
}

#[test]
fn dates_outside_the_calendar_are_refused() {
    let calendar = Calendar::national();
    for day in ["2003-12-31", "2100-01-01"] {
        assert_eq!(calendar.day(date(day)), Err(Error::OutOfRange(date(day))));
    }
    assert!(calendar.day(date("2004-01-01")).is_ok() && calendar.day(date("2099-12-31")).is_ok());
    assert!(
        calendar.is_official(2026) && !calendar.is_official(2027) && !calendar.is_official(1999)
    );
}

#[test]
fn working_days_are_added_and_counted() {
    let calendar = Calendar::national();
    assert_eq!(
        calendar.add_working_days(date("2026-02-13"), 20),
        Ok(date("2026-03-19"))
    );
    assert_eq!(
        calendar.add_working_days(date("2026-02-15"), 0),
        Ok(date("2026-02-15"))
    );
    assert_eq!(
        calendar.working_days_between(date("2026-02-13"), date("2026-03-19")),
        Ok(20)
    );
    assert_eq!(
        calendar.working_days_between(date("2026-03-19"), date("2026-02-13")),
        Ok(0)
    );
}
