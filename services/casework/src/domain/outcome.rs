//! The end of a case: delivery, the prompt for an evaluation, filing away, corrections (BB-10.1.3 – BB-10.1.5, BB-8d).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        Agreement, Case, CaseKind, CaseState, ConfirmReceiptRequest, Correction,
        CorrectionRecorded, DecisionOutcome, DeliverResultRequest, Delivery, DeliveryMeans,
        EvaluationPrompt, EvaluationPrompted, FileAwayRequest, FiledAway, PromptEvaluationRequest,
        ReceiptConfirmed, RecordCorrectionRequest, ResultDelivered,
    },
    directory::v1::Power,
};

use super::{
    Act, Outside,
    agency::signed,
    clock, complete, delegation,
    outside::{in_state, reported},
};

/// Delivers the result, whatever it is.
///
/// # Errors
/// OUT_OF_ORDER, IDENTITY_CHECK_MISSING, TRACKING_MISSING, GUIDANCE_MISSING.
pub fn deliver(
    case: &Case,
    request: &DeliverResultRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Decided],
        "须在决定之后交付一次",
        "delivery follows the decision, once",
    )?;
    let receives = |a: &Agreement| a.powers().any(|p| p == Power::ReceiveDocument);
    if case.kind() == CaseKind::Agency && case.document.is_none() && signed(case).any(receives) {
        return Err(Refusal::precondition(
            "DOCUMENT_MISSING",
            "BX-4",
            "尚未登记代为领取结果",
            "the result was not received for the principal yet: record that first",
        ));
    }
    let is_post = request.means() == DeliveryMeans::Post;
    if !is_post && request.identity_check.trim().is_empty() {
        return Err(Refusal::invalid(
            "IDENTITY_CHECK_MISSING",
            "BB-10.1.3",
            "交付前须核对领取人身份",
            "the receiver's identity is checked before delivery",
        )
        .field("identity_check", "missing"));
    }
    if is_post && (request.carrier.trim().is_empty() || request.tracking_number.trim().is_empty()) {
        return Err(Refusal::invalid(
            "TRACKING_MISSING",
            "BB-10.1.3",
            "邮寄送达须登记承运人和运单号",
            "post needs the carrier and the tracking number",
        )
        .field("tracking_number", "missing"));
    }
    let is_granted = case
        .department_record
        .as_ref()
        .and_then(|r| r.decision.as_ref())
        .is_some_and(|d| d.outcome() == DecisionOutcome::Granted);
    if is_granted
        && outside.item.electronic_licence.is_some()
        && request.electronic_licence_guidance.trim().is_empty()
    {
        return Err(Refusal::invalid(
            "GUIDANCE_MISSING",
            "BB-10.1.3",
            "须告知电子证照的下载及使用方式",
            "how the electronic licence is downloaded and used must be explained",
        )
        .field("electronic_licence_guidance", "missing"));
    }
    let mut acts = vec![Act::ResultDelivered(ResultDelivered {
        delivery: Some(Delivery {
            means: request.means,
            identity_check: request.identity_check.clone(),
            received_by: request.received_by.clone(),
            carrier: request.carrier.clone(),
            tracking_number: request.tracking_number.clone(),
            proof: request.proof.clone(),
            sent_at: outside.at(),
            received_at: if is_post { None } else { outside.at() },
            electronic_licence_guidance: request.electronic_licence_guidance.clone(),
        }),
    })];
    acts.extend(clock::ended(case, "delivery", None));
    if !is_post {
        acts.extend(clock::ended(case, "service", None));
    }
    Ok(acts)
}

/// Records that what was posted has been received.
///
/// # Errors
/// NOT_SENT, ALREADY_RECEIVED, TIME_IN_FUTURE, TIME_TOO_EARLY.
pub fn confirm(
    case: &Case,
    request: &ConfirmReceiptRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let delivery = case.delivery.as_ref().ok_or_else(|| {
        Refusal::precondition(
            "NOT_SENT",
            "BB-10.1.3",
            "结果尚未寄出",
            "the result was not sent yet",
        )
    })?;
    if delivery.received_at.is_some() {
        return Err(Refusal::precondition(
            "ALREADY_RECEIVED",
            "BB-10.1.3",
            "已登记签收",
            "receipt is on record already",
        ));
    }
    let at = reported(
        "received_at",
        request.received_at.as_ref(),
        delivery.sent_at.as_ref(),
        outside,
    )?;
    let mut acts = vec![Act::ReceiptConfirmed(ReceiptConfirmed {
        proof: request.proof.clone(),
        received_at: Some(at),
    })];
    acts.extend(clock::ended(case, "service", Some(at)));
    Ok(acts)
}

/// Prompts for an evaluation, once.
///
/// # Errors
/// OUT_OF_ORDER, ALREADY_PROMPTED.
pub fn prompt(
    case: &Case,
    request: &PromptEvaluationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Delivered],
        "交付后再提示评价",
        "the prompt follows delivery",
    )?;
    if case.evaluation.is_some() {
        return Err(Refusal::exists(
            "ALREADY_PROMPTED",
            "BB-10.1.4",
            "已提示评价，不得重复",
            "the prompt was given already: it goes out once",
        ));
    }
    Ok(vec![Act::EvaluationPrompted(EvaluationPrompted {
        prompt: Some(EvaluationPrompt {
            channel: request.channel,
            invitation: format!("evaluations/{}", case.id),
            prompted_at: outside.at(),
            prompted_by: outside.actor(),
            opinion: request.opinion.clone(),
        }),
    })])
}

/// Files the case away when its record is complete.
///
/// # Errors
/// OUT_OF_ORDER, RECORD_INCOMPLETE with every gap.
pub fn file_away(
    case: &Case,
    request: &FileAwayRequest,
    _: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Delivered],
        "办结并交付后方可归档",
        "a case is filed away after delivery, once",
    )?;
    let gaps = complete::gaps(case);
    if !gaps.is_empty() {
        let text = |zh: bool| {
            gaps.iter()
                .filter_map(|g| g.text.as_ref())
                .map(|t| if zh { t.zh.as_str() } else { t.en.as_str() })
                .collect::<Vec<_>>()
                .join(if zh { "；" } else { "; " })
        };
        let mut refusal = Refusal::precondition(
            "RECORD_INCOMPLETE",
            "BB-8d",
            format!("记录不完整，不能归档：{}", text(true)),
            format!("the record is incomplete: {}", text(false)),
        );
        for gap in &gaps {
            refusal = refusal.field(gap.reason.to_lowercase(), gap.requirement.clone());
        }
        return Err(refusal);
    }
    let mut acts = delegation::completed(case);
    acts.push(Act::FiledAway(FiledAway {
        remarks: request.remarks.clone(),
    }));
    Ok(acts)
}

/// Corrects an earlier act by an act of its own.
///
/// # Errors
/// ACT_UNKNOWN.
pub fn correct(
    case: &Case,
    request: &RecordCorrectionRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    if request.act > case.act_count {
        return Err(Refusal::not_found(
            "ACT_UNKNOWN",
            "BB-8d",
            "台账中没有该序号",
            "the ledger has no such act",
        )
        .field("act", "not in the ledger"));
    }
    Ok(vec![Act::CorrectionRecorded(CorrectionRecorded {
        correction: Some(Correction {
            act: request.act,
            text: request.text.clone(),
            reason: request.reason.clone(),
            corrected_at: outside.at(),
            by: outside.actor(),
        }),
    })])
}
