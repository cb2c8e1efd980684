use bangban_calendar::{Override, OverrideKind};
use bangban_proto::bangban::scheduling::v1::{Span as Closed, WeeklyHours};
use proptest::prelude::*;

use super::*;

pub(in crate::domain) fn hours(from: &str, to: &str, slot_minutes: u32) -> Hours {
    Hours {
        from: from.to_owned(),
        to: to.to_owned(),
        slot_minutes,
        capacity: 4,
        reserved: 1,
        reserved_until_minutes: 60,
    }
}

pub(in crate::domain) fn template(id: &str, weekly: &[(u32, Hours)]) -> Template {
    let weekly = weekly.iter().map(|(weekday, hours)| WeeklyHours {
        weekday: *weekday,
        hours: Some(hours.clone()),
    });
    Template {
        id: id.to_owned(),
        site: "town".to_owned(),
        group: "licences".to_owned(),
        weekly: weekly.collect(),
        valid_from: "2026-01-01".to_owned(),
        ..Template::default()
    }
}

/// 08:30–12:00 and 14:00–17:30, Monday to Friday.
pub(in crate::domain) fn opening() -> Vec<OpeningHours> {
    let of = |weekday, opens: &str, closes: &str| OpeningHours {
        weekday,
        opens: opens.to_owned(),
        closes: closes.to_owned(),
    };
    (1..=5)
        .flat_map(|d| [of(d, "08:30", "12:00"), of(d, "14:00", "17:30")])
        .collect()
}

pub(in crate::domain) fn exception(date: &str, kind: ExceptionKind) -> Exception {
    Exception {
        id: "e".to_owned(),
        site: "town".to_owned(),
        date: date.to_owned(),
        kind: kind.into(),
        reason: "通知".to_owned(),
        ..Exception::default()
    }
}

pub(in crate::domain) fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Mornings from Monday to Friday, Mondays from 08:30 and else from 09:00.
fn mornings() -> Template {
    let of = |d| {
        (
            d,
            hours(if d == 1 { "08:30" } else { "09:00" }, "12:00", 30),
        )
    };
    template("mornings", &(1..=5).map(of).collect::<Vec<_>>())
}

/// Starts of the slots of a day as people read them.
fn starts(plan: &Plan<'_>, day: &str) -> Vec<String> {
    let slots = plan.slots(date(day)).expect("slots");
    let start = |slot: &Slot| time::readable(time::of(slot.starts_at.as_ref())).0;
    slots
        .iter()
        .map(|s| start(s)[start(s).len() - 5..].to_owned())
        .collect()
}

fn with<'a>(
    templates: &'a [Template],
    exceptions: &'a [Exception],
    opening: &'a [OpeningHours],
    calendar: &'a Calendar,
) -> Plan<'a> {
    Plan {
        site: "town",
        templates,
        exceptions,
        opening,
        calendar,
    }
}

#[test]
fn a_weekday_has_the_slots_of_its_template_and_a_rest_day_none() {
    let (calendar, opening, templates) = (Calendar::national(), opening(), [mornings()]);
    let plan = with(&templates, &[], &opening, &calendar);
    // A Tuesday and a Saturday.
    assert_eq!(
        starts(&plan, "2026-12-01"),
        ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]
    );
    assert!(starts(&plan, "2026-12-05").is_empty());
    let first = &plan.slots(date("2026-12-01")).expect("slots")[0];
    assert_eq!(
        time::of(first.reserved_until.as_ref()),
        time::at(date("2026-12-01"), 8 * 60)
    );
    assert_eq!(
        (first.capacity, first.reserved, first.date.as_str()),
        (4, 1, "2026-12-01")
    );
}

