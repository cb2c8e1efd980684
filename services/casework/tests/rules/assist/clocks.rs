//! Limits that run, stop, move and end (BB-8a, BX-3), and instants that are reported.

use bangban_calendar::Calendar;
use bangban_casework::{
    domain::{Act, clock, contact, department, limit, outside::timestamp},
    tasks,
};
use bangban_proto::bangban::{
    casework::v1::{self as v1, Case},
    directory::v1::{ItemLimit, LimitName, LimitOwner, LimitStart},
    types::v1::TimeUnit,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::story::Story;

#[test]
fn bb_8a_the_decision_is_due_in_working_days_from_acceptance() {
    let story = Story::accepted();
    let decision = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .expect("a clock");
    // Ten working days from Monday 2026-03-02, which does not count: the end of Monday 2026-03-16.
    let due = decision.due_at.as_ref().map(|t| t.seconds);
    let expected: DateTime<Utc> = "2026-03-16T16:00:00Z".parse().expect("an instant");
    assert_eq!(due, Some(expected.timestamp()));
    let completeness = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "completeness")
        .expect("a clock");
    assert!(
        completeness.ended_at.is_some(),
        "acceptance ends the limit for completeness"
    );
}

#[test]
fn bb_8a_a_clock_stops_only_on_a_cited_ground_and_is_extended_once() {
    let mut story = Story::accepted();
    let stop = |code: &str| v1::StopClockRequest {
        code: code.to_owned(),
        ..Default::default()
    };
    story.refused(limit::stop, stop("LUNCH"), "STOP_WITHOUT_GROUND", "BB-8a");
    story.refused(
        limit::resume,
        v1::ResumeClockRequest::default(),
        "CLOCK_NOT_STOPPED",
        "BB-8a",
    );
    let before = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .and_then(|c| c.due_at);
    story.now += TimeDelta::days(1);
    story.does(limit::stop, stop("EXPERT_REVIEW"));
    assert_eq!(
        story
            .case
            .clocks
            .iter()
            .find(|c| c.id == "decision")
            .and_then(|c| c.due_at),
        None
    );
    story.now += TimeDelta::days(7);
    story.does(limit::resume, v1::ResumeClockRequest::default());
    let after = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .and_then(|c| c.due_at);
    assert!(
        after.map(|t| t.seconds) > before.map(|t| t.seconds),
        "no time passes while it stands still"
    );
    story.does(limit::extend, v1::ExtendDecisionRequest::default());
    story.refused(
        limit::extend,
        v1::ExtendDecisionRequest::default(),
        "ALREADY_EXTENDED",
        "BB-8a",
    );
}

#[test]
fn bb_8d_a_reported_instant_is_neither_in_the_future_nor_before_its_turn() {
    let story = Story::filed();
    let accept = |days: i64| v1::ReportAcceptanceRequest {
        accepted_at: Some(timestamp(story.now + TimeDelta::days(days))),
        ..Default::default()
    };
    story.refused(department::accept, accept(1), "TIME_IN_FUTURE", "BB-8d");
    story.refused(department::accept, accept(-1), "TIME_TOO_EARLY", "BB-8d");
}

#[test]
fn bx_3_an_open_clock_is_counted_anew_and_says_why() {
    let mut story = Story::accepted();
    let before = clock::open(&story.case, "decision").expect("runs").due_at;
    let flood = bangban_calendar::Override {
        date: "2026-03-05".parse().expect("a date"),
        kind: bangban_calendar::OverrideKind::Rest,
        name: "flood".to_owned(),
        citation: "a notice".to_owned(),
    };
    let calendar = Calendar::national().with_overrides([flood]).expect("sound");
    let recounted = |case: &Case, why: &str| -> Vec<Act> {
        let moved =
            bangban_limits::clock::recounted(&case.clocks, why, &calendar).expect("counted");
        moved.into_iter().map(Act::ClockRecomputed).collect()
    };
    let acts = recounted(&story.case, "2026-03-05 flood");
    let moved: Vec<&Act> = acts
        .iter()
        .filter(|a| matches!(a, Act::ClockRecomputed(r) if r.clock == "decision"))
        .collect();
    assert_eq!(moved.len(), 1, "{acts:?}");
    story.apply(acts);
    let clock = clock::open(&story.case, "decision").expect("runs");
    let recount = clock.recounts.last().expect("on record");
    assert_eq!((recount.before, recount.after), (before, clock.due_at));
    assert_eq!(
        (recount.reason.as_str(), recount.calendar_version.as_str()),
        ("2026-03-05 flood", calendar.version())
    );
    let days = |at: Option<prost_types::Timestamp>| at.expect("due").seconds / 86_400;
    assert_eq!(days(clock.due_at) - days(before), 1);
    // Counted once: nothing moves a second time, and a day outside the limit moves nothing.
    assert_eq!(recounted(&story.case, ""), []);
}

