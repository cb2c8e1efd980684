//! Filing, and the department's acts as records: it accepts and decides, we report (BB-4.3b, 行政许可法 arts. 32–45).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        Acceptance, AcceptanceReported, AnswerCorrectionRequest, ApplicationFiled, Case, CaseKind,
        CaseMaterial, CaseState, ClockName, ConsentKind, ContactReason, CorrectionAnswered,
        CorrectionNotice, CorrectionNoticeReported, Decision, DecisionOutcome, DecisionReported,
        DepartmentStatus, DepartmentStatusReported, FileApplicationRequest, Filing,
        ReportAcceptanceRequest, ReportCorrectionNoticeRequest, ReportDecisionRequest,
        ReportDepartmentStatusRequest,
    },
    directory::v1::{LimitName, Power},
};
use prost_types::Timestamp;

use super::{
    Act, Outside, agency, clock,
    consent::needs_consent,
    contact, material,
    mode::missing_steps,
    outside::{going_on, in_state, reported},
    reserved,
};

/// Records that the applicant filed (BB-3.1: the applicant acts and signs).
///
/// # Errors
/// OUT_OF_ORDER, CONSENT_MISSING, SIGNATURE_MISSING, MODE_STEPS_MISSING.
pub fn file(
    case: &Case,
    request: &FileApplicationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::PreChecked],
        "须先通过预审再提交",
        "file after the pre-check, and once",
    )?;
    needs_consent(case, ConsentKind::Assistance)?;
    if !request.applicant_signed && (case.kind() == CaseKind::Agency || !case.agreements.is_empty())
    {
        for_principal(case, outside)?;
    } else if !request.applicant_signed {
        return Err(Refusal::precondition(
            "SIGNATURE_MISSING",
            "BB-3.1",
            "帮办中由服务对象本人申请并签字",
            "in assistance the applicant acts and signs in person",
        )
        .field("applicant_signed", "the applicant has not signed"));
    }
    let missing = missing_steps(case);
    if !missing.is_empty() {
        let names: Vec<&str> = missing
            .iter()
            .map(|s| s.as_str_name().trim_start_matches("MODE_STEP_"))
            .collect();
        return Err(Refusal::precondition(
            "MODE_STEPS_MISSING",
            "BB-10.1.2",
            format!("当前方式还有步骤未完成：{}", names.join("、")),
            format!("steps of this mode are not done: {}", names.join(", ")),
        ));
    }
    let at = outside.at().unwrap_or_default();
    let mut acts = vec![Act::ApplicationFiled(ApplicationFiled {
        filing: Some(Filing {
            channel: case.mode,
            filed_at: Some(at),
            filed_by: outside.actor(),
            applicant_signed: request.applicant_signed,
            materials: case
                .materials
                .iter()
                .filter(|m| m.is_present)
                .map(|m| m.code.clone())
                .collect(),
        }),
    })];
    acts.extend(clock::start(
        case,
        (ClockName::Completeness, LimitName::Completeness),
        "completeness",
        &at,
        outside,
    )?);
    Ok(acts)
}

/// The agent files for the principal: with the power to, with what was handed over, and after what only the person may
/// do (BX-4).
fn for_principal(case: &Case, outside: &Outside<'_>) -> Result<(), Refusal> {
    agency::on_behalf(case, Power::Submit, outside)?;
    let codes: Vec<&str> = outside
        .item
        .materials
        .iter()
        .filter(|m| m.is_required && !material::is_held(case, &m.code))
        .map(|m| m.code.as_str())
        .collect();
    if !codes.is_empty() {
        return Err(Refusal::precondition(
            "MATERIALS_MISSING",
            "BX-4",
            format!("委托人交付的材料不齐全：{}", codes.join("、")),
            format!("the principal has not handed over: {}", codes.join(", ")),
        ));
    }
    let in_person: Vec<&str> = reserved::missing(case, outside)
        .iter()
        .map(|a| a.code.as_str())
        .collect();
    if !in_person.is_empty() {
        return Err(Refusal::precondition(
            "IN_PERSON_MISSING",
            "BX-4",
            format!(
                "须由本人办理、不能代办的环节尚未完成：{}",
                in_person.join("、")
            ),
            format!("the law reserves to the person: {}", in_person.join(", ")),
        ));
    }
    Ok(())
}

