//! How a delegation ends, and what follows (BX-4; 民法典 arts. 173, 174, 933).

use bangban_casework::domain::{
    clock, consent, delegation, department, material,
    outside::timestamp,
    responsibility::{self, Who},
};
use bangban_kit::identity::Caller;
use bangban_proto::bangban::{
    casework::v1::{
        self, CaseKind, CaseState, ConsentKind, Continuation, DecisionOutcome, DelegationEnd,
        SupplyForm,
    },
    options::v1::Role,
};
use chrono::{TimeDelta, Utc};

use super::{has_gap, revoking, sweep, telling, tried, withdrawing};
use crate::story::{
    POWERS, Story, agent, clerk, consenting, decided_at, draft, ending, filing, sign, take,
};

#[test]
fn bx_4_the_principal_or_the_agent_in_their_name_revokes_and_nobody_else() {
    let story = Story::delegated();
    let citizen = |case: &str| Caller {
        subject: "citizen".to_owned(),
        roles: vec![Role::Citizen],
        case: case.to_owned(),
        ..Caller::public()
    };
    let may = |caller: &Caller| responsibility::may(Who::Applicant, &story.case, caller).is_ok();
    assert!(may(&citizen("c1")) && may(&story.caller));
    assert!(!may(&citizen("c2")) && !may(&clerk()) && !may(&agent("zhao", "station")));
}

#[test]
fn bx_4_revoked_before_filing_the_case_goes_on_as_assistance() {
    let mut story = Story::delegated();
    story.is_ready();
    story.does(delegation::revoke, revoking());
    assert_eq!(
        (story.case.kind(), story.case.state()),
        (CaseKind::Assist, CaseState::PreChecked)
    );
    story.refused(department::file, filing(false), "DELEGATION_ENDED", "BX-4");
    story.refused(delegation::revoke, revoking(), "DELEGATION_ENDED", "BX-4");
    // Nothing was filed: there is nothing to tell the department.
    assert!(story.open_clock("tell-department-1").is_none());
    story.refused(
        delegation::tell_department,
        telling(),
        "OUT_OF_ORDER",
        "BB-8d",
    );
    story.passes(TimeDelta::minutes(1));
    story.does(department::file, filing(true));
    assert!(
        !has_gap(&story, "DEPARTMENT_TOLD"),
        "the department never knew of the powers"
    );
    story.refused(
        delegation::tell_department,
        telling(),
        "DELEGATION_NOT_ENDED",
        "BX-4",
    );
}

#[test]
fn bx_4_after_an_end_the_department_is_told_the_same_day() {
    let ends: [(DelegationEnd, &str); 4] = [
        (DelegationEnd::Revoked, ""),
        (DelegationEnd::Resigned, ""),
        (DelegationEnd::Incapacity, "a paper"),
        (DelegationEnd::Death, "a paper"),
    ];
    for (end, proof) in ends {
        let mut story = Story::accepted_for_principal();
        story.refused(
            delegation::tell_department,
            telling(),
            "DELEGATION_NOT_ENDED",
            "BX-4",
        );
        if end == DelegationEnd::Revoked {
            story.does(delegation::revoke, revoking());
        } else {
            story.does(
                delegation::end,
                ending(end, Continuation::Unspecified, proof),
            );
        }
        let due = story.open_clock("tell-department-1").and_then(|c| c.due_at);
        assert_eq!(
            due,
            Some(timestamp(
                "2026-03-02T09:30:00Z".parse().expect("an instant")
            )),
            "{end:?}"
        );
        assert!(has_gap(&story, "DEPARTMENT_TOLD"), "{end:?}");
        story.passes(TimeDelta::days(1));
        sweep(&mut story);
        assert!(
            story
                .case
                .breaches
                .iter()
                .any(|b| b.clock == "tell-department-1" && b.subject == "li-na"),
            "{end:?}"
        );
        story.does(delegation::tell_department, telling());
        assert!(story.open_clock("tell-department-1").is_none());
        assert!(!has_gap(&story, "DEPARTMENT_TOLD"));
        story.refused(
            delegation::tell_department,
            telling(),
            "ALREADY_TOLD",
            "BX-4",
        );
        let expected = if end == DelegationEnd::Death {
            CaseState::Ended
        } else {
            CaseState::Accepted
        };
        assert_eq!(
            story.case.state(),
            expected,
            "our powers end, the application does not"
        );
    }
}

