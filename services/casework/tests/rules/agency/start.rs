//! How a matter comes to be one of agency, and when it is not (BB-3, BB-7.1.2, BB-10.1.2.1.3).

use bangban_casework::domain::{delegation, department, outcome};
use bangban_proto::bangban::{
    casework::v1::{self, CaseKind, CaseState, Continuation, DecisionOutcome, DelegationEnd},
    directory::v1::Power,
    types::v1::Channel,
};

use super::{MARCH, revoking};
use crate::story::{POWERS, Story, agency_item, draft, ending, filing, in_person, item, sign};

#[test]
fn bb_3_2_nothing_is_done_for_a_principal_without_a_signed_agreement() {
    for kind in [CaseKind::Assist, CaseKind::Agency] {
        let mut story = Story::opened_as(kind, false);
        story.is_prepared();
        let why = match kind {
            CaseKind::Agency => ("DELEGATION_MISSING", "BB-3.2"),
            _ => ("SIGNATURE_MISSING", "BB-3.1"),
        };
        story.refused(department::file, filing(false), why.0, why.1);
        // A draft is no agreement.
        story.does(delegation::draft, draft(&POWERS, MARCH.0, MARCH.1));
        story.refused(
            department::file,
            filing(false),
            "DELEGATION_MISSING",
            "BB-3.2",
        );
        story.refused(
            delegation::revoke,
            revoking(),
            "DELEGATION_MISSING",
            "BB-3.2",
        );
        story.refused(
            delegation::end,
            ending(
                DelegationEnd::Resigned,
                Continuation::Unspecified,
                "a letter",
            ),
            "DELEGATION_MISSING",
            "BB-3.2",
        );
        assert_eq!(story.case.kind(), kind);
    }
}

#[test]
fn bb_3_1_who_asked_for_agency_and_signs_in_person_before_any_agreement_is_assisted() {
    let mut story = Story::opened_as(CaseKind::Agency, false);
    story.is_prepared();
    // The applicant is there: the steps are those of assistance.
    story.refused(
        department::file,
        filing(true),
        "MODE_STEPS_MISSING",
        "BB-10.1.2",
    );
    story.takes_all_steps();
    story.does(department::file, filing(true));
    assert_eq!(story.case.kind(), CaseKind::Assist);
    // It goes on to its end without an agreement.
    story.is_accepted();
    story.is_decided(DecisionOutcome::Granted);
    story.does(outcome::deliver, in_person());
    story.does(outcome::prompt, v1::PromptEvaluationRequest::default());
    story.does(outcome::file_away, v1::FileAwayRequest::default());
}

#[test]
fn bb_3_1_a_principal_may_sign_in_person_all_the_same() {
    let mut story = Story::delegated();
    story.is_ready();
    story.does(department::file, filing(true));
    assert_eq!(story.case.kind(), CaseKind::Agency);
    assert!(
        story
            .case
            .filing
            .as_ref()
            .is_some_and(|f| f.applicant_signed)
    );
}

#[test]
fn bb_7_1_2_only_items_in_the_catalogue_are_for_agency() {
    let mut story = Story::new(item());
    let refusal = story
        .open_as(Channel::Online, CaseKind::Agency, false)
        .expect_err("refused");
    assert_eq!(
        (refusal.reason, refusal.requirement),
        ("AGENCY_NOT_ALLOWED", "BB-7.1.2")
    );
    assert!(
        story
            .open_as(Channel::Online, CaseKind::Assist, false)
            .is_ok()
    );
    story.item = agency_item();
    assert!(
        story
            .open_as(Channel::Online, CaseKind::Agency, false)
            .is_ok()
    );
    let mut story = Story::pre_checked();
    story.item = item();
    story.refused(
        delegation::draft,
        draft(&POWERS, MARCH.0, MARCH.1),
        "AGENCY_NOT_ALLOWED",
        "BB-7.1.2",
    );
}

#[test]
fn bb_10_1_2_1_3_an_assisted_case_becomes_one_of_agency_with_its_number_and_its_ledger() {
    let mut story = Story::pre_checked();
    let before = story.case.clone();
    story.does(delegation::draft, draft(&POWERS, MARCH.0, MARCH.1));
    assert_eq!(
        story.case.kind(),
        CaseKind::Assist,
        "a draft changes nothing"
    );
    let request = sign(1, story.at());
    story.does(delegation::sign, request);
    let after = &story.case;
    assert_eq!(after.kind(), CaseKind::Agency);
    assert_eq!(
        (&after.id, &after.receipt, &after.agent, after.state()),
        (&before.id, &before.receipt, &before.agent, before.state())
    );
    assert_eq!(
        after.act_count,
        before.act_count + 2,
        "the ledger goes on where it was"
    );
    assert_eq!(after.materials, before.materials);
    assert_eq!(after.consents, before.consents);
    assert_eq!(after.notice, before.notice);
}

#[test]
fn bb_10_1_2_1_3_agency_may_be_asked_for_after_the_applicant_filed() {
    let mut story = Story::pre_checked();
    story.takes_all_steps();
    story.does(department::file, filing(true));
    // What is filed need not be filed again.
    let powers = [Power::ReceiveDocument];
    story.does(delegation::draft, draft(&powers, MARCH.0, MARCH.1));
    let request = sign(1, story.at());
    story.does(delegation::sign, request);
    assert_eq!(
        (story.case.kind(), story.case.state()),
        (CaseKind::Agency, CaseState::Filed)
    );
}
