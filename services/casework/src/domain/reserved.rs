//! What the person does in person, and what the agent receives for the person (BX-4).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseState, DocumentReceipt, DocumentReceived, InPersonDone, InPersonRecorded,
        ReceiveDocumentRequest, RecordInPersonActRequest,
    },
    directory::v1::{InPersonAct, Power},
};

use super::{
    Act, Outside, agency,
    outside::{going_on, in_state, reported},
};

/// Acts that the law reserves to the person and that are not done yet.
#[must_use]
pub fn missing<'a>(case: &Case, outside: &Outside<'a>) -> Vec<&'a InPersonAct> {
    let is_done = |code: &str| case.in_person_done.iter().any(|d| d.code == code);
    outside
        .item
        .in_person_acts
        .iter()
        .filter(|a| !is_done(&a.code))
        .collect()
}

/// Records that the person did it.
///
/// # Errors
/// OUT_OF_ORDER, IN_PERSON_ACT_UNKNOWN, ALREADY_DONE.
pub fn in_person(
    case: &Case,
    request: &RecordInPersonActRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    let act = outside
        .item
        .in_person_acts
        .iter()
        .find(|a| a.code == request.code)
        .ok_or_else(|| {
            Refusal::invalid(
                "IN_PERSON_ACT_UNKNOWN",
                "BX-4",
                "该事项没有此须本人办理的环节",
                "the item reserves no such act to the person",
            )
            .field("code", "unknown to the item")
        })?;
    if case.in_person_done.iter().any(|d| d.code == act.code) {
        return Err(Refusal::precondition(
            "ALREADY_DONE",
            "BX-4",
            "该环节本人已办理",
            "the person has done it already",
        ));
    }
    Ok(vec![Act::InPersonRecorded(InPersonRecorded {
        done: Some(InPersonDone {
            code: act.code.clone(),
            proof: request.proof.clone(),
            done_at: outside.at(),
        }),
    })])
}

/// Records that the agent received the document for the principal.
///
/// # Errors
/// OUT_OF_ORDER, ALREADY_RECEIVED, TIME_IN_FUTURE, TIME_TOO_EARLY; what [`agency::on_behalf`] refuses.
pub fn receive_document(
    case: &Case,
    request: &ReceiveDocumentRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Decided],
        "须在决定之后领取",
        "the document follows the decision",
    )?;
    agency::on_behalf(case, Power::ReceiveDocument, outside)?;
    if case.document.is_some() {
        return Err(Refusal::precondition(
            "ALREADY_RECEIVED",
            "BX-4",
            "已代为领取",
            "it was received already",
        ));
    }
    let decided = case
        .department_record
        .as_ref()
        .and_then(|r| r.decision.as_ref()?.decided_at.as_ref());
    let at = reported(
        "received_at",
        request.received_at.as_ref(),
        decided,
        outside,
    )?;
    Ok(vec![Act::DocumentReceived(DocumentReceived {
        document: Some(DocumentReceipt {
            number: request.number.clone(),
            proof: request.proof.clone(),
            received_at: Some(at),
            received_by: outside.actor(),
        }),
    })])
}
