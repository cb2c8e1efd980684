//! Assistance, and what holds for cases of either kind.

mod clocks;

use bangban_casework::domain::{
    Act, complete, consent, department, material, mode, notice, outcome,
    outside::timestamp,
    responsibility::{self, Who},
};
use bangban_kit::identity::Caller;
use bangban_proto::bangban::{
    casework::v1::{self as v1, Case, CaseState, ConsentForm, ConsentKind, ModeStep, SupplyForm},
    directory::v1::CheckAssignmentResponse,
    options::v1::Role,
    types::v1::Channel,
};
use chrono::TimeDelta;

use crate::story::{Story, consenting, correction, item, missing, step_request, take};

#[test]
fn bb_4_1a_nothing_is_done_without_consent_and_it_can_be_withdrawn_at_any_time() {
    let mut story = Story::opened();
    story.refused(
        material::take,
        take("form", SupplyForm::Brought),
        "CONSENT_MISSING",
        "BB-4.1a",
    );
    story.refused(
        consent::record,
        consenting(ConsentKind::Assistance),
        "NOTICE_MISSING",
        "BB-4.4a",
    );
    story.does(notice::give, v1::GiveNoticeRequest::default());
    let oral = |witness: &str| v1::RecordConsentRequest {
        form: ConsentForm::Oral.into(),
        witness: witness.to_owned(),
        ..consenting(ConsentKind::Assistance)
    };
    story.refused(consent::record, oral(""), "WITNESS_MISSING", "BB-4.1a");
    story.refused(
        consent::record,
        oral("li-na"),
        "WITNESS_IS_AGENT",
        "BB-4.1a",
    );
    story.does(consent::record, oral("neighbour"));
    story.does(
        consent::withdraw,
        v1::WithdrawConsentRequest {
            kind: ConsentKind::Assistance.into(),
            ..Default::default()
        },
    );
    assert_eq!(story.case.state(), CaseState::Ended);
    story.refused(
        material::take,
        take("form", SupplyForm::Brought),
        "OUT_OF_ORDER",
        "BB-8d",
    );
}

#[test]
fn bb_4_4a_the_notice_is_given_once_and_kept_as_given() {
    let mut story = Story::opened();
    let acts = notice::give(
        &story.case,
        &v1::GiveNoticeRequest::default(),
        &story.outside(),
    )
    .expect("given");
    let Some(Act::NoticeGiven(given)) = acts.first() else {
        panic!("a notice")
    };
    assert_eq!(
        given.notice.as_ref().and_then(|n| n.item.clone()),
        Some(item())
    );
    story.apply(acts);
    story.refused(
        notice::give,
        v1::GiveNoticeRequest::default(),
        "NOTICE_ALREADY_GIVEN",
        "BB-4.4a",
    );
}

#[test]
fn bb_4_4b_an_unmet_condition_is_explained_and_the_applicant_may_still_file() {
    let mut story = Story::told_and_consented();
    let explain = |condition: &str| v1::ExplainConditionRequest {
        condition: condition.to_owned(),
        files_anyway: true,
        ..Default::default()
    };
    story.refused(
        notice::explain,
        explain("HEIGHT"),
        "CONDITION_UNKNOWN",
        "BB-4.4b",
    );
    story.does(notice::explain, explain("AGE_80"));
    assert_eq!(story.case.state(), CaseState::Open);
    assert!(story.case.explanations[0].files_anyway);
}

#[test]
fn bb_10_1_2_1_2_everything_missing_is_listed_once_and_a_second_list_is_a_breach() {
    let mut story = Story::told_and_consented();
    story.refused(
        material::list_missing,
        missing(&["form"]),
        "LIST_INCOMPLETE",
        "BB-10.1.2.1.2",
    );
    story.refused(
        material::list_missing,
        missing(&["moon"]),
        "MATERIAL_UNKNOWN",
        "BB-4.4a",
    );
    story.does(material::list_missing, missing(&["form", "identity-card"]));
    assert!(story.case.breaches.is_empty());
    let changed = v1::ListMissingMaterialsRequest {
        changed_facts: "the card was lost".to_owned(),
        ..missing(&["form", "identity-card"])
    };
    story.does(material::list_missing, changed);
    assert!(
        story.case.breaches.is_empty(),
        "changed facts make a later list lawful"
    );
    story.does(material::list_missing, missing(&["form", "identity-card"]));
    assert_eq!(
        story.case.missing_lists.len(),
        3,
        "a second list is written, never suppressed"
    );
    assert_eq!(story.case.breaches[0].subject, "li-na");
    assert_eq!(story.case.breaches[0].requirement, "BB-10.1.2.1.2");
    story.refused(
        material::take,
        take("identity-card", SupplyForm::OnTheSpot),
        "NOT_ON_THE_SPOT",
        "BB-10.1.2.1.2",
    );
    story.refused(
        material::pass_pre_check,
        v1::PassPreCheckRequest::default(),
        "MATERIALS_MISSING",
        "BB-10.1.2.1.2",
    );
}