/// Stores the department's number and status as they come.
///
/// # Errors
/// OUT_OF_ORDER, NUMBER_DIFFERS.
pub fn status(
    case: &Case,
    request: &ReportDepartmentStatusRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    if case.filing.is_none() {
        return Err(Refusal::precondition(
            "OUT_OF_ORDER",
            "BB-8d",
            "尚未提交申请",
            "nothing was filed yet",
        ));
    }
    let known = case
        .department_record
        .as_ref()
        .map(|r| r.number.as_str())
        .unwrap_or_default();
    if !known.is_empty() && !request.number.is_empty() && known != request.number {
        return Err(Refusal::precondition(
            "NUMBER_DIFFERS",
            "BB-4.3b",
            "办件编号与已登记的不一致",
            "the department's number differs from the one on record",
        )
        .field("number", "differs from the one on record"));
    }
    Ok(vec![Act::DepartmentStatusReported(
        DepartmentStatusReported {
            number: request.number.clone(),
            status: Some(DepartmentStatus {
                status: request.status.clone(),
                reported_at: outside.at(),
            }),
        },
    )])
}

fn filed_at(case: &Case) -> Option<&Timestamp> {
    case.filing.as_ref()?.filed_at.as_ref()
}

/// Records 受理, which starts the decision clocks.
///
/// # Errors
/// OUT_OF_ORDER, TIME_IN_FUTURE, TIME_TOO_EARLY.
pub fn accept(
    case: &Case,
    request: &ReportAcceptanceRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Filed],
        "须先提交，且只受理一次",
        "acceptance follows filing, once",
    )?;
    agency::takes_notice(case, outside)?;
    let at = reported(
        "accepted_at",
        request.accepted_at.as_ref(),
        filed_at(case),
        outside,
    )?;
    let mut acts = vec![Act::AcceptanceReported(AcceptanceReported {
        acceptance: Some(Acceptance {
            number: request.number.clone(),
            accepted_at: Some(at),
            issuer: request.issuer.clone(),
            proof: request.proof.clone(),
            is_deemed: request.is_deemed,
        }),
    })];
    acts.extend(clock::ended(case, "completeness", Some(at)));
    acts.extend(clock::start(
        case,
        (ClockName::Decision, LimitName::PromisedDecision),
        "decision",
        &at,
        outside,
    )?);
    acts.extend(clock::start(
        case,
        (ClockName::StatutoryDecision, LimitName::StatutoryDecision),
        "statutory-decision",
        &at,
        outside,
    )?);
    Ok(acts)
}

/// Records the department's own list; a contact opens with its limit (BB-10.2.3).
///
/// # Errors
/// OUT_OF_ORDER, TIME_IN_FUTURE, TIME_TOO_EARLY.
pub fn correction(
    case: &Case,
    request: &ReportCorrectionNoticeRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Filed, CaseState::Accepted],
        "须在提交后、决定前",
        "between filing and decision",
    )?;
    agency::takes_notice(case, outside)?;
    for code in &request.materials {
        material::known(code, outside.item)?;
    }
    let at = reported(
        "issued_at",
        request.issued_at.as_ref(),
        filed_at(case),
        outside,
    )?;
    let mut acts = vec![Act::CorrectionNoticeReported(CorrectionNoticeReported {
        notice: Some(CorrectionNotice {
            number: request.number.clone(),
            materials: request.materials.clone(),
            text: request.text.clone(),
            issued_at: Some(at),
            issuer: request.issuer.clone(),
            answered_at: None,
        }),
    })];
    acts.extend(clock::ended(case, "completeness", Some(at)));
    acts.extend(contact::begin(
        case,
        ContactReason::Supplement,
        &request.text,
        outside,
    )?);
    Ok(acts)
}

