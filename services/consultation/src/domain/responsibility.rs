//! First-contact responsibility: exactly one responsible agent, who hands over only to one who accepts (BB-4.2a).

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::{
    casework::v1::{Handover, HandoverAccepted, HandoverDeclined, HandoverOffered},
    consultation::v1::{
        AcceptHandoverRequest, Consultation, ConsultationState, DeclineHandoverRequest,
        OfferHandoverRequest,
    },
    options::v1::Role,
};

use super::{Act, Outside, outside::in_state, text::impersonal_field};

/// Who may give a command on a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The responsible agent.
    Responsible,
    /// The responsible agent, or a clerk of a department that was asked.
    Department,
    /// The one to whom the consultation was offered.
    Receiver,
    /// The responsible agent, or a supervisor above.
    Corrector,
}

/// # Errors
/// NOT_RESPONSIBLE, NO_HANDOVER, NOT_THE_RECEIVER (BB-4.2a).
pub fn may(who: Who, consultation: &Consultation, caller: &Caller) -> Result<(), Refusal> {
    let is_responsible = caller.has(Role::Agent) && caller.subject == consultation.agent;
    let is_asked = || {
        let mut asked = consultation.referrals.iter();
        caller.has(Role::Department) && asked.any(|r| r.department == caller.department)
    };
    let is_allowed = match who {
        Who::Responsible => is_responsible,
        Who::Department => is_responsible || is_asked(),
        Who::Corrector => is_responsible || caller.has(Role::Supervisor),
        Who::Receiver => {
            let offer = pending(consultation).ok_or_else(no_handover)?;
            if offer.to_agent != caller.subject {
                return Err(Refusal::forbidden(
                    "NOT_THE_RECEIVER",
                    "BB-4.2a",
                    "该移交不是给您的",
                    "the hand-over was offered to somebody else",
                ));
            }
            true
        }
    };
    if is_allowed {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "NOT_RESPONSIBLE",
        "BB-4.2a",
        "只有该咨询的首问责任人可以办理；可请其移交",
        "only the responsible agent may do this: ask for a hand-over",
    ))
}

fn no_handover() -> Refusal {
    Refusal::precondition(
        "NO_HANDOVER",
        "BB-4.2a",
        "没有待接收的移交",
        "no hand-over is pending",
    )
}

/// The offer that waits for an answer.
#[must_use]
pub fn pending(consultation: &Consultation) -> Option<&Handover> {
    consultation
        .handovers
        .iter()
        .find(|h| h.accepted_at.is_none() && h.declined_at.is_none())
}

/// Somebody is responsible, and nothing is under way that depends on who.
fn can_move(consultation: &Consultation) -> Result<(), Refusal> {
    in_state(
        consultation,
        &[
            ConsultationState::Open,
            ConsultationState::Referred,
            ConsultationState::Answered,
        ],
        "咨询正在转为办件或已结束，不能移交",
        "the consultation has ended or is becoming a case: it cannot be handed over",
    )
}

/// Whom an offer names: directory is asked about them.
#[must_use]
pub fn receiver(_: &Consultation, request: &OfferHandoverRequest) -> Option<(String, String)> {
    Some((request.to_agent.clone(), request.to_site.clone()))
}

/// Offers responsibility; the giver keeps it until it is accepted.
///
/// # Errors
/// HANDOVER_PENDING, HANDOVER_TO_ONESELF (BB-4.2a); OUT_OF_ORDER; PERSONAL_DATA_IN_TEXT.
pub fn offer(
    consultation: &Consultation,
    request: &OfferHandoverRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    can_move(consultation)?;
    if pending(consultation).is_some() {
        return Err(Refusal::precondition(
            "HANDOVER_PENDING",
            "BB-4.2a",
            "已有待接收的移交",
            "a hand-over is pending already",
        ));
    }
    if request.to_agent == consultation.agent {
        return Err(Refusal::invalid(
            "HANDOVER_TO_ONESELF",
            "BB-4.2a",
            "不能移交给自己",
            "not to oneself",
        )
        .field("to_agent", "is responsible already"));
    }
    impersonal_field(outside.today(), "reason", &request.reason)?;
    Ok(vec![Act::HandoverOffered(HandoverOffered {
        handover: Some(Handover {
            from_agent: consultation.agent.clone(),
            to_agent: request.to_agent.clone(),
            to_site: request.to_site.clone(),
            reason: request.reason.clone(),
            offered_at: outside.at(),
            ..Handover::default()
        }),
    })])
}

/// Who accepts: directory is asked again, because it takes effect now.
#[must_use]
pub fn offered_to(
    consultation: &Consultation,
    _: &AcceptHandoverRequest,
) -> Option<(String, String)> {
    pending(consultation).map(|h| (h.to_agent.clone(), h.to_site.clone()))
}

/// The receiver accepts: responsibility moves now, to the site that directory has confirmed.
///
/// # Errors
/// NO_HANDOVER, OUT_OF_ORDER.
pub fn accept(
    consultation: &Consultation,
    _: &AcceptHandoverRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    can_move(consultation)?;
    let offer = pending(consultation).ok_or_else(no_handover)?;
    // Another offer took the place of the one that directory was asked about.
    let assigned = outside
        .assigned
        .filter(|a| a.staff == offer.to_agent && a.site == offer.to_site)
        .ok_or_else(no_handover)?;
    Ok(vec![Act::HandoverAccepted(HandoverAccepted {
        agent: assigned.staff.clone(),
        site: assigned.site.clone(),
        region: assigned.region.clone(),
        closing_times: assigned.closing_times.clone(),
    })])
}

/// The receiver declines; the giver stays responsible.
///
/// # Errors
/// PERSONAL_DATA_IN_TEXT; those of [`may`].
pub fn decline(
    _: &Consultation,
    request: &DeclineHandoverRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    impersonal_field(outside.today(), "reason", &request.reason)?;
    Ok(vec![Act::HandoverDeclined(HandoverDeclined {
        reason: request.reason.clone(),
    })])
}
