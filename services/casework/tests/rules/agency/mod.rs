//! Agency (代办): from the delegation agreement to what is done under it, and how it ends.

mod agreement;
mod checks;
mod ends;
mod handover;
mod service;
mod start;

use bangban_casework::{
    domain::{complete, delegation, department, material, reserved},
    tasks,
};
use bangban_proto::bangban::{
    casework::v1::{self, ConsentKind, DecisionOutcome, SupplyForm},
    directory::v1::Power,
};
use chrono::Utc;

use crate::story::{
    Story, accepted_at, answer, correction_notice, decided_at, document, filing, take,
};

const MARCH: (&str, &str) = ("2026-03-02", "2026-03-31");

fn revoking() -> v1::RevokeDelegationRequest {
    v1::RevokeDelegationRequest::default()
}

fn telling() -> v1::TellDepartmentRequest {
    v1::TellDepartmentRequest {
        proof: "letter-1".to_owned(),
        ..Default::default()
    }
}

fn withdrawing(kind: ConsentKind) -> v1::WithdrawConsentRequest {
    v1::WithdrawConsentRequest {
        kind: kind.into(),
        ..Default::default()
    }
}

fn has_gap(story: &Story, reason: &str) -> bool {
    complete::gaps(&story.case)
        .iter()
        .any(|gap| gap.reason == reason)
}

/// What the sweep does unasked, as often as it finds something to do; it must come to rest.
fn sweep(story: &mut Story) {
    for _ in 0..10 {
        let mut acts = tasks::due_acts(&story.case, story.now.timestamp());
        acts.extend(delegation::expired(&story.case, &story.outside()).expect("counted"));
        if acts.is_empty() {
            return;
        }
        story.apply(acts);
    }
    panic!("the sweep never comes to rest");
}

fn day(story: &mut Story, instant: &str) {
    story.now = instant
        .parse::<chrono::DateTime<Utc>>()
        .expect("an instant");
}

/// One act for the principal that is ready to be done, under the power that it needs.
fn acts_for_principal() -> Vec<(&'static str, Power, Story)> {
    let ready = {
        let mut story = Story::delegated();
        story.is_ready();
        story
    };
    let corrected = {
        let mut story = Story::filed_for_principal();
        let request = correction_notice(story.at());
        story.does(department::correction, request);
        story.does(
            material::take,
            take("identity-card", SupplyForm::Supplemented),
        );
        story
    };
    vec![
        ("file", Power::Submit, ready),
        ("answer", Power::Supplement, corrected),
        (
            "accept",
            Power::ReceiveNotices,
            Story::filed_for_principal(),
        ),
        (
            "notice",
            Power::ReceiveNotices,
            Story::filed_for_principal(),
        ),
        (
            "decide",
            Power::ReceiveNotices,
            Story::accepted_for_principal(),
        ),
        (
            "receive",
            Power::ReceiveDocument,
            Story::decided_for_principal(DecisionOutcome::Granted),
        ),
    ]
}

/// Tries it; answers the refusal.
fn tried(act: &str, story: &Story) -> Option<(&'static str, &'static str)> {
    let (case, outside, at) = (&story.case, &story.outside(), story.at());
    let decided = match act {
        "file" => department::file(case, &filing(false), outside),
        "answer" => department::answer_correction(case, &answer("N-1"), outside),
        "accept" => department::accept(case, &accepted_at(at), outside),
        "notice" => department::correction(case, &correction_notice(at), outside),
        "decide" => department::decide(case, &decided_at(DecisionOutcome::Granted, at), outside),
        "receive" => reserved::receive_document(case, &document(at), outside),
        other => panic!("{other}"),
    };
    decided.err().map(|r| (r.reason, r.requirement))
}
