//! Another agent, or another institution (BB-4.2a, BB-10.2.2.1; 民法典 arts. 169, 923).

use bangban_casework::domain::{delegation, outside::timestamp, responsibility};
use bangban_proto::bangban::casework::v1;

use super::{revoking, tried};
use crate::story::{Story, assignment, offer, sign};

#[test]
fn bb_10_2_2_1_a_hand_over_inside_is_told_to_the_principal_and_the_agreement_follows() {
    let mut story = Story::filed_for_principal();
    let giver = story.caller.clone();
    story.offers("wang", "station", "");
    assert_eq!(
        story.agreement().agent,
        "li-na",
        "not before it is accepted"
    );
    assert_eq!(tried("accept", &story), None, "the giver acts until then");
    story.is_taken_over();
    assert_eq!(
        (story.case.agent.as_str(), story.agreement().agent.as_str()),
        ("wang", "wang")
    );
    let contact = story.case.contacts.last().expect("the principal is told");
    assert_eq!(contact.reason(), v1::ContactReason::Progress);
    assert!(contact.text.contains("wang"));
    assert!(story.open_clock("contact-1").is_some());
    assert_eq!(tried("accept", &story), None);
    story.caller = giver;
    assert_eq!(
        tried("accept", &story),
        Some(("NOT_THE_DELEGATE", "BX-4")),
        "the giver's powers went with it"
    );
}

#[test]
fn bb_10_2_2_1_another_institution_acts_only_with_the_principals_consent() {
    let mut story = Story::filed_for_principal();
    for consent in ["", " "] {
        story.refused(
            responsibility::offer,
            offer("wang", "town", consent),
            "PRINCIPAL_CONSENT_MISSING",
            "BB-10.2.2.1",
        );
    }
    story.offers("wang", "town", "signed on 2026-03-02");
    story.is_taken_over();
    let agreement = story.agreement();
    assert_eq!(
        (agreement.agent.as_str(), agreement.institution.as_str()),
        ("wang", "town")
    );
    assert_eq!(tried("accept", &story), None);
}

#[test]
fn bb_10_2_2_1_an_offer_from_before_the_signature_carries_no_consent() {
    let mut story = Story::drafted();
    // In assistance another site needs no consent; then the principal signs with this one.
    story.offers("wang", "town", "");
    let request = sign(1, story.at());
    story.does(delegation::sign, request);
    let refusal = responsibility::accept(&story.case, &assignment("420527101"), &story.outside())
        .expect_err("refused");
    assert_eq!(
        (refusal.reason, refusal.requirement),
        ("PRINCIPAL_CONSENT_MISSING", "BB-10.2.2.1")
    );
    // Once revoked it is assistance again, and the offer stands.
    story.does(delegation::revoke, revoking());
    story.is_taken_over();
    assert_eq!(story.case.agent, "wang");
}

#[test]
fn bb_4_2a_a_declined_hand_over_changes_nothing() {
    let mut story = Story::filed_for_principal();
    let before = story.case.clone();
    story.offers("wang", "town", "signed on 2026-03-02");
    story.does(
        responsibility::decline,
        v1::DeclineHandoverRequest::default(),
    );
    let after = &story.case;
    assert_eq!(
        (&after.agent, &after.site, &after.region, &after.agreements),
        (
            &before.agent,
            &before.site,
            &before.region,
            &before.agreements
        )
    );
    assert_eq!(
        (&after.contacts, &after.clocks),
        (&before.contacts, &before.clocks)
    );
    assert_eq!(tried("accept", &story), None);
}

#[test]
fn bb_10_2_3_the_contact_about_a_hand_over_is_due_when_the_new_site_closes() {
    let mut story = Story::filed_for_principal();
    story.offers("wang", "town", "signed on 2026-03-02");
    let mut town = assignment("420527101");
    town.closing_times = vec!["16:00".to_owned(); 5];
    let acts = responsibility::accept(&story.case, &town, &story.outside()).expect("accepted");
    story.apply(acts);
    let due = story.open_clock("contact-1").and_then(|c| c.due_at);
    assert_eq!(
        due,
        Some(timestamp(
            "2026-03-02T08:00:00Z".parse().expect("an instant")
        ))
    );
}
