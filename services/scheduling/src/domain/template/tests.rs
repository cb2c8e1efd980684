use bangban_calendar::Calendar;
use bangban_proto::bangban::scheduling::v1::Span as Closed;
use proptest::prelude::*;

use super::*;
use crate::domain::plan::tests::{date, exception, hours, opening, template};

fn refused(template: &Template, others: &[Template]) -> (&'static str, &'static str) {
    let refusal = check(template, others, &opening()).expect_err("refused");
    assert!(!refusal.zh.is_empty() && !refusal.en.is_empty() && !refusal.fields.is_empty());
    (refusal.reason, refusal.requirement)
}

#[test]
fn a_template_within_the_opening_hours_can_be_put_down_also_in_its_own_place() {
    let one = template(
        "one",
        &[
            (1, hours("08:30", "12:00", 30)),
            (1, hours("14:00", "17:30", 30)),
        ],
    );
    assert!(check(&one, &[], &opening()).is_ok());
    assert!(check(&one, std::slice::from_ref(&one), &opening()).is_ok());
}

#[test]
fn a_template_that_overlaps_itself_or_another_of_its_group_is_refused() {
    let overlaps = ("TEMPLATE_OVERLAPS", "BB-9.2b");
    let itself = template(
        "one",
        &[
            (1, hours("09:00", "11:00", 30)),
            (1, hours("10:30", "12:00", 30)),
        ],
    );
    assert_eq!(refused(&itself, &[]), overlaps);
    let one = template("one", &[(1, hours("09:00", "11:00", 30))]);
    let mut other = template("two", &[(1, hours("10:30", "12:00", 30))]);
    assert_eq!(refused(&one, &[other.clone()]), overlaps);
    other.group = "benefits".to_owned();
    assert!(
        check(&one, &[other.clone()], &opening()).is_ok(),
        "another group"
    );
    other.group = "licences".to_owned();
    other.valid_until = "2025-12-31".to_owned();
    assert!(
        check(&one, &[other], &opening()).is_ok(),
        "it is over before"
    );
    let next = template(
        "two",
        &[
            (1, hours("11:00", "12:00", 30)),
            (2, hours("09:00", "11:00", 30)),
        ],
    );
    assert!(
        check(&one, &[next], &opening()).is_ok(),
        "one behind the other, and another day"
    );
}

#[test]
fn hours_outside_the_opening_hours_are_refused() {
    let outside = ("OUTSIDE_OPENING_HOURS", "BB-9.2b");
    for (weekday, from, to) in [
        (1, "08:00", "09:00"),
        (1, "11:00", "14:30"),
        (1, "17:00", "18:00"),
        (6, "09:00", "10:00"),
    ] {
        assert_eq!(
            refused(&template("one", &[(weekday, hours(from, to, 30))]), &[]),
            outside
        );
    }
}

#[test]
fn what_is_wrong_in_itself_is_refused() {
    let reversed = template("one", &[(1, hours("11:00", "10:00", 30))]);
    assert_eq!(refused(&reversed, &[]), ("TIMES_REVERSED", "BB-9.2b"));
    let mut greedy = template("one", &[(1, hours("09:00", "10:00", 30))]);
    if let Some(hours) = &mut greedy.weekly[0].hours {
        hours.reserved = 5;
    }
    assert_eq!(
        refused(&greedy, &[]),
        ("RESERVED_ABOVE_CAPACITY", "BB-7.1.1")
    );
    let mut dates = template("one", &[(1, hours("09:00", "10:00", 30))]);
    dates.valid_until = "2025-12-31".to_owned();
    assert_eq!(refused(&dates, &[]), ("DATES_REVERSED", "BB-8d"));
    dates.valid_until = "2026-02-30".to_owned();
    assert_eq!(refused(&dates, &[]), ("DATE_IMPOSSIBLE", "BB-8d"));
}

#[test]
fn a_day_of_a_site_has_a_limit_over_all_groups() {
    // 35 five-minute slots between 08:30 and 11:25.
    let one = template("one", &[(1, hours("08:30", "11:25", 5))]);
    let others: Vec<Template> = (0..5)
        .map(|n| Template {
            id: format!("t{n}"),
            group: format!("g{n}"),
            ..one.clone()
        })
        .collect();
    assert!(check(&one, &others[..4], &opening()).is_ok());
    assert_eq!(refused(&one, &others), ("SLOTS_TOO_MANY", "BB-9.2b"));
}

