//! What is done under it, to the ledger (BB-10.2.2.2 – BB-10.2.6).

use bangban_casework::domain::{
    clock, complete, consent, contact, delegation, department, material, notice, outcome,
    outside::timestamp, reserved, responsibility,
};
use bangban_proto::bangban::{
    casework::v1::{
        self, CaseKind, CaseState, ConsentKind, DecisionOutcome, DelegationEnd, SupplyForm,
    },
    directory::v1::Power,
};
use chrono::TimeDelta;

use super::{day, has_gap, revoking, sweep, telling};
use crate::story::{
    POWERS, Story, answer, clerk, consenting, correction, correction_notice, document, draft,
    filing, in_person, missing, take,
};

#[test]
fn bb_10_2_2_2_what_is_missing_is_listed_once_in_agency_too() {
    let mut story = Story::opened_as(CaseKind::Agency, false);
    story.does(notice::give, v1::GiveNoticeRequest::default());
    story.does(consent::record, consenting(ConsentKind::Assistance));
    story.refused(
        material::list_missing,
        missing(&["form"]),
        "LIST_INCOMPLETE",
        "BB-10.1.2.1.2",
    );
    story.does(material::list_missing, missing(&["form", "identity-card"]));
    let lines = &story.case.missing_lists[0].materials;
    assert!(lines.iter().all(|l| !l.how_to_supplement.is_empty()));
    assert!(lines.iter().any(|l| l.can_be_done_on_the_spot));
    story.does(material::list_missing, missing(&["form", "identity-card"]));
    assert_eq!(story.case.breaches.len(), 1);
    // Helped on the spot.
    story.does(material::take, take("form", SupplyForm::OnTheSpot));
    assert!(story.case.materials[0].is_on_the_spot);
    story.does(
        material::take,
        take("identity-card", SupplyForm::Supplemented),
    );
    story.refused(
        material::list_missing,
        missing(&[]),
        "NOTHING_MISSING",
        "BB-10.1.2.1.1",
    );
}

#[test]
fn bb_10_2_3_a_correction_notice_opens_a_contact_that_is_due_the_same_working_day() {
    let mut story = Story::filed_for_principal();
    let request = correction_notice(story.at());
    story.does(department::correction, request);
    let contact = &story.case.contacts[0];
    assert_eq!(contact.reason(), v1::ContactReason::Supplement);
    // Monday, when the station closes.
    let due = story.open_clock("contact-1").and_then(|c| c.due_at);
    assert_eq!(
        due,
        Some(timestamp(
            "2026-03-02T09:30:00Z".parse().expect("an instant")
        ))
    );
    assert!(
        story.open_clock("completeness").is_none(),
        "the department has spoken"
    );
    story.passes(TimeDelta::hours(9));
    sweep(&mut story);
    assert!(
        story
            .case
            .breaches
            .iter()
            .any(|b| b.clock == "contact-1" && b.subject == "li-na")
    );
    story.does(
        contact::close,
        v1::CloseContactRequest {
            number: 1,
            is_reached: true,
            outcome: "brings it tomorrow".to_owned(),
            ..Default::default()
        },
    );
    assert!(story.open_clock("contact-1").is_none());
}

#[test]
fn bb_10_2_3_a_contact_after_hours_is_due_the_next_working_day() {
    let mut story = Story::filed_for_principal();
    // Friday evening, after the station has closed.
    day(&mut story, "2026-03-06T12:00:00Z");
    story.caller = clerk();
    let request = correction_notice(story.at());
    story.does(department::correction, request);
    let due = story.open_clock("contact-1").and_then(|c| c.due_at);
    assert_eq!(
        due,
        Some(timestamp(
            "2026-03-09T09:30:00Z".parse().expect("an instant")
        ))
    );
}

