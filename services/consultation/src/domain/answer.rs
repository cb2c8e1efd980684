//! The one answer, complete, with the one-time notice and what to prepare next (BB-10.1.1a, BB-10.2.1).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{CaseKind, Notice},
    consultation::v1::{
        Answer, AnswerConsultationRequest, Consultation, ConsultationAnswered, ConsultationState,
    },
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{
    Act, Outside, clock,
    outside::{in_state, not_published},
    text::impersonal,
};

/// Answers the applicant, which ends the clocks that run for the applicant.
///
/// # Errors
/// OUT_OF_ORDER (BB-10.1.1a: once); POLICIES_MISSING (BB-10.2.1); ITEM_NOT_PUBLISHED (BB-7.2) when there is no notice
/// to attach; PERSONAL_DATA_IN_TEXT (BB-10.1.1c).
pub fn answer(
    consultation: &Consultation,
    request: &AnswerConsultationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        consultation,
        &[ConsultationState::Open, ConsultationState::Referred],
        "一次咨询只答复一次；答复有误请作更正",
        "a consultation is answered once: correct a wrong answer with RecordCorrection",
    )?;
    if consultation.kind() == CaseKind::Agency && request.agency_policies.trim().is_empty() {
        return Err(Refusal::invalid(
            "POLICIES_MISSING",
            "BB-10.2.1",
            "代办咨询须告知代办相关法律法规和政策制度",
            "a consultation about agency tells the laws and policies of agency",
        )
        .field("agency_policies", "missing"));
    }
    let texts = [
        ("text".to_owned(), request.text.as_str()),
        ("agency_policies".to_owned(), &request.agency_policies),
    ];
    let preparations = request.preparations.iter().enumerate();
    let preparations = preparations.map(|(n, text)| (format!("preparations[{n}]"), text.as_str()));
    impersonal(outside.today(), texts.into_iter().chain(preparations))?;
    let notice = if consultation.item.is_empty() || request.without_notice {
        None
    } else {
        Some(notice(consultation, request, outside)?)
    };
    let mut acts = vec![Act::Answered(ConsultationAnswered {
        answer: Some(Answer {
            text: request.text.clone(),
            preparations: request.preparations.clone(),
            notice,
            channel: request.channel,
            agency_policies: request.agency_policies.clone(),
            answered_at: outside.at(),
            answered_by: outside.actor(),
        }),
    })];
    acts.extend(clock::ended(consultation, clock::ANSWER));
    acts.extend(clock::ended(consultation, clock::REPLY));
    Ok(acts)
}

/// The one-time notice of the item's version in force (BB-4.4a), sealed by a digest over the text as given.
fn notice(
    consultation: &Consultation,
    request: &AnswerConsultationRequest,
    outside: &Outside<'_>,
) -> Result<Notice, Refusal> {
    let item = outside
        .in_force()
        .ok_or_else(|| not_published(&consultation.item))?;
    let mut notice = Notice {
        item: Some(item.clone()),
        department: outside.department(&item.department).cloned(),
        channel: request.channel,
        receipt: String::new(),
        given_at: outside.at(),
        given_by: outside.actor(),
        digest: Vec::new(),
    };
    notice.digest = Sha256::digest(notice.encode_to_vec()).to_vec();
    Ok(notice)
}
