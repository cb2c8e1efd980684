use bangban_consultation::{
    domain::{
        outside::timestamp,
        referral,
        responsibility::{Who, may},
    },
    tasks,
};
use bangban_proto::bangban::{
    casework::v1::CaseKind,
    consultation::v1::{AnswerReferralRequest, ConsultationState},
};
use chrono::TimeDelta;

use crate::story::{Story, agent, asked, clerk, refused, told};

#[test]
fn bb_10_1_1b_the_applicant_is_owed_the_answer_one_working_day_after_the_referral() {
    for (referred_at, due) in [
        ("2026-03-02T02:30:00Z", "2026-03-03T17:00:00+08:00"),
        // A Friday; the eve of three days off.
        ("2026-03-06T02:30:00Z", "2026-03-09T17:00:00+08:00"),
        ("2026-04-03T02:30:00Z", "2026-04-07T17:00:00+08:00"),
        // Referred after closing: the day of asking does not count, the next working day does.
        ("2026-03-02T10:30:00Z", "2026-03-03T17:00:00+08:00"),
    ] {
        let mut story = Story::new();
        story
            .at(referred_at)
            .refer("civil-affairs")
            .expect("referred");
        assert_eq!(story.consultation.state(), ConsultationState::Referred);
        assert_eq!(story.clock("answer").ended_at, Some(timestamp(story.now)));
        assert_eq!(story.due("reply"), due, "referred at {referred_at}");
        assert_eq!(story.clock("reply").citation, "BB-10.1.1b");
    }
}

#[test]
fn bb_10_1_1b_the_clock_runs_until_the_applicant_is_answered_not_the_department() {
    let mut story = Story::new();
    story.refer("civil-affairs").expect("referred");
    story.later(60).department_answers(1).expect("answered");
    assert_eq!(story.clock("reply").ended_at, None);
    assert_eq!(story.consultation.state(), ConsultationState::Referred);
    assert_eq!(story.consultation.referrals[0].issuer, "老龄股");
    story.later(60).answer(&told()).expect("told");
    assert_eq!(story.clock("reply").ended_at, Some(timestamp(story.now)));
}

#[test]
fn bb_10_1_1b_a_second_department_gives_no_later_answer() {
    let mut story = Story::new();
    story.refer("civil-affairs").expect("referred");
    let due = story.due("reply");
    story
        .later(24 * 60)
        .refer("health")
        .expect("referred again");
    assert_eq!(story.due("reply"), due);
    assert_eq!(story.consultation.referrals[1].number, 2);
    let replies = story.consultation.clocks.iter().filter(|c| c.id == "reply");
    assert_eq!(replies.count(), 1);
}

#[test]
fn bb_10_1_1b_only_a_competent_department_is_asked() {
    let mut story = Story::new();
    let expected = ("DEPARTMENT_UNKNOWN", "BB-10.1.1b");
    assert_eq!(refused(story.refer("nowhere")), expected);
    let expected = ("DEPARTMENT_NOT_COMPETENT", "BB-10.1.1b");
    assert_eq!(refused(story.refer("market")), expected);
    assert!(story.refer("health").is_ok());
    let mut general = asked();
    general.item.clear();
    let mut story = Story::of(&general);
    story.items.clear();
    assert!(story.refer("market").is_ok());
}

#[test]
fn bb_10_1_1c_an_anonymous_contact_cannot_be_referred() {
    let mut request = asked();
    request.applicant.clear();
    request.anonymity = "不愿留名".to_owned();
    let mut story = Story::of(&request);
    let expected = ("ANONYMOUS_NOT_POSSIBLE", "BB-10.1.1c");
    assert_eq!(refused(story.refer("civil-affairs")), expected);
}

#[test]
fn bb_10_2_1_the_limit_of_agency_is_borrowed_and_marked_so() {
    let mut agency = asked();
    agency.kind = CaseKind::Agency.into();
    let mut story = Story::of(&agency);
    story.refer("civil-affairs").expect("referred");
    assert_eq!(story.due("reply"), "2026-03-03T17:00:00+08:00");
    let citation = &story.clock("reply").citation;
    assert!(citation.starts_with("BB-10.2.1") && citation.contains("借用 BB-10.1.1b"));
    let breach = tasks::due_acts(&story.consultation, story.now.timestamp() + 10 * 86_400);
    assert!(format!("{breach:?}").contains("\"BB-10.2.1\""));
}

#[test]
fn bb_10_1_1b_a_departments_answer_is_put_on_record_once_and_by_whom_it_concerns() {
    let mut story = Story::new();
    story.refer("civil-affairs").expect("referred");
    story.refer("health").expect("referred");
    story.later(5);
    story.caller = clerk("health");
    let expected = ("REFERRAL_UNKNOWN", "BB-10.1.1b");
    assert_eq!(refused(story.department_answers(1)), expected);
    assert_eq!(refused(story.department_answers(3)), expected);
    story.department_answers(2).expect("answered");
    let expected = ("REFERRAL_ANSWERED", "BB-10.1.1b");
    assert_eq!(refused(story.department_answers(2)), expected);
    let may = |caller| may(Who::Department, &story.consultation, &caller);
    assert!(may(clerk("health")).is_ok() && may(agent("li-na")).is_ok());
    let expected = ("NOT_RESPONSIBLE", "BB-4.2a");
    assert_eq!(refused(may(clerk("market"))), expected);
    assert_eq!(refused(may(agent("wang-wei"))), expected);
}

#[test]
fn bb_8d_a_departments_answer_lies_between_the_question_and_now() {
    let mut story = Story::new();
    story.refer("civil-affairs").expect("referred");
    let referred = story.now;
    story.later(60);
    let answer = |at| {
        let request = AnswerReferralRequest {
            number: 1,
            answer: "能".to_owned(),
            issuer: "老龄股".to_owned(),
            answered_at: Some(timestamp(at)),
            ..AnswerReferralRequest::default()
        };
        referral::answer(&story.consultation, &request, &story.outside())
    };
    let early = answer(referred - TimeDelta::minutes(1));
    assert_eq!(refused(early), ("TIME_TOO_EARLY", "BB-8d"));
    let late = answer(story.now + TimeDelta::minutes(5));
    assert_eq!(refused(late), ("TIME_IN_FUTURE", "BB-8d"));
    assert!(answer(referred + TimeDelta::minutes(5)).is_ok());
}