/// Records that the correction notice was answered.
///
/// # Errors
/// OUT_OF_ORDER, CORRECTION_UNKNOWN, MATERIALS_MISSING; in agency what [`agency::on_behalf`] refuses.
pub fn answer_correction(
    case: &Case,
    request: &AnswerCorrectionRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Filed, CaseState::Accepted],
        "须在提交后、决定前",
        "between filing and decision",
    )?;
    let notice = case
        .department_record
        .iter()
        .flat_map(|r| &r.corrections)
        .find(|c| c.number == request.number && c.answered_at.is_none())
        .ok_or_else(|| {
            Refusal::not_found(
                "CORRECTION_UNKNOWN",
                "BB-8d",
                "没有待补正的该编号通知",
                "no correction notice with this number is open",
            )
        })?;
    if case.kind() == CaseKind::Agency {
        agency::on_behalf(case, Power::Supplement, outside)?;
    }
    let since = notice.issued_at.map(|at| at.seconds);
    let is_there = |code: &&String| {
        let is_new = |m: &&CaseMaterial| m.taken_at.map(|at| at.seconds) >= since;
        let mut taken = case.materials.iter().filter(|m| &&m.code == code);
        taken.any(|m| m.is_present && m.is_valid && is_new(&m))
    };
    let missing: Vec<&str> = notice
        .materials
        .iter()
        .filter(|code| !is_there(code))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Err(Refusal::precondition(
            "MATERIALS_MISSING",
            "BB-10.2.3",
            format!("补正材料尚未收到：{}", missing.join("、")),
            format!("not handed in since the notice: {}", missing.join(", ")),
        ));
    }
    Ok(vec![Act::CorrectionAnswered(CorrectionAnswered {
        number: request.number.clone(),
    })])
}

/// Records the decision.
///
/// # Errors
/// OUT_OF_ORDER, REMEDIES_MISSING, TIME_IN_FUTURE, TIME_TOO_EARLY.
pub fn decide(
    case: &Case,
    request: &ReportDecisionRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let outcome = request.outcome();
    if outcome == DecisionOutcome::NotAccepted {
        in_state(
            case,
            &[CaseState::Filed],
            "不予受理只能在受理之前",
            "non-acceptance comes before acceptance",
        )?;
    } else {
        in_state(
            case,
            &[CaseState::Accepted],
            "须先受理再决定",
            "the decision follows acceptance, once",
        )?;
    }
    agency::takes_notice(case, outside)?;
    if matches!(
        outcome,
        DecisionOutcome::Refused | DecisionOutcome::NotAccepted
    ) && (request.reason.trim().is_empty() || request.remedies_told.trim().is_empty())
    {
        return Err(Refusal::invalid(
            "REMEDIES_MISSING",
            "BB-4.4a",
            "不予许可或不予受理须写明理由并告知救济途径",
            "a refusal carries its reason and the remedies that were told",
        )
        .field("remedies_told", "missing"));
    }
    let accepted = case
        .department_record
        .as_ref()
        .and_then(|r| r.acceptance.as_ref()?.accepted_at.as_ref());
    let at = reported(
        "decided_at",
        request.decided_at.as_ref(),
        accepted.or(filed_at(case)),
        outside,
    )?;
    let mut acts = vec![Act::DecisionReported(DecisionReported {
        decision: Some(Decision {
            outcome: request.outcome,
            number: request.number.clone(),
            decided_at: Some(at),
            issuer: request.issuer.clone(),
            proof: request.proof.clone(),
            reason: request.reason.clone(),
            remedies_told: request.remedies_told.clone(),
        }),
    })];
    for id in ["completeness", "decision", "statutory-decision"] {
        acts.extend(clock::ended(case, id, Some(at)));
    }
    acts.extend(clock::start(
        case,
        (ClockName::Service, LimitName::Service),
        "service",
        &at,
        outside,
    )?);
    acts.extend(clock::start(
        case,
        (ClockName::Delivery, LimitName::Delivery),
        "delivery",
        &at,
        outside,
    )?);
    Ok(acts)
}