#[test]
fn bb_10_2_3_a_correction_is_answered_with_the_materials_and_while_it_can_be() {
    let mut story = Story::filed_for_principal();
    story.refused(
        department::answer_correction,
        answer("N-1"),
        "CORRECTION_UNKNOWN",
        "BB-8d",
    );
    let unknown = v1::ReportCorrectionNoticeRequest {
        materials: vec!["moon".to_owned()],
        ..correction_notice(story.at())
    };
    story.refused(
        department::correction,
        unknown,
        "MATERIAL_UNKNOWN",
        "BB-4.4a",
    );
    story.passes(TimeDelta::hours(1));
    let request = correction_notice(story.at());
    story.does(department::correction, request);
    // What was handed over before the notice is not what the notice asks for.
    story.refused(
        department::answer_correction,
        answer("N-1"),
        "MATERIALS_MISSING",
        "BB-10.2.3",
    );
    story.passes(TimeDelta::hours(1));
    let torn = v1::TakeMaterialRequest {
        is_valid: false,
        ..take("identity-card", SupplyForm::Supplemented)
    };
    story.does(material::take, torn);
    story.refused(
        department::answer_correction,
        answer("N-1"),
        "MATERIALS_MISSING",
        "BB-10.2.3",
    );
    story.does(
        material::take,
        take("identity-card", SupplyForm::Supplemented),
    );
    story.does(department::answer_correction, answer("N-1"));
    story.refused(
        department::answer_correction,
        answer("N-1"),
        "CORRECTION_UNKNOWN",
        "BB-8d",
    );
}

#[test]
fn bb_10_2_3_after_the_decision_no_correction_is_answered() {
    let mut story = Story::filed_for_principal();
    let request = correction_notice(story.at());
    story.does(department::correction, request);
    story.does(
        material::take,
        take("identity-card", SupplyForm::Supplemented),
    );
    story.is_accepted();
    story.is_decided(DecisionOutcome::Refused);
    story.refused(
        department::answer_correction,
        answer("N-1"),
        "OUT_OF_ORDER",
        "BB-8d",
    );
}

#[test]
fn bb_10_2_3_originals_change_hands_against_receipts() {
    let mut story = Story::delegated();
    let original = |receipt: &str| v1::TakeMaterialRequest {
        originals: 1,
        receipt: receipt.to_owned(),
        ..take("identity-card", SupplyForm::Brought)
    };
    let back = |receipt: &str| v1::ReturnMaterialRequest {
        material: "identity-card".to_owned(),
        receipt: receipt.to_owned(),
        ..Default::default()
    };
    for receipt in ["", " "] {
        story.refused(
            material::take,
            original(receipt),
            "RECEIPT_MISSING",
            "BB-10.2.3",
        );
    }
    // Copies need none.
    story.does(material::take, take("identity-card", SupplyForm::Brought));
    story.does(material::take, original("R-1"));
    story.refused(
        material::give_back,
        back(""),
        "RECEIPT_MISSING",
        "BB-10.2.3",
    );
    story.does(material::give_back, back("R-2"));
    story.refused(
        material::give_back,
        back("R-3"),
        "MATERIAL_NOT_HELD",
        "BB-8d",
    );
    // Assistance asks for none: the applicant is there.
    let mut story = Story::pre_checked();
    story.does(material::take, original(""));
}

#[test]
fn bb_10_2_4_a_result_is_delivered_whatever_it_is() {
    for outcome in [
        DecisionOutcome::Granted,
        DecisionOutcome::Refused,
        DecisionOutcome::NotAccepted,
        DecisionOutcome::Withdrawn,
    ] {
        let mut story = if outcome == DecisionOutcome::NotAccepted {
            Story::filed_for_principal()
        } else {
            Story::accepted_for_principal()
        };
        story.is_decided(outcome);
        assert!(story.open_clock("delivery").is_some(), "{outcome:?}");
        // The agent has the power to receive it, and has not yet.
        story.refused(outcome::deliver, in_person(), "DOCUMENT_MISSING", "BX-4");
        story.does(reserved::receive_document, document(story.at()));
        let unchecked = v1::DeliverResultRequest {
            identity_check: String::new(),
            ..in_person()
        };
        story.refused(
            outcome::deliver,
            unchecked,
            "IDENTITY_CHECK_MISSING",
            "BB-10.1.3",
        );
        story.does(outcome::deliver, in_person());
        assert_eq!(story.case.state(), CaseState::Delivered, "{outcome:?}");
        assert!(story.open_clock("delivery").is_none());
    }
}

