//! The agreement: its texts, its powers, its term, and who signs it (BB-10.2.2.1).

use bangban_casework::domain::{
    Act, complete, consent, delegation, department, notice, outcome, outside::timestamp, reserved,
    template,
};
use bangban_proto::bangban::{
    casework::v1::{
        self, Agreement, Capacity, CaseKind, ConsentKind, DecisionOutcome, DelegationEnd,
        SignatureForm,
    },
    directory::v1::Power,
};
use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::{MARCH, day, has_gap, sweep};
use crate::story::{POWERS, Story, consenting, decided_at, document, draft, in_person, sign};

/// The draft with its texts, which the state of a case leaves out.
fn drawn_up(story: &Story, powers: &[Power]) -> Agreement {
    let acts = delegation::draft(
        &story.case,
        &draft(powers, MARCH.0, MARCH.1),
        &story.outside(),
    )
    .expect("drawn up");
    match acts.as_slice() {
        [Act::DelegationDrafted(drafted)] => drafted.agreement.clone().expect("an agreement"),
        other => panic!("one act: {other:?}"),
    }
}

#[test]
fn bb_10_2_2_1_the_texts_name_everybody_and_each_power_and_nothing_is_left_open() {
    let story = Story::pre_checked();
    let agreement = drawn_up(&story, &POWERS);
    assert_eq!(agreement.template_version, template::VERSION);
    for text in [&agreement.text, &agreement.authorisation] {
        assert!(!text.contains(['{', '}']), "a placeholder is open: {text}");
        for known in ["张*", "station", "li-na", "高龄津贴", MARCH.0, MARCH.1] {
            assert!(text.contains(known), "{known} is missing: {text}");
        }
        for (at, power) in POWERS.into_iter().enumerate() {
            let line = format!("（{}）{}", at + 1, template::power(power));
            assert!(
                text.lines().any(|l| l == line),
                "{line} has no line of its own: {text}"
            );
        }
        // No general power (民法典 art. 165).
        assert!(!text.contains("全权"), "{text}");
    }
    for clause in [
        "免费",
        "随时解除",
        "期限届满",
        "第一百七十三条",
        "须经委托人同意",
    ] {
        assert!(agreement.text.contains(clause), "{clause}");
    }
    assert!(agreement.authorisation.contains("除此之外没有授权"));
    let mut digest = Sha256::new();
    for part in [&agreement.text, &agreement.authorisation] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    assert_eq!(agreement.digest, digest.finalize().to_vec());
}

#[test]
fn bb_10_2_2_1_a_power_that_was_not_given_is_not_in_the_text() {
    let story = Story::pre_checked();
    let agreement = drawn_up(&story, &[Power::Submit]);
    for power in [
        Power::Supplement,
        Power::ReceiveNotices,
        Power::ReceiveDocument,
    ] {
        for text in [&agreement.text, &agreement.authorisation] {
            assert!(!text.contains(template::power(power)), "{text}");
        }
    }
    let other = drawn_up(&story, &[Power::Submit, Power::Supplement]);
    assert_ne!(agreement.digest, other.digest);
}

#[test]
fn bb_10_2_2_1_the_state_keeps_the_digest_and_the_act_keeps_the_texts() {
    let mut story = Story::pre_checked();
    let drawn_up = drawn_up(&story, &POWERS);
    story.does(delegation::draft, draft(&POWERS, MARCH.0, MARCH.1));
    let kept = story.agreement();
    assert_eq!(kept.digest, drawn_up.digest);
    assert!(kept.text.is_empty() && kept.authorisation.is_empty());
}

#[test]
fn bb_10_2_2_1_the_pre_check_and_the_consent_come_first() {
    let march = || draft(&POWERS, MARCH.0, MARCH.1);
    let mut story = Story::opened_as(CaseKind::Agency, false);
    story.refused(delegation::draft, march(), "CONSENT_MISSING", "BB-4.1a");
    story.does(notice::give, v1::GiveNoticeRequest::default());
    story.does(consent::record, consenting(ConsentKind::Assistance));
    story.refused(
        delegation::draft,
        march(),
        "PRE_CHECK_MISSING",
        "BB-10.2.2.1",
    );
    let request = sign(1, story.at());
    story.refused(
        delegation::sign,
        request,
        "PRE_CHECK_MISSING",
        "BB-10.2.2.1",
    );
}

#[test]
fn bb_10_2_2_1_powers_are_those_of_the_item() {
    let mut story = Story::pre_checked();
    story.item.powers = vec![Power::Submit.into(), Power::Supplement.into()];
    for (powers, reason) in [
        (vec![Power::Submit, Power::ReceiveDocument], "POWER_UNKNOWN"),
        (vec![Power::Unspecified], "POWER_UNKNOWN"),
        (vec![Power::Supplement], "POWER_MISSING"),
    ] {
        story.refused(
            delegation::draft,
            draft(&powers, MARCH.0, MARCH.1),
            reason,
            "BX-4",
        );
    }
    story.does(
        delegation::draft,
        draft(&[Power::Submit, Power::Supplement], MARCH.0, MARCH.1),
    );
}

