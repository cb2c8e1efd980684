//! The contact is registered, and the one who was asked is responsible (BB-10.1.1c, BB-10.2.1, BB-4.2a).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::consultation::v1::{
    Consultation, ConsultationRegistered, ConsultationState, RegisterConsultationRequest,
};

use super::{Act, Assigned, Outside, clock, outside::not_published, text::impersonal};

/// Registers a contact; an answer or a referral is owed by the end of the same working day. The number in the register
/// is given by [`numbered`] when it is drawn.
///
/// # Errors
/// APPLICANT_MISSING, ANONYMITY_CONTRADICTED, PERSONAL_DATA_IN_TEXT (BB-10.1.1c), ITEM_NOT_PUBLISHED (BB-7.2).
pub fn register(
    id: String,
    request: &RegisterConsultationRequest,
    assigned: &Assigned,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let anonymity = request.anonymity.trim();
    let is_anonymous = !anonymity.is_empty();
    if !is_anonymous && request.applicant.is_empty() {
        return Err(Refusal::invalid(
            "APPLICANT_MISSING",
            "BB-10.1.1c",
            "咨询登记须有服务对象姓名和联系方式；不愿留名的，请登记其表示",
            "the register holds name and contact: name the applicant, or say how the applicant declined to be named",
        )
        .field("applicant", "missing"));
    }
    if is_anonymous && !request.applicant.is_empty() {
        return Err(Refusal::invalid(
            "ANONYMITY_CONTRADICTED",
            "BB-10.1.1c",
            "匿名咨询不得登记服务对象，请二者选一",
            "an anonymous contact names no applicant: give one or the other",
        )
        .field("anonymity", "an applicant is named"));
    }
    impersonal(
        outside.today(),
        [
            ("question".to_owned(), request.question.as_str()),
            ("anonymity".to_owned(), anonymity),
        ],
    )?;
    if !request.item.is_empty() && outside.in_force().is_none() {
        return Err(not_published(&request.item));
    }
    let consultation = Consultation {
        id,
        district: request.district.clone(),
        kind: request.kind,
        state: ConsultationState::Open.into(),
        channel: request.channel,
        site: request.site.clone(),
        region: assigned.region.clone(),
        agent: outside.caller.subject.clone(),
        applicant: request.applicant.clone(),
        applicant_mask: assigned.applicant_mask.clone(),
        groups: assigned.groups.clone(),
        is_anonymous,
        anonymity: anonymity.to_owned(),
        item: request.item.clone(),
        question: request.question.clone(),
        asked_at: outside.at(),
        closing_times: assigned.closing_times.clone(),
        ..Consultation::default()
    };
    let started = clock::start_answer(&consultation, outside)?;
    Ok(vec![
        Act::Registered(ConsultationRegistered {
            consultation: Some(consultation),
        }),
        started,
    ])
}

/// Puts the number that was drawn, from 1, into the acts of a registration.
#[must_use]
pub fn numbered(mut acts: Vec<Act>, number: u64) -> Vec<Act> {
    for act in &mut acts {
        if let Act::Registered(ConsultationRegistered {
            consultation: Some(consultation),
        }) = act
        {
            consultation.number = number;
        }
    }
    acts
}