#[test]
fn bx_4_an_expired_term_is_found_unasked_and_the_department_is_told() {
    let mut story = Story::accepted_for_principal();
    let midnight = "2026-03-31T16:00:00Z"
        .parse::<chrono::DateTime<Utc>>()
        .expect("an instant");
    story.now = midnight - TimeDelta::seconds(1);
    sweep(&mut story);
    assert!(story.agreement().ended_at.is_none());
    assert_eq!(
        delegation::expires_at(&story.case),
        Some(midnight.timestamp())
    );
    assert!(
        clock::attention_at(&story.case).is_some_and(|at| at <= midnight.timestamp()),
        "the sweep looks no later than at midnight"
    );
    story.now = midnight;
    sweep(&mut story);
    assert_eq!(story.agreement().end(), DelegationEnd::Expired);
    assert_eq!(story.case.kind(), CaseKind::Assist);
    // Wednesday, 2026-04-01: when the station closes.
    let due = story.open_clock("tell-department-1").and_then(|c| c.due_at);
    assert_eq!(
        due,
        Some(timestamp(
            "2026-04-01T09:30:00Z".parse().expect("an instant")
        ))
    );
    story.does(delegation::tell_department, telling());
}

#[test]
fn bx_4_a_new_delegation_ends_the_duty_to_tell_of_the_old_ones_end() {
    let mut story = Story::accepted_for_principal();
    story.does(delegation::revoke, revoking());
    story.passes(TimeDelta::minutes(5));
    story.delegates(&POWERS, "2026-03-02", "2026-03-31");
    assert_eq!(story.case.kind(), CaseKind::Agency);
    assert!(
        story.open_clock("tell-department-1").is_none(),
        "a clock that nobody could end would be a breach for certain"
    );
    assert!(!has_gap(&story, "DEPARTMENT_TOLD"));
    // Revoked again: told once, of both.
    story.does(delegation::revoke, revoking());
    assert!(story.open_clock("tell-department-2").is_some());
    story.does(delegation::tell_department, telling());
    assert!(
        story
            .case
            .agreements
            .iter()
            .all(|a| a.department_told_at.is_some())
    );
}

#[test]
fn bx_4_a_signature_from_before_the_revocation_does_not_revive_the_powers() {
    let mut story = Story::filed_for_principal();
    story.does(
        delegation::draft,
        draft(&POWERS, "2026-04-01", "2026-04-30"),
    );
    story.passes(TimeDelta::hours(1));
    let signed_on_paper = story.at();
    story.passes(TimeDelta::hours(1));
    story.does(delegation::revoke, revoking());
    story.passes(TimeDelta::hours(1));
    story.refused(
        delegation::sign,
        sign(2, signed_on_paper),
        "SIGNED_BACKDATED",
        "BB-10.2.2.1",
    );
    // The principal may think again.
    let request = sign(2, story.at());
    story.does(delegation::sign, request);
}

#[test]
fn bb_4_1a_who_withdraws_the_consent_revokes_the_delegation_with_it() {
    let mut story = Story::accepted_for_principal();
    story.does(consent::withdraw, withdrawing(ConsentKind::Assistance));
    assert_eq!(story.case.state(), CaseState::Ended);
    assert_eq!(story.agreement().end(), DelegationEnd::Revoked);
    assert_eq!(story.agreement().ended_at, story.at());
    // The department is told all the same.
    assert!(story.open_clock("tell-department-1").is_some());
    assert!(story.open_clock("decision").is_none());
    story.does(delegation::tell_department, telling());
    // Nothing is left to be done: no sweep comes back to it.
    story.passes(TimeDelta::days(60));
    sweep(&mut story);
    assert_eq!(clock::attention_at(&story.case), None);

    // Before filing there is nobody to tell.
    let mut story = Story::delegated();
    story.does(consent::withdraw, withdrawing(ConsentKind::Assistance));
    assert_eq!(story.agreement().end(), DelegationEnd::Revoked);
    assert_eq!(clock::attention_at(&story.case), None);

    // Another consent ends nothing.
    let mut story = Story::delegated();
    story.does(consent::record, consenting(ConsentKind::Reuse));
    story.does(consent::withdraw, withdrawing(ConsentKind::Reuse));
    assert!(story.agreement().ended_at.is_none());
}

