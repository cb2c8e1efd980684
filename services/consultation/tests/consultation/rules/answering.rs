use bangban_consultation::domain::{end, outside::timestamp};
use bangban_proto::bangban::{
    casework::v1::{CaseKind, Notice},
    consultation::v1::{ConsultationState, RecordCorrectionRequest},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::story::{Story, asked, item, refused, told};

#[test]
fn bb_10_1_1a_the_answer_ends_the_clock_and_comes_once() {
    let mut story = Story::new();
    story.later(30).answer(&told()).expect("answered");
    assert_eq!(story.consultation.state(), ConsultationState::Answered);
    assert_eq!(story.clock("answer").ended_at, Some(timestamp(story.now)));
    assert_eq!(story.consultation.next_due_at, None);
    let answer = story.consultation.answer.clone().expect("the answer");
    assert_eq!(answer.preparations, ["身份证"]);
    assert_eq!(answer.answered_by.expect("who").subject, "li-na");
    assert_eq!(refused(story.answer(&told())), ("OUT_OF_ORDER", "BB-8d"));
    assert_eq!(refused(story.end()), ("OUT_OF_ORDER", "BB-8d"));
}

#[test]
fn bb_10_1_1a_a_wrong_answer_is_corrected_and_stays() {
    let mut story = Story::new();
    story.answer(&told()).expect("answered");
    let mut request = RecordCorrectionRequest {
        act: 3,
        text: "每月一百二十元".to_owned(),
        reason: "看错文件".to_owned(),
        ..RecordCorrectionRequest::default()
    };
    let acts = end::correct(&story.consultation, &request, &story.outside()).expect("corrected");
    story.happens(acts);
    assert_eq!(story.consultation.corrections[0].act, 3);
    assert_eq!(
        story.consultation.answer.as_ref().expect("it").text,
        told().text
    );
    request.act = story.consultation.act_count + 1;
    let expected = ("ACT_UNKNOWN", "BB-8d");
    assert_eq!(
        refused(end::correct(
            &story.consultation,
            &request,
            &story.outside()
        )),
        expected
    );
}

#[test]
fn bb_4_4a_the_notice_of_the_version_in_force_goes_with_the_answer() {
    let mut story = Story::new();
    // Meanwhile another version has come into force, and a third is announced.
    story.items[0].effective_until = "2026-03-02".to_owned();
    story.items.push(item(2, "2026-03-02"));
    story.items.push(item(3, "2026-04-01"));
    story.answer(&told()).expect("answered");
    let answer = story.consultation.answer.as_ref().expect("the answer");
    let notice = answer.notice.as_ref().expect("the notice");
    assert_eq!(notice.item.as_ref().expect("an item").version, 2);
    assert_eq!(
        notice.department.as_ref().expect("a department").id,
        "civil-affairs"
    );
    let undigested = Notice {
        digest: Vec::new(),
        ..notice.clone()
    };
    let digest = Sha256::digest(undigested.encode_to_vec()).to_vec();
    assert_eq!(notice.digest, digest);
}

#[test]
fn bb_4_4a_there_is_no_notice_of_what_is_no_item_or_was_not_asked_about() {
    let mut general = asked();
    general.item.clear();
    let mut story = Story::of(&general);
    story.answer(&told()).expect("answered");
    let answer = story.consultation.answer.as_ref().expect("the answer");
    assert_eq!(answer.notice, None);
    let mut story = Story::new();
    let mut request = told();
    request.without_notice = true;
    story.answer(&request).expect("answered");
    let answer = story.consultation.answer.as_ref().expect("the answer");
    assert_eq!(answer.notice, None);
}

#[test]
fn bb_7_2_an_item_that_was_withdrawn_has_no_notice() {
    let mut story = Story::new();
    story.items[0].withdrawn_from = "2026-03-02".to_owned();
    let expected = ("ITEM_NOT_PUBLISHED", "BB-7.2");
    assert_eq!(refused(story.answer(&told())), expected);
    let mut request = told();
    request.without_notice = true;
    assert!(story.answer(&request).is_ok());
}

#[test]
fn bb_10_2_1_a_consultation_about_agency_tells_its_laws_and_policies() {
    let mut agency = asked();
    agency.kind = CaseKind::Agency.into();
    let mut story = Story::of(&agency);
    let expected = ("POLICIES_MISSING", "BB-10.2.1");
    assert_eq!(refused(story.answer(&told())), expected);
    let mut request = told();
    request.agency_policies = "委托代办须签订协议（民法典第919条）".to_owned();
    story.answer(&request).expect("answered");
    let answer = story.consultation.answer.as_ref().expect("the answer");
    assert_eq!(answer.agency_policies, request.agency_policies);
}

#[test]
fn a_consultation_that_nobody_waits_for_ends_with_its_clocks() {
    let mut story = Story::new();
    story.later(10).end().expect("ended");
    assert_eq!(story.consultation.state(), ConsultationState::Ended);
    assert_eq!(story.clock("answer").ended_at, Some(timestamp(story.now)));
    assert_eq!(story.consultation.ended_at, Some(timestamp(story.now)));
    assert_eq!(refused(story.answer(&told())), ("OUT_OF_ORDER", "BB-8d"));
    assert_eq!(refused(story.offer("chen")), ("OUT_OF_ORDER", "BB-8d"));
}