#[test]
fn a_national_holiday_makes_no_slots_and_a_make_up_working_day_those_of_monday() {
    let (calendar, opening, templates) = (Calendar::national(), opening(), [mornings()]);
    let plan = with(&templates, &[], &opening, &calendar);
    // National Day 2026 is a Thursday; Saturday 10 October makes up for it (国办发明电〔2025〕7号).
    assert!(starts(&plan, "2026-10-01").is_empty());
    assert_eq!(starts(&plan, "2026-10-10")[0], "08:30");
    let mut make_up = exception("2026-10-10", ExceptionKind::MakeUpDay);
    make_up.follows_weekday = 4;
    let exceptions = [make_up];
    let plan = with(&templates, &exceptions, &opening, &calendar);
    assert_eq!(
        starts(&plan, "2026-10-10")[0],
        "09:00",
        "as the exception says"
    );
}

#[test]
fn a_districts_own_day_of_rest_makes_no_slots() {
    let flood = Override {
        date: date("2026-12-01"),
        kind: OverrideKind::Rest,
        name: "汛情".to_owned(),
        citation: "县防汛指挥部通知".to_owned(),
    };
    let calendar = Calendar::national()
        .with_overrides([flood])
        .expect("a calendar");
    let (opening, templates) = (opening(), [mornings()]);
    let plan = with(&templates, &[], &opening, &calendar);
    assert!(starts(&plan, "2026-12-01").is_empty());
    assert!(
        !plan
            .serves("licences", date("2026-12-01"), (540, 570))
            .expect("known")
    );
}

#[test]
fn exceptions_close_open_and_replace_and_the_later_one_holds() {
    let (calendar, opening, templates) = (Calendar::national(), opening(), [mornings()]);
    let mut closure = exception("2026-12-01", ExceptionKind::Closure);
    closure.closed.push(Closed {
        from: "10:15".to_owned(),
        to: "11:00".to_owned(),
    });
    let mut extra = exception("2026-12-01", ExceptionKind::ExtraHours);
    extra.group = "licences".to_owned();
    extra.hours.push(hours("18:00", "19:00", 30));
    let holiday = exception("2026-12-01", ExceptionKind::Holiday);
    let of = |exceptions: &[Exception]| {
        starts(
            &with(&templates, exceptions, &opening, &calendar),
            "2026-12-01",
        )
    };
    assert_eq!(of(&[closure.clone()]), ["09:00", "09:30", "11:00", "11:30"]);
    assert_eq!(
        of(&[closure.clone(), extra.clone()]),
        ["09:00", "09:30", "11:00", "11:30", "18:00", "18:30"]
    );
    assert!(of(&[extra.clone(), holiday.clone()]).is_empty());
    assert_eq!(of(&[holiday, extra.clone()]), ["18:00", "18:30"]);
    // Somebody else's group, somebody else's day.
    let other = Exception {
        group: "benefits".to_owned(),
        ..exception("2026-12-01", ExceptionKind::Holiday)
    };
    assert_eq!(of(&[other]).len(), 6);
    assert_eq!(
        of(&[exception("2026-12-02", ExceptionKind::Holiday)]).len(),
        6
    );
    let serves = |exceptions: &[Exception], span| {
        let plan = with(&templates, exceptions, &opening, &calendar);
        plan.serves("licences", date("2026-12-01"), span)
            .expect("known")
    };
    assert!(!serves(&[closure], (630, 660)) && serves(&[], (630, 660)));
    assert!(serves(&[extra], (1080, 1110)) && !serves(&[], (1080, 1110)));
}

#[test]
fn opening_hours_that_have_changed_since_take_slots_away() {
    let (calendar, templates) = (Calendar::national(), [mornings()]);
    let mut later = opening();
    later.retain(|hours| hours.opens != "08:30");
    let plan = with(&templates, &[], &later, &calendar);
    assert!(starts(&plan, "2026-12-01").is_empty());
}