#[test]
fn bb_10_2_2_1_a_term_begins_today_or_later_and_is_a_year_at_most() {
    let story = Story::pre_checked();
    for (from, until, reason, requirement) in [
        ("2026-03-01", "2026-03-31", "TERM_IMPOSSIBLE", "BB-10.2.2.1"),
        ("2026-03-03", "2026-03-02", "TERM_IMPOSSIBLE", "BB-10.2.2.1"),
        ("2026-03-02", "2027-03-03", "TERM_IMPOSSIBLE", "BB-10.2.2.1"),
        ("2026-03-02", "2036-03-02", "TERM_IMPOSSIBLE", "BB-10.2.2.1"),
        ("2026-02-30", "2026-03-31", "DATE_IMPOSSIBLE", "BB-8d"),
        ("2026-03-02", "2026-04-31", "DATE_IMPOSSIBLE", "BB-8d"),
    ] {
        let refusal =
            delegation::draft(&story.case, &draft(&POWERS, from, until), &story.outside())
                .expect_err("refused");
        assert_eq!(
            (refusal.reason, refusal.requirement),
            (reason, requirement),
            "{from} to {until}"
        );
    }
    for (from, until) in [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02", "2027-03-02"),
        ("2026-12-01", "2026-12-31"),
    ] {
        let drafted =
            delegation::draft(&story.case, &draft(&POWERS, from, until), &story.outside());
        assert!(drafted.is_ok(), "{from} to {until}: {drafted:?}");
    }
}

#[test]
fn bb_10_2_2_1_today_is_the_day_in_shanghai() {
    let mut story = Story::pre_checked();
    // One minute past midnight there, the day before in UTC.
    day(&mut story, "2026-03-02T16:01:00Z");
    story.refused(
        delegation::draft,
        draft(&POWERS, "2026-03-02", "2026-03-31"),
        "TERM_IMPOSSIBLE",
        "BB-10.2.2.1",
    );
    story.does(
        delegation::draft,
        draft(&POWERS, "2026-03-03", "2026-03-31"),
    );
}

#[test]
fn bb_10_2_2_1_each_signer_signs_in_a_capacity_that_is_possible_and_proved() {
    use Capacity::{AuthorisedRelative, Guardian, LegalRepresentative, Seal, Self_};
    let person = {
        let mut story = Story::pre_checked();
        story.does(delegation::draft, draft(&POWERS, MARCH.0, MARCH.1));
        story
    };
    let enterprise = {
        let mut story = Story::of_enterprise();
        story.does(delegation::draft, draft(&POWERS, MARCH.0, MARCH.1));
        story
    };
    let mut accepted = 0;
    for story in [&person, &enterprise] {
        for capacity in [
            Capacity::Unspecified,
            Self_,
            LegalRepresentative,
            Seal,
            Guardian,
            AuthorisedRelative,
        ] {
            for form in [
                SignatureForm::Handwritten,
                SignatureForm::Seal,
                SignatureForm::Electronic,
            ] {
                for proof in ["", " ", "paper-2"] {
                    let is_possible = match capacity {
                        Self_ | Guardian | AuthorisedRelative => !story.case.is_enterprise,
                        LegalRepresentative | Seal => story.case.is_enterprise,
                        Capacity::Unspecified => false,
                    };
                    let is_proved = capacity == Self_ || proof == "paper-2";
                    let is_fitting = match form {
                        SignatureForm::Seal => capacity == Seal,
                        SignatureForm::Handwritten => capacity != Seal,
                        _ => true,
                    };
                    let expected = match (is_possible, is_proved, is_fitting) {
                        (false, ..) => Some("CAPACITY_NOT_POSSIBLE"),
                        (_, false, _) => Some("CAPACITY_NOT_PROVED"),
                        (_, _, false) => Some("SIGNATURE_FORM_NOT_POSSIBLE"),
                        _ => None,
                    };
                    let request = v1::SignDelegationRequest {
                        number: 1,
                        signature: Some(v1::Signature {
                            capacity: capacity.into(),
                            capacity_proof: proof.to_owned(),
                            form: form.into(),
                            proof: "paper-1".to_owned(),
                            witness: String::new(),
                            signed_at: story.at(),
                        }),
                        ..Default::default()
                    };
                    let decided = delegation::sign(&story.case, &request, &story.outside());
                    let refused = decided.as_ref().err().map(|r| (r.reason, r.requirement));
                    assert_eq!(
                        refused,
                        expected.map(|reason| (reason, "BB-10.2.2.1")),
                        "{capacity:?} {form:?} {proof:?} enterprise: {}",
                        story.case.is_enterprise
                    );
                    accepted += u32::from(decided.is_ok());
                }
            }
        }
    }
    // Self: two forms, with or without a proof (6); guardian and relative: two forms with proof (4); the representative:
    // two forms (2); the seal: on paper or electronic (2).
    assert_eq!(accepted, 14);
}