#[test]
fn bb_8a_a_limit_ends_with_what_was_done_in_time_and_reported_late() {
    let mut story = Story::accepted();
    let due = clock::open(&story.case, "decision")
        .and_then(|c| c.due_at)
        .expect("due");
    let decided_at = timestamp(story.now + TimeDelta::hours(1));
    story.now += TimeDelta::days(30);
    let breaches = tasks::due_acts(&story.case, story.now.timestamp());
    assert!(breaches.iter().any(|a| matches!(a, Act::BreachRecorded(_))));
    story.apply(breaches);
    story.does(
        department::decide,
        v1::ReportDecisionRequest {
            outcome: v1::DecisionOutcome::Granted.into(),
            decided_at: Some(decided_at),
            ..Default::default()
        },
    );
    let decision = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .expect("ran");
    assert_eq!(decision.ended_at, Some(decided_at));
    assert!(decided_at.seconds < due.seconds && !story.case.breaches.is_empty());
}

#[test]
fn bb_8a_our_own_limit_ends_when_the_site_closes() {
    let mut story = Story::told_and_consented();
    // Monday; the limit of a contact is the same working day.
    story.does(
        contact::open,
        v1::OpenContactRequest {
            reason: v1::ContactReason::Problem.into(),
            text: "a page is missing".to_owned(),
            ..Default::default()
        },
    );
    let due = clock::open(&story.case, "contact-1")
        .and_then(|c| c.due_at)
        .expect("due");
    assert_eq!(
        due,
        timestamp("2026-03-02T09:30:00Z".parse().expect("an instant"))
    );
}

#[test]
fn bb_8a_a_limit_that_has_passed_is_not_undone_by_a_stop() {
    let mut story = Story::accepted();
    let stop = |from: Option<prost_types::Timestamp>| v1::StopClockRequest {
        code: "EXPERT_REVIEW".to_owned(),
        from,
        ..Default::default()
    };
    // Due at the end of 2026-03-16.
    let before = timestamp("2026-03-16T15:00:00Z".parse().expect("an instant"));
    story.now = "2026-03-17T02:00:00Z".parse().expect("an instant");
    story.refused(limit::stop, stop(None), "CLOCK_NOT_RUNNING", "BB-8a");
    // One that began in time is recorded late.
    story.does(limit::stop, stop(Some(before)));
    assert_eq!(story.open_clock("decision").and_then(|c| c.due_at), None);
}

#[test]
fn bb_8a_what_stops_or_extends_the_decision_stops_and_extends_the_limit_of_the_law_too() {
    let mut story = Story::filed();
    let statutory = ItemLimit {
        name: LimitName::StatutoryDecision.into(),
        amount: 20,
        unit: TimeUnit::WorkingDay.into(),
        starts: LimitStart::Acceptance.into(),
        owner: LimitOwner::Department.into(),
        citation: "行政许可法 art. 42".to_owned(),
    };
    story.item.limits.push(statutory);
    story.does(
        department::accept,
        v1::ReportAcceptanceRequest {
            accepted_at: Some(timestamp(story.now)),
            ..Default::default()
        },
    );
    let due = |story: &Story, id: &str| clock::open(&story.case, id).expect("runs").due_at;
    let before = due(&story, "statutory-decision").expect("due");
    story.does(
        limit::stop,
        v1::StopClockRequest {
            code: "EXPERT_REVIEW".to_owned(),
            told: "a letter".to_owned(),
            ..Default::default()
        },
    );
    assert_eq!(due(&story, "decision"), None);
    assert_eq!(due(&story, "statutory-decision"), None);
    story.now += TimeDelta::days(7);
    story.does(limit::resume, v1::ResumeClockRequest::default());
    let resumed = due(&story, "statutory-decision").expect("due");
    assert!(resumed.seconds > before.seconds && due(&story, "decision").is_some());
    story.does(
        limit::extend,
        v1::ExtendDecisionRequest {
            approved_by: "head".to_owned(),
            reason: "hard".to_owned(),
            told: "a letter".to_owned(),
            ..Default::default()
        },
    );
    let extended = due(&story, "statutory-decision").expect("due");
    assert!(extended.seconds > resumed.seconds);
}

#[test]
fn bb_8a_a_limit_that_has_passed_is_not_extended() {
    let mut story = Story::accepted();
    story.now += TimeDelta::days(60);
    let request = v1::ExtendDecisionRequest {
        approved_by: "head".to_owned(),
        reason: "hard".to_owned(),
        told: "a letter".to_owned(),
        ..Default::default()
    };
    story.refused(limit::extend, request, "EXTENSION_TOO_LATE", "BB-8a");
}