#[test]
fn bb_10_1_2_each_mode_has_its_steps_and_teaching_needs_consent() {
    let mut story = Story::told_and_consented();
    story.refused(
        mode::record_step,
        step_request(ModeStep::Printed),
        "STEP_NOT_OF_MODE",
        "BB-10.1.2",
    );
    story.refused(
        mode::record_step,
        step_request(ModeStep::Taught),
        "CONSENT_MISSING",
        "BB-10.1.2.2",
    );
    story.does(consent::record, consenting(ConsentKind::SelfGuided));
    story.does(mode::record_step, step_request(ModeStep::Taught));
    assert_eq!(
        story.open(Channel::Kiosk).expect_err("refused").reason,
        "CHANNEL_NOT_OFFERED"
    );
    assert_eq!(mode::steps(Channel::Window, false), [ModeStep::Accompanied]);
}

#[test]
fn bb_3_1_in_assistance_the_applicant_signs() {
    let mut story = Story::told_and_consented();
    let sign = |applicant_signed| v1::FileApplicationRequest {
        applicant_signed,
        ..Default::default()
    };
    story.refused(department::file, sign(true), "OUT_OF_ORDER", "BB-8d");
    story.does(material::take, take("form", SupplyForm::OnTheSpot));
    story.does(material::take, take("identity-card", SupplyForm::Brought));
    story.does(material::pass_pre_check, v1::PassPreCheckRequest::default());
    story.refused(department::file, sign(false), "SIGNATURE_MISSING", "BB-3.1");
    story.refused(
        department::file,
        sign(true),
        "MODE_STEPS_MISSING",
        "BB-10.1.2",
    );
}

#[test]
fn bb_10_1_3_delivery_checks_who_receives_and_post_is_received_when_it_is() {
    let mut story = Story::accepted();
    let at = timestamp(story.now);
    let decide = |outcome: v1::DecisionOutcome| v1::ReportDecisionRequest {
        outcome: outcome.into(),
        decided_at: Some(at),
        ..Default::default()
    };
    story.refused(
        department::decide,
        decide(v1::DecisionOutcome::Refused),
        "REMEDIES_MISSING",
        "BB-4.4a",
    );
    story.does(department::decide, decide(v1::DecisionOutcome::Granted));
    let by = |means: v1::DeliveryMeans| v1::DeliverResultRequest {
        means: means.into(),
        ..Default::default()
    };
    story.refused(
        outcome::deliver,
        by(v1::DeliveryMeans::InPerson),
        "IDENTITY_CHECK_MISSING",
        "BB-10.1.3",
    );
    story.refused(
        outcome::deliver,
        by(v1::DeliveryMeans::Post),
        "TRACKING_MISSING",
        "BB-10.1.3",
    );
    story.does(
        outcome::deliver,
        v1::DeliverResultRequest {
            carrier: "EMS".to_owned(),
            tracking_number: "E1".to_owned(),
            ..by(v1::DeliveryMeans::Post)
        },
    );
    assert!(
        complete::gaps(&story.case)
            .iter()
            .any(|g| g.reason == "DELIVERY"),
        "sent is not received"
    );
    story.now += TimeDelta::days(2);
    let at = timestamp(story.now);
    story.does(
        outcome::confirm,
        v1::ConfirmReceiptRequest {
            received_at: Some(at),
            ..Default::default()
        },
    );
    assert!(
        !complete::gaps(&story.case)
            .iter()
            .any(|g| g.reason == "DELIVERY")
    );
}