#[test]
fn an_exception_that_is_incomplete_past_or_in_the_way_is_refused() {
    let (calendar, opening) = (Calendar::national(), opening());
    let templates = [template("one", &[(2, hours("09:00", "12:00", 30))])];
    let plan = Plan {
        site: "town",
        templates: &templates,
        exceptions: &[],
        opening: &opening,
        calendar: &calendar,
    };
    let today = date("2026-11-26");
    let reason =
        |exception: &Exception| check_exception(exception, &plan, today).map_err(|r| r.reason);
    let extra = |from: &str, to: &str, group: &str| {
        let mut extra = exception("2026-12-01", ExceptionKind::ExtraHours);
        extra.group = group.to_owned();
        extra.hours.push(hours(from, to, 30));
        extra
    };
    assert_eq!(
        reason(&extra("18:00", "19:00", "licences")),
        Ok(()),
        "also outside the opening hours"
    );
    assert_eq!(
        reason(&extra("11:30", "12:30", "benefits")),
        Ok(()),
        "another group"
    );
    assert_eq!(
        reason(&extra("11:30", "12:30", "licences")),
        Err("EXCEPTION_OVERLAPS")
    );
    assert_eq!(
        reason(&extra("18:00", "19:00", "")),
        Err("EXCEPTION_INCOMPLETE")
    );
    assert_eq!(
        reason(&extra("19:00", "18:00", "licences")),
        Err("TIMES_REVERSED")
    );
    let mut twice = extra("18:00", "19:00", "licences");
    twice.hours.push(hours("18:30", "19:30", 30));
    assert_eq!(reason(&twice), Err("EXCEPTION_OVERLAPS"), "itself");
    assert_eq!(
        reason(&exception("2026-12-01", ExceptionKind::ExtraHours)),
        Err("EXCEPTION_INCOMPLETE")
    );
    assert_eq!(
        reason(&exception("2026-12-01", ExceptionKind::MakeUpDay)),
        Err("EXCEPTION_INCOMPLETE")
    );
    assert_eq!(
        reason(&exception("2026-11-25", ExceptionKind::Holiday)),
        Err("DAY_PAST")
    );
    assert_eq!(
        reason(&exception("2026-11-31", ExceptionKind::Holiday)),
        Err("DATE_IMPOSSIBLE")
    );
    assert_eq!(
        reason(&exception("2026-11-26", ExceptionKind::Holiday)),
        Ok(())
    );
    let mut closure = exception("2026-12-01", ExceptionKind::Closure);
    closure.closed.push(Closed {
        from: "10:00".to_owned(),
        to: "10:00".to_owned(),
    });
    assert_eq!(reason(&closure), Err("TIMES_REVERSED"));
}

#[test]
fn extra_hours_are_put_down_again_in_their_own_place_and_not_in_that_of_others() {
    let (calendar, opening) = (Calendar::national(), opening());
    let extra = |id: &str| {
        let mut extra = exception("2026-12-01", ExceptionKind::ExtraHours);
        (extra.id, extra.group) = (id.to_owned(), "licences".to_owned());
        extra.hours.push(hours("18:00", "19:00", 30));
        extra
    };
    let exceptions = [extra("evening")];
    let plan = Plan {
        site: "town",
        templates: &[],
        exceptions: &exceptions,
        opening: &opening,
        calendar: &calendar,
    };
    let today = date("2026-11-26");
    let checked = |id: &str| check_exception(&extra(id), &plan, today).map_err(|r| r.reason);
    assert_eq!(checked("evening"), Ok(()));
    assert_eq!(checked("another"), Err("EXCEPTION_OVERLAPS"));
}

proptest! {
    /// Whatever can be put down makes exactly the slots that it says.
    #[test]
    fn no_slot_of_a_template_that_was_accepted_is_ever_lost(
        weekly in prop::collection::btree_map((1_u32..=5, 0_u32..18), (1_u32..4, 5_u32..60), 1..6)
    ) {
        let text = |half: u32| format!("{:02}:{:02}", 8 + half / 2, half % 2 * 30);
        let (calendar, opening) = (Calendar::national(), opening());
        let weekly: Vec<_> = weekly
            .into_iter()
            .map(|((day, from), (length, minutes))| (day, hours(&text(from), &text(from + length), minutes)))
            .filter(|(day, hours)| check(&template("one", &[(*day, hours.clone())]), &[], &opening).is_ok())
            .collect();
        let templates = [template("one", &weekly)];
        prop_assume!(check(&templates[0], &[], &opening).is_ok());
        let plan = Plan { site: "town", templates: &templates, exceptions: &[], opening: &opening, calendar: &calendar };
        // A week without holidays.
        let count: usize = (7..=11)
            .map(|day| plan.slots(date(&format!("2026-12-{day:02}"))).expect("slots").len())
            .sum();
        prop_assert_eq!(count, weekly.iter().map(|(_, hours)| pieces(hours).len()).sum::<usize>());
    }
}