#[test]
fn bx_4_ends_are_possible_only_for_whom_they_can_befall_and_are_proved() {
    use DelegationEnd::{Death, Dissolution, Incapacity, Resigned};
    for is_enterprise in [false, true] {
        for end in [Resigned, Death, Incapacity, Dissolution] {
            for proof in ["", " ", "a paper"] {
                let mut story = Story::delegated();
                story.case.is_enterprise = is_enterprise;
                let request = ending(end, Continuation::Unspecified, proof);
                let expected = match (end, is_enterprise) {
                    (Death, true) | (Dissolution, false) => Some("END_NOT_POSSIBLE"),
                    _ if end != Resigned && proof != "a paper" => Some("PROOF_MISSING"),
                    _ => None,
                };
                let decided = delegation::end(&story.case, &request, &story.outside());
                assert_eq!(
                    decided.err().map(|r| (r.reason, r.requirement)),
                    expected.map(|reason| (reason, "BB-10.2.2.1")),
                    "{end:?} {proof:?} enterprise: {is_enterprise}"
                );
            }
        }
    }
}

#[test]
fn bx_4_after_a_death_acts_go_on_only_on_a_ground_of_the_civil_code() {
    use Continuation::{Acknowledged, BegunBefore, NotKnown, UntilDone};
    let continued = |continuation| ending(DelegationEnd::Death, continuation, "a paper");
    for continuation in [Acknowledged, UntilDone, BegunBefore] {
        let mut story = Story::accepted_for_principal();
        story.does(delegation::end, continued(continuation));
        let agreement = story.agreement();
        assert_eq!(agreement.continuation(), continuation);
        assert_eq!(agreement.continuation_proof, "a paper");
        assert!(agreement.ended_at.is_none());
        assert_eq!(
            (story.case.kind(), story.case.state()),
            (CaseKind::Agency, CaseState::Accepted)
        );
        assert!(story.open_clock("tell-department-1").is_none());
        assert_eq!(tried("decide", &story), None);
        // It ends all the same when its ground is gone.
        story.does(delegation::end, continued(Continuation::Unspecified));
        assert_eq!(story.case.state(), CaseState::Ended);
    }
    // What was done before anybody knew stands; whoever records the death knows.
    let mut story = Story::accepted_for_principal();
    story.does(delegation::end, continued(NotKnown));
    assert_eq!(story.agreement().continuation(), NotKnown);
    assert_eq!(story.agreement().end(), DelegationEnd::Death);
    assert_eq!(story.case.state(), CaseState::Ended);

    for end in [DelegationEnd::Resigned, DelegationEnd::Incapacity] {
        let story = Story::delegated();
        story.refused(
            delegation::end,
            ending(end, Acknowledged, "a paper"),
            "CONTINUATION_NOT_POSSIBLE",
            "BB-10.2.2.1",
        );
    }
    let story = Story::delegated();
    story.refused(
        delegation::end,
        ending(DelegationEnd::Death, Acknowledged, ""),
        "PROOF_MISSING",
        "BB-10.2.2.1",
    );
    let story = Story::drafted();
    story.refused(
        delegation::end,
        continued(Acknowledged),
        "DELEGATION_MISSING",
        "BB-3.2",
    );
}

#[test]
fn bx_4_after_a_death_nothing_is_recorded_but_what_is_owed_of_us() {
    let mut story = Story::accepted_for_principal();
    story.does(
        material::take,
        v1::TakeMaterialRequest {
            originals: 1,
            receipt: "R-1".to_owned(),
            ..take("identity-card", SupplyForm::Brought)
        },
    );
    story.does(
        delegation::end,
        ending(DelegationEnd::Death, Continuation::Unspecified, "a paper"),
    );
    story.caller = clerk();
    let request = decided_at(DecisionOutcome::Granted, story.at());
    story.refused(department::decide, request, "OUT_OF_ORDER", "BB-8d");
    story.caller = agent("li-na", "station");
    // Originals go back to the heirs, and the department is told.
    story.does(
        material::give_back,
        v1::ReturnMaterialRequest {
            material: "identity-card".to_owned(),
            receipt: "R-2".to_owned(),
            ..Default::default()
        },
    );
    story.does(delegation::tell_department, telling());
    assert_eq!(clock::attention_at(&story.case), None);
}