#[test]
fn opening_hours_that_touch_are_one() {
    let of = |opens: &str, closes: &str| OpeningHours {
        weekday: 1,
        opens: opens.to_owned(),
        closes: closes.to_owned(),
    };
    let touching = [of("12:00", "14:00"), of("08:30", "12:00")];
    assert!(is_within(&touching, 1, (11 * 60, 13 * 60)));
    let apart = [of("12:30", "14:00"), of("08:30", "12:00")];
    assert!(!is_within(&apart, 1, (11 * 60, 13 * 60)));
    assert!(!is_within(&apart, 2, (9 * 60, 10 * 60)));
}

fn any_hours() -> impl Strategy<Value = (u32, Hours)> {
    let times = (
        1_u32..=7,
        0_u32..48,
        1_u32..12,
        5_u32..120,
        1_u32..6,
        0_u32..6,
    );
    times.prop_map(|(weekday, from, length, minutes, capacity, reserved)| {
        let text = |half: u32| format!("{:02}:{:02}", half.min(47) / 2, half.min(47) % 2 * 30);
        let hours = Hours {
            from: text(from),
            to: text(from + length),
            slot_minutes: minutes,
            capacity,
            reserved,
            reserved_until_minutes: 30,
        };
        (weekday, hours)
    })
}

fn any_exception() -> impl Strategy<Value = Exception> {
    (
        1_i32..=4,
        1_u32..=7,
        any_hours(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(kind, follows_weekday, (_, hours), is_all, is_partly)| {
            let kind = ExceptionKind::try_from(kind).expect("a kind");
            let mut exception = exception("2026-12-01", kind);
            exception.follows_weekday = follows_weekday;
            if kind == ExceptionKind::ExtraHours || !is_all {
                exception.group = "licences".to_owned();
            }
            if kind == ExceptionKind::Closure && is_partly {
                exception.closed.push(Closed {
                    from: hours.from.clone(),
                    to: hours.to.clone(),
                });
            }
            exception.hours.push(hours);
            exception
        })
}

proptest! {
    /// Whatever was put down, by whomever and however badly.
    #[test]
    fn slots_of_a_group_never_overlap_and_lie_in_the_day_they_belong_to(
        weekly in prop::collection::vec(any_hours(), 0..12),
        exceptions in prop::collection::vec(any_exception(), 0..5),
    ) {
        let (calendar, opening) = (Calendar::national(), opening());
        let templates = [template("one", &weekly)];
        let plan = with(&templates, &exceptions, &opening, &calendar);
        let day = date("2026-12-01");
        let slots = plan.slots(day).expect("slots");
        let span = |slot: &Slot| (time::of(slot.starts_at.as_ref()), time::of(slot.ends_at.as_ref()));
        for pair in slots.windows(2) {
            prop_assert!(span(&pair[0]).1 <= span(&pair[1]).0);
        }
        for slot in &slots {
            prop_assert!(span(slot).0 < span(slot).1 && slot.reserved <= slot.capacity);
            prop_assert_eq!(time::local(span(slot).0).0, day);
            prop_assert_eq!(slot.reserved > 0, slot.reserved_until.is_some());
            // Nobody is given an appointment when nobody is there.
            let (from, to) = (time::local(span(slot).0).1, time::local(span(slot).1).1);
            prop_assert!(plan.serves("licences", day, (from, to)).expect("known"), "{slot:?}");
        }
    }

    #[test]
    fn a_day_that_a_holiday_or_a_closure_takes_last_has_no_slots(
        weekly in prop::collection::vec(any_hours(), 0..12),
        mut exceptions in prop::collection::vec(any_exception(), 0..5), is_closure: bool,
    ) {
        let kind = if is_closure { ExceptionKind::Closure } else { ExceptionKind::Holiday };
        exceptions.push(exception("2026-12-01", kind));
        let (calendar, opening) = (Calendar::national(), opening());
        let templates = [template("one", &weekly)];
        let plan = with(&templates, &exceptions, &opening, &calendar);
        prop_assert!(plan.slots(date("2026-12-01")).expect("slots").is_empty());
    }
}
