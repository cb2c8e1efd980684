use bangban_consultation::domain::responsibility::{Who, may};
use bangban_kit::identity::Caller;
use bangban_proto::bangban::options::v1::Role;

use crate::story::{Story, agent, refused, told};

#[test]
fn bb_4_2a_the_giver_is_responsible_until_the_receiver_has_accepted() {
    let mut story = Story::new();
    story.offer("chen-jun").expect("offered");
    assert_eq!(story.consultation.agent, "li-na");
    let expected = ("HANDOVER_PENDING", "BB-4.2a");
    assert_eq!(refused(story.offer("wang-wei")), expected);
    // The giver goes on meanwhile.
    story.refer("civil-affairs").expect("referred");
    story.later(5).accept().expect("accepted");
    assert_eq!(story.consultation.agent, "chen-jun");
    let handover = &story.consultation.handovers[0];
    assert!(handover.accepted_at.is_some() && handover.declined_at.is_none());
    assert_eq!(refused(story.accept()), ("NO_HANDOVER", "BB-4.2a"));
}

#[test]
fn bb_4_2a_who_declines_leaves_it_with_the_giver() {
    let mut story = Story::new();
    story.offer("chen-jun").expect("offered");
    story.decline().expect("declined");
    assert_eq!(story.consultation.agent, "li-na");
    assert!(story.offer("wang-wei").is_ok());
}

#[test]
fn bb_4_2a_nobody_hands_over_to_themselves() {
    let expected = ("HANDOVER_TO_ONESELF", "BB-4.2a");
    assert_eq!(refused(Story::new().offer("li-na")), expected);
}

#[test]
fn bb_4_2a_each_command_is_for_the_one_whom_it_concerns() {
    let mut story = Story::new();
    let c = &story.consultation;
    assert!(may(Who::Responsible, c, &agent("li-na")).is_ok());
    let expected = ("NOT_RESPONSIBLE", "BB-4.2a");
    assert_eq!(refused(may(Who::Responsible, c, &agent("chen"))), expected);
    let clerk = Caller {
        roles: vec![Role::Auditor],
        ..agent("li-na")
    };
    assert_eq!(refused(may(Who::Responsible, c, &clerk)), expected);
    let supervisor = Caller {
        roles: vec![Role::Supervisor],
        ..agent("zhou")
    };
    assert!(may(Who::Corrector, c, &supervisor).is_ok());
    assert_eq!(refused(may(Who::Responsible, c, &supervisor)), expected);
    let expected = ("NO_HANDOVER", "BB-4.2a");
    assert_eq!(refused(may(Who::Receiver, c, &agent("chen"))), expected);
    story.offer("chen").expect("offered");
    let c = &story.consultation;
    assert!(may(Who::Receiver, c, &agent("chen")).is_ok());
    let expected = ("NOT_THE_RECEIVER", "BB-4.2a");
    assert_eq!(refused(may(Who::Receiver, c, &agent("wang"))), expected);
}

#[test]
fn bb_4_2a_somebody_is_responsible_for_what_was_answered_too() {
    let mut story = Story::new();
    story.answer(&told()).expect("answered");
    story.offer("chen-jun").expect("offered");
    story.accept().expect("accepted");
    assert_eq!(story.consultation.agent, "chen-jun");
}