#[test]
fn bb_10_2_4_the_document_is_received_after_the_decision_once() {
    let mut story = Story::accepted_for_principal();
    let request = document(story.at());
    story.refused(reserved::receive_document, request, "OUT_OF_ORDER", "BB-8d");
    story.passes(TimeDelta::hours(1));
    story.is_decided(DecisionOutcome::Granted);
    for (minutes, reason) in [(-30, "TIME_TOO_EARLY"), (2, "TIME_IN_FUTURE")] {
        let at = timestamp(story.now + TimeDelta::minutes(minutes));
        story.refused(
            reserved::receive_document,
            document(Some(at)),
            reason,
            "BB-8d",
        );
    }
    story.does(reserved::receive_document, document(story.at()));
    let request = document(story.at());
    story.refused(
        reserved::receive_document,
        request,
        "ALREADY_RECEIVED",
        "BX-4",
    );
    let received = story.case.document.clone().expect("received");
    assert_eq!(
        received.received_by.map(|a| a.subject).as_deref(),
        Some("li-na")
    );
}

#[test]
fn bb_10_2_4_without_the_power_to_receive_it_the_principal_does() {
    let powers = [Power::Submit, Power::ReceiveNotices];
    let mut story = Story::delegated_for(&powers);
    story.is_ready();
    story.does(department::file, filing(false));
    story.is_accepted();
    story.is_decided(DecisionOutcome::Granted);
    let request = document(story.at());
    story.refused(
        reserved::receive_document,
        request,
        "POWER_NOT_GRANTED",
        "BX-4",
    );
    story.does(outcome::deliver, in_person());
}

#[test]
fn bb_10_2_5_the_principal_is_prompted_once_after_delivery() {
    let story = Story::decided_for_principal(DecisionOutcome::Refused);
    story.refused(
        outcome::prompt,
        v1::PromptEvaluationRequest::default(),
        "OUT_OF_ORDER",
        "BB-8d",
    );
    let mut story = Story::delivered_to_principal();
    assert!(has_gap(&story, "EVALUATION"));
    story.does(outcome::prompt, v1::PromptEvaluationRequest::default());
    story.refused(
        outcome::prompt,
        v1::PromptEvaluationRequest::default(),
        "ALREADY_PROMPTED",
        "BB-10.1.4",
    );
    assert!(!has_gap(&story, "EVALUATION"));
}

#[test]
fn bb_10_2_6_the_record_is_complete_before_it_is_filed_away_and_the_delegation_ends_with_it() {
    let mut story = Story::delivered_to_principal();
    story.refused(
        outcome::file_away,
        v1::FileAwayRequest::default(),
        "RECORD_INCOMPLETE",
        "BB-8d",
    );
    story.does(outcome::prompt, v1::PromptEvaluationRequest::default());
    story.does(outcome::file_away, v1::FileAwayRequest::default());
    assert_eq!(
        (story.case.state(), story.case.kind()),
        (CaseState::FiledAway, CaseKind::Agency)
    );
    assert_eq!(story.agreement().end(), DelegationEnd::Completed);
    assert_eq!(complete::gaps(&story.case), []);
    assert_eq!(clock::attention_at(&story.case), None);
    // Nothing but corrections from here on.
    story.refused(delegation::revoke, revoking(), "OUT_OF_ORDER", "BB-8d");
    story.refused(
        delegation::tell_department,
        telling(),
        "DELEGATION_NOT_ENDED",
        "BX-4",
    );
    let request = draft(&POWERS, "2026-04-01", "2026-04-30");
    story.refused(delegation::draft, request, "OUT_OF_ORDER", "BB-8d");
    story.does(outcome::correct, correction(1));
}

#[test]
fn bb_10_2_6_an_offer_that_nobody_answered_ends_with_the_case() {
    let mut story = Story::delivered_to_principal();
    story.does(outcome::prompt, v1::PromptEvaluationRequest::default());
    story.offers("wang", "station", "");
    story.does(outcome::file_away, v1::FileAwayRequest::default());
    story.refused(
        responsibility::decline,
        v1::DeclineHandoverRequest::default(),
        "OUT_OF_ORDER",
        "BB-8d",
    );
}
