//! The published vectors (BX-2), each against `due` and `explain`.

use bangban_calendar::{Calendar, Clock, Due, Override, Rule, due, explain};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    format: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    calendar: District,
    clock: Clock,
    closing_time: Option<NaiveTime>,
    now: DateTime<FixedOffset>,
    expect: Expect,
}

#[derive(Deserialize)]
struct District {
    overrides: Vec<Override>,
}

#[derive(Deserialize)]
struct Expect {
    due: Due,
    days: Vec<Day>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Day {
    date: NaiveDate,
    counted: bool,
    number: Option<u32>,
    rule: Rule,
}

fn cases() -> Vec<Case> {
    let file: File = serde_json::from_str(include_str!("../vectors/due-times.json"))
        .expect("the vectors are JSON");
    assert_eq!(file.format, 1);
    file.cases
}

#[test]
fn every_vector_is_due_as_published() {
    for case in cases() {
        let calendar = Calendar::national()
            .with_overrides(case.calendar.overrides)
            .expect("sound overrides");
        let found = due(&calendar, &case.clock, case.closing_time).expect("a due time");
        assert_eq!(found, case.expect.due, "{}", case.id);
    }
}

#[test]
fn every_vector_is_explained_as_published() {
    for case in cases() {
        let calendar = Calendar::national()
            .with_overrides(case.calendar.overrides)
            .expect("sound overrides");
        let found =
            explain(&calendar, &case.clock, case.closing_time, case.now).expect("an explanation");
        let days = found.days.iter();
        let days: Vec<Day> = days
            .map(|day| Day {
                date: day.date,
                counted: day.counted,
                number: day.number,
                rule: day.rule,
            })
            .collect();
        assert_eq!(days, case.expect.days, "{}", case.id);
        assert_eq!(found.due, case.expect.due, "{}", case.id);
        assert_eq!(found.calendar_version, calendar.version());
        for day in &found.days {
            assert!(
                !day.source.is_empty(),
                "{} {} has no source",
                case.id,
                day.date
            );
            assert!(!day.reason_en.is_empty() && !day.reason_zh.is_empty());
        }
    }
}

#[test]
fn the_vectors_cover_every_rule() {
    let mut missing: Vec<Rule> = serde_json::from_str(
        r#"["DAY_OF_EVENT","WORKING_DAY","MAKE_UP_WORKING_DAY","DISTRICT_WORKING_DAY","WEEKEND","HOLIDAY",
            "PROVISIONAL_HOLIDAY","DISTRICT_REST_DAY","STOPPED","CALENDAR_DAY","LAST_DAY_IS_REST",
            "REST_AFTER_LAST_DAY","MOVED_TO_WORKING_DAY","SAME_DAY","HOURS_RUN"]"#,
    )
    .expect("stable names");
    for rule in &missing {
        assert_eq!(serde_json::to_value(rule).expect("a name"), rule.name());
    }
    for case in cases() {
        missing.retain(|rule| case.expect.days.iter().all(|day| day.rule != *rule));
    }
    assert_eq!(missing, []);
}