#[test]
fn bb_10_2_2_1_a_text_is_signed_once_when_it_is_there_and_neither_before_nor_in_the_future() {
    let mut story = Story::drafted();
    let request = sign(2, story.at());
    story.refused(delegation::sign, request, "DRAFT_UNKNOWN", "BB-10.2.2.1");
    for (minutes, reason, requirement) in [
        (-1, "SIGNED_BACKDATED", "BB-10.2.2.1"),
        (-60 * 24 * 30, "SIGNED_BACKDATED", "BB-10.2.2.1"),
        (2, "TIME_IN_FUTURE", "BB-8d"),
    ] {
        let at = timestamp(story.now + TimeDelta::minutes(minutes));
        story.refused(delegation::sign, sign(1, Some(at)), reason, requirement);
    }
    story.refused(delegation::sign, sign(1, None), "TIME_IMPOSSIBLE", "BB-8d");
    let request = sign(1, story.at());
    story.does(delegation::sign, request.clone());
    story.refused(delegation::sign, request, "ALREADY_SIGNED", "BB-10.2.2.1");
}

#[test]
fn bb_6_1_an_agent_cannot_witness_the_own_agreement() {
    let mut story = Story::drafted();
    let witnessed = |by: &str| {
        let mut request = sign(1, story.at());
        if let Some(signature) = &mut request.signature {
            signature.witness = by.to_owned();
        }
        request
    };
    for witness in ["li-na", " li-na "] {
        story.refused(
            delegation::sign,
            witnessed(witness),
            "WITNESS_IS_AGENT",
            "BB-10.2.2.1",
        );
    }
    let by_another = witnessed("neighbour");
    story.does(delegation::sign, by_another);
}

#[test]
fn bb_10_2_2_1_a_draft_is_outdated_when_the_agent_or_the_term_is() {
    let mut story = Story::drafted();
    story.offers("wang", "station", "");
    story.is_taken_over();
    let request = sign(1, story.at());
    story.refused(delegation::sign, request, "DRAFT_OUTDATED", "BB-10.2.2.1");

    let mut story = Story::pre_checked();
    story.does(
        delegation::draft,
        draft(&POWERS, "2026-03-02", "2026-03-03"),
    );
    story.passes(TimeDelta::days(2));
    let request = sign(1, story.at());
    story.refused(delegation::sign, request, "TERM_IMPOSSIBLE", "BB-10.2.2.1");
}

#[test]
fn bb_10_2_2_1_a_renewal_begins_after_the_term_and_powers_go_on_without_a_gap() {
    let mut story = Story::filed_for_principal();
    for from in ["2026-03-02", "2026-03-31"] {
        story.refused(
            delegation::draft,
            draft(&POWERS, from, "2026-04-30"),
            "DELEGATION_IN_FORCE",
            "BB-10.2.2.1",
        );
    }
    // Two renewals of the same days are drawn up, one of them is signed.
    for _ in 0..2 {
        story.does(
            delegation::draft,
            draft(&POWERS, "2026-04-01", "2026-04-30"),
        );
    }
    let request = sign(2, story.at());
    story.does(delegation::sign, request);
    let request = sign(3, story.at());
    story.refused(delegation::sign, request, "TERM_IMPOSSIBLE", "BB-10.2.2.1");
    story.is_accepted();
    // The last day of the first, the first day of the second: 2026-03-31 and 2026-04-01 in Shanghai.
    for instant in ["2026-03-31T15:59:00Z", "2026-03-31T16:01:00Z"] {
        day(&mut story, instant);
        sweep(&mut story);
        assert_eq!(story.case.kind(), CaseKind::Agency);
        let request = decided_at(DecisionOutcome::Granted, story.at());
        assert!(
            department::decide(&story.case, &request, &story.outside()).is_ok(),
            "{instant}"
        );
    }
    let first = &story.case.agreements[0];
    assert_eq!(first.end(), DelegationEnd::Expired);
    assert!(
        story.open_clock("tell-department-1").is_none(),
        "the powers went on: the department is told nothing"
    );
    assert!(!has_gap(&story, "DEPARTMENT_TOLD"));
    // To the end of the matter: a term that was renewed leaves no gap behind.
    story.is_decided(DecisionOutcome::Granted);
    story.does(reserved::receive_document, document(story.at()));
    story.does(outcome::deliver, in_person());
    story.does(outcome::prompt, v1::PromptEvaluationRequest::default());
    story.does(outcome::file_away, v1::FileAwayRequest::default());
    assert_eq!(complete::gaps(&story.case), []);
    let ends: Vec<DelegationEnd> = story.case.agreements.iter().map(Agreement::end).collect();
    assert_eq!(
        ends,
        [
            DelegationEnd::Expired,
            DelegationEnd::Completed,
            DelegationEnd::Unspecified
        ]
    );
}
