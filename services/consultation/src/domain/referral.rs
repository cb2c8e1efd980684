//! What cannot be answered at once is asked of the competent department (BB-10.1.1b).

use bangban_kit::refusal::Refusal;
use bangban_limits::time::reported;
use bangban_proto::bangban::{
    consultation::v1::{
        AnswerReferralRequest, Consultation, ConsultationReferred, ConsultationState,
        ReferConsultationRequest, Referral, ReferralAnswered,
    },
    options::v1::Role,
};

use super::{
    Act, Outside, clock,
    outside::in_state,
    text::{impersonal, impersonal_field},
};

/// Asks a department. Ends `answer`, and starts `reply` with the first one.
///
/// # Errors
/// OUT_OF_ORDER; ANONYMOUS_NOT_POSSIBLE (BB-10.1.1c); DEPARTMENT_UNKNOWN, DEPARTMENT_NOT_COMPETENT (BB-10.1.1b);
/// PERSONAL_DATA_IN_TEXT.
pub fn refer(
    consultation: &Consultation,
    request: &ReferConsultationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        consultation,
        &[ConsultationState::Open, ConsultationState::Referred],
        "只有尚未答复的咨询可以转主管部门",
        "only what is not answered yet can be referred",
    )?;
    if consultation.applicant.is_empty() {
        return Err(anonymous(
            "匿名咨询无法回复，不能转主管部门；请当场答复，或请服务对象留下联系方式后另行登记",
            "nobody could be answered: answer at once, or register the contact again with the applicant",
        ));
    }
    competent(consultation, &request.department, outside)?;
    impersonal_field(outside.today(), "question", &request.question)?;
    let number = u32::try_from(consultation.referrals.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let mut acts = vec![Act::Referred(ConsultationReferred {
        referral: Some(Referral {
            number,
            department: request.department.clone(),
            question: request.question.clone(),
            referred_at: outside.at(),
            referred_by: outside.actor(),
            ..Referral::default()
        }),
    })];
    acts.extend(clock::ended(consultation, clock::ANSWER));
    acts.extend(clock::start_reply(consultation, outside)?);
    Ok(acts)
}

/// ANONYMOUS_NOT_POSSIBLE (BB-10.1.1c).
#[must_use]
pub fn anonymous(zh: &str, en: &str) -> Refusal {
    Refusal::precondition("ANONYMOUS_NOT_POSSIBLE", "BB-10.1.1c", zh, en)
        .field("applicant", "none is named")
}

/// The department is there, and it is the item's own or one that assists it. Any department answers a question that is
/// about no item. An item that is not in force any more keeps the departments of its newest version.
fn competent(
    consultation: &Consultation,
    department: &str,
    outside: &Outside<'_>,
) -> Result<(), Refusal> {
    if outside.department(department).is_none() {
        return Err(Refusal::not_found(
            "DEPARTMENT_UNKNOWN",
            "BB-10.1.1b",
            "本区县没有该主管部门",
            "there is no such department in this district",
        )
        .field("department", "unknown"));
    }
    let newest = || outside.items.iter().max_by_key(|item| item.version);
    let item = outside.in_force().or_else(newest);
    let is_competent = item.is_none_or(|item| {
        item.department == department || item.assisting_departments.iter().any(|d| d == department)
    });
    if consultation.item.is_empty() || is_competent {
        return Ok(());
    }
    Err(Refusal::precondition(
        "DEPARTMENT_NOT_COMPETENT",
        "BB-10.1.1b",
        "该部门不是此事项的主管部门或协办部门",
        "the department neither decides on this item nor assists it",
    )
    .field("department", "not competent for the item"))
}

/// Puts the department's answer on record, whenever it comes. The applicant is not answered by it: `reply` runs on.
///
/// # Errors
/// REFERRAL_UNKNOWN, REFERRAL_ANSWERED (BB-10.1.1b); TIME_IN_FUTURE, TIME_TOO_EARLY (BB-8d); PERSONAL_DATA_IN_TEXT.
pub fn answer(
    consultation: &Consultation,
    request: &AnswerReferralRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let caller = outside.caller;
    let is_theirs = |r: &Referral| {
        caller.subject == consultation.agent
            || (caller.has(Role::Department) && caller.department == r.department)
    };
    let referral = consultation
        .referrals
        .iter()
        .find(|r| r.number == request.number && is_theirs(r))
        .ok_or_else(|| {
            Refusal::not_found(
                "REFERRAL_UNKNOWN",
                "BB-10.1.1b",
                "没有该转办，或不是转给贵部门的",
                "there is no such referral, or it went to another department",
            )
            .field("number", "unknown")
        })?;
    if referral.answered_at.is_some() {
        return Err(Refusal::precondition(
            "REFERRAL_ANSWERED",
            "BB-10.1.1b",
            "主管部门的答复已登记；有误请作更正",
            "the department's answer is on record already: correct a wrong one with RecordCorrection",
        ));
    }
    let answered_at = reported(
        "answered_at",
        request.answered_at.as_ref(),
        referral.referred_at.as_ref(),
        outside.now,
    )?;
    impersonal(
        outside.today(),
        [
            ("answer".to_owned(), request.answer.as_str()),
            ("issuer".to_owned(), &request.issuer),
            ("proof".to_owned(), &request.proof),
        ],
    )?;
    Ok(vec![Act::ReferralAnswered(ReferralAnswered {
        number: request.number,
        answer: request.answer.clone(),
        issuer: request.issuer.clone(),
        proof: request.proof.clone(),
        answered_at: Some(answered_at),
    })])
}
