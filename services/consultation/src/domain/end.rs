//! The end without an answer, and corrections.

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{Correction, CorrectionRecorded},
    consultation::v1::{
        Consultation, ConsultationEnded, ConsultationState, EndConsultationRequest,
        RecordCorrectionRequest,
    },
};

use super::{
    Act, Outside,
    outside::in_state,
    text::{impersonal, impersonal_field},
};

/// Ends a consultation that nobody waits for any more; its clocks end with it.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d); PERSONAL_DATA_IN_TEXT.
pub fn end(
    consultation: &Consultation,
    request: &EndConsultationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        consultation,
        &[ConsultationState::Open, ConsultationState::Referred],
        "只有尚未答复的咨询可以终止",
        "only what is not answered yet can end without an answer",
    )?;
    impersonal_field(outside.today(), "reason", &request.reason)?;
    Ok(vec![Act::Ended(ConsultationEnded {
        reason: request.reason.clone(),
    })])
}

/// Corrects an earlier act by an act of its own; possible at any time.
///
/// # Errors
/// ACT_UNKNOWN (BB-8d); PERSONAL_DATA_IN_TEXT.
pub fn correct(
    consultation: &Consultation,
    request: &RecordCorrectionRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    if request.act == 0 || request.act > consultation.act_count {
        return Err(Refusal::not_found(
            "ACT_UNKNOWN",
            "BB-8d",
            "没有该记录",
            "the consultation has no such act",
        )
        .field("act", "unknown"));
    }
    impersonal(
        outside.today(),
        [
            ("text".to_owned(), request.text.as_str()),
            ("reason".to_owned(), &request.reason),
        ],
    )?;
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
