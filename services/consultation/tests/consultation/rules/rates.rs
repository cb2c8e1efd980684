use bangban_consultation::{
    domain::{Act, complete, conversion, handling, outside::timestamp},
    tasks,
};
use bangban_proto::bangban::{consultation::v1::ConvertConsultationRequest, types::v1::Channel};

use crate::story::{Story, refused, told};

#[test]
fn bb_8c_what_is_answered_by_closing_time_is_in_time() {
    let mut story = Story::new();
    story
        .at("2026-03-02T09:00:00Z")
        .answer(&told())
        .expect("answered");
    let h = handling::of(&story.consultation);
    assert!(h.handled_at.is_some() && !h.is_late && h.is_complete);
    assert_eq!(h.due_at, story.clock("answer").due_at);
    let mut story = Story::new();
    story
        .at("2026-03-02T09:00:01Z")
        .answer(&told())
        .expect("answered");
    assert!(handling::of(&story.consultation).is_late);
}

#[test]
fn bb_8c_a_referral_that_comes_late_is_late_whatever_follows() {
    let mut story = Story::new();
    story
        .at("2026-03-03T02:00:00Z")
        .refer("health")
        .expect("referred");
    story.later(30).answer(&told()).expect("answered");
    let h = handling::of(&story.consultation);
    assert!(h.is_late);
    assert_eq!(h.due_at, story.clock("reply").due_at);
}

#[test]
fn bb_8c_nobody_waits_for_what_was_given_up_in_time_and_giving_up_late_hides_nothing() {
    let mut story = Story::new();
    story.end().expect("ended");
    let h = handling::of(&story.consultation);
    assert_eq!((h.due_at, h.handled_at), (None, None));
    assert!(h.closed_at.is_some() && h.is_complete);
    let mut story = Story::new();
    story.at("2026-03-03T02:00:00Z").end().expect("ended");
    let h = handling::of(&story.consultation);
    assert!(h.due_at.is_some() && h.handled_at.is_none() && h.is_late);
}

#[test]
fn bb_8c_a_case_in_time_is_handled_in_time() {
    let mut story = Story::new();
    let request = ConvertConsultationRequest {
        mode: Channel::Window.into(),
        ..ConvertConsultationRequest::default()
    };
    story.convert(&request).expect("meant");
    assert!(handling::of(&story.consultation).handled_at.is_none());
    let act = conversion::acknowledge(&story.consultation, "case", "R-1").expect("new");
    story.happens(vec![act]);
    let h = handling::of(&story.consultation);
    assert!(h.handled_at.is_some() && !h.is_late);
    assert!(complete::result(&story.consultation).contains("R-1"));
}

#[test]
fn bb_8d_the_departments_part_belongs_to_the_record() {
    let mut story = Story::new();
    story.refer("health").expect("referred");
    story.answer(&told()).expect("answered");
    assert_eq!(complete::gaps(&story.consultation), ["DEPARTMENT_ANSWER"]);
    assert!(!handling::of(&story.consultation).is_complete);
    // It may come later, and completes the record then.
    story.later(600).department_answers(1).expect("answered");
    assert!(handling::of(&story.consultation).is_complete);
    assert!(complete::result(&story.consultation).contains("老龄股：不能"));
}

#[test]
fn bb_8c_a_same_day_limit_is_warned_of_an_hour_before_and_its_breach_is_the_agents() {
    let mut story = Story::new();
    let due = story.clock("answer").due_at.expect("a due time").seconds;
    assert!(tasks::due_acts(&story.consultation, due - 3601).is_empty());
    let acts = tasks::due_acts(&story.consultation, due - 3600);
    assert!(matches!(acts.as_slice(), [Act::DueSoonWarned(_)]));
    story.happens(acts);
    let clocks = &story.consultation.clocks;
    assert_eq!(bangban_limits::clock::attention_at(clocks), Some(due));
    assert!(tasks::due_acts(&story.consultation, due - 1).is_empty());
    let acts = tasks::due_acts(&story.consultation, due);
    let [Act::BreachRecorded(recorded)] = acts.as_slice() else {
        panic!("a breach");
    };
    let breach = recorded.breach.as_ref().expect("a breach");
    assert_eq!(
        (breach.subject.as_str(), breach.requirement.as_str()),
        ("li-na", "BB-8c")
    );
    story.happens(acts);
    assert!(tasks::due_acts(&story.consultation, due + 99_999).is_empty());
    assert_eq!(
        bangban_limits::clock::attention_at(&story.consultation.clocks),
        None
    );
}

#[test]
fn bb_10_1_1b_a_late_reply_is_the_breach_of_who_is_responsible_then() {
    let mut story = Story::new();
    story.refer("health").expect("referred");
    story.offer("chen-jun").expect("offered");
    story.accept().expect("accepted");
    story.at("2026-03-04T02:00:00Z");
    let acts = tasks::due_acts(&story.consultation, story.now.timestamp());
    story.happens(acts);
    let breach = &story.consultation.breaches[0];
    assert_eq!(breach.subject, "chen-jun");
    assert_eq!(breach.requirement, "BB-10.1.1b");
    assert_eq!(story.clock("reply").breached_at, Some(timestamp(story.now)));
    // The answer is still owed.
    assert!(story.answer(&told()).is_ok());
    assert_eq!(refused(story.end()), ("OUT_OF_ORDER", "BB-8d"));
}