#[test]
fn bb_10_1_4_the_prompt_goes_out_once_and_bb_8d_nothing_is_filed_away_incomplete() {
    let mut story = Story::delivered();
    story.refused(
        outcome::file_away,
        v1::FileAwayRequest::default(),
        "RECORD_INCOMPLETE",
        "BB-8d",
    );
    story.does(outcome::prompt, v1::PromptEvaluationRequest::default());
    story.refused(
        outcome::prompt,
        v1::PromptEvaluationRequest::default(),
        "ALREADY_PROMPTED",
        "BB-10.1.4",
    );
    story.does(outcome::file_away, v1::FileAwayRequest::default());
    assert_eq!(story.case.state(), CaseState::FiledAway);
    story.refused(outcome::correct, correction(10_000), "ACT_UNKNOWN", "BB-8d");
    story.does(outcome::correct, correction(1));
    assert_eq!(story.case.state(), CaseState::FiledAway);
}

#[test]
fn bb_4_2a_responsibility_moves_only_when_the_receiver_accepts() {
    let mut story = Story::opened();
    let offer = v1::OfferHandoverRequest {
        to_agent: "wang".to_owned(),
        to_site: "town".to_owned(),
        ..Default::default()
    };
    story.does(responsibility::offer, offer.clone());
    assert_eq!(story.case.agent, "li-na");
    story.refused(responsibility::offer, offer, "HANDOVER_PENDING", "BB-4.2a");
    let stranger = Caller {
        subject: "zhao".to_owned(),
        roles: vec![Role::Agent],
        ..Caller::public()
    };
    assert_eq!(
        responsibility::may(Who::Receiver, &story.case, &stranger)
            .expect_err("refused")
            .reason,
        "NOT_THE_RECEIVER"
    );
    assert_eq!(
        responsibility::may(Who::Responsible, &story.case, &stranger)
            .expect_err("refused")
            .reason,
        "NOT_RESPONSIBLE"
    );
    let acts = responsibility::accept(
        &story.case,
        &CheckAssignmentResponse {
            region: "420527101".to_owned(),
            ..CheckAssignmentResponse::default()
        },
        &story.outside(),
    )
    .expect("accepted");
    story.apply(acts);
    assert_eq!(
        (story.case.agent.as_str(), story.case.region.as_str()),
        ("wang", "420527101")
    );
}

#[test]
fn bb_4_1c_what_is_held_is_used_again_with_consent_while_it_is_good() {
    let mut story = Story::told_and_consented();
    let reused = v1::TakeMaterialRequest {
        reused_from: "c0".to_owned(),
        ..take("identity-card", SupplyForm::Reused)
    };
    story.refused(material::take, reused.clone(), "CONSENT_MISSING", "BB-4.1c");
    story.does(consent::record, consenting(ConsentKind::Reuse));
    // No such case.
    story.refused(
        material::take,
        reused.clone(),
        "REUSE_NOT_POSSIBLE",
        "BB-4.1c",
    );
    story.item.materials[1].reusable_for_days = 30;
    let held = v1::CaseMaterial {
        code: "identity-card".to_owned(),
        is_present: true,
        is_valid: true,
        copies: 1,
        taken_at: Some(timestamp(story.now - TimeDelta::days(30))),
        ..Default::default()
    };
    let earlier = Case {
        id: "c0".to_owned(),
        materials: vec![held],
        ..Case::default()
    };
    let with = |change: fn(&mut Case)| {
        let mut earlier = earlier.clone();
        change(&mut earlier);
        Some(earlier)
    };
    for (change, why) in [
        (
            (|c| c.applicant = "another".to_owned()) as fn(&mut Case),
            "somebody else's",
        ),
        (|c| c.materials[0].is_valid = false, "not valid"),
        (
            |c| c.materials[0].taken_at.as_mut().expect("taken").seconds -= 86_400,
            "too old",
        ),
        (|c| c.materials.clear(), "never taken"),
        (|c| c.id = "c1".to_owned(), "the same case"),
    ] {
        story.earlier = with(change);
        let refusal = material::take(&story.case, &reused, &story.outside()).expect_err(why);
        assert_eq!(refusal.reason, "REUSE_NOT_POSSIBLE", "{why}");
    }
    story.earlier = with(|_| ());
    story.does(material::take, reused);
    assert_eq!(story.case.materials[0].reused_from, "c0");
}
