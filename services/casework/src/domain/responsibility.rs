//! First-contact responsibility: exactly one responsible agent, who hands over only to one who accepts (BB-4.2a).

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::{
    casework::v1::{
        Case, ContactReason, DeclineHandoverRequest, Handover, HandoverAccepted, HandoverDeclined,
        HandoverOffered, OfferHandoverRequest,
    },
    directory::v1::CheckAssignmentResponse,
    options::v1::Role,
};

use super::{Act, Outside, agency::signed, contact, outside::going_on};

/// Who may give a command on a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The responsible agent.
    Responsible,
    /// The responsible agent, or a clerk of the competent department.
    Department,
    /// The responsible agent, or the applicant.
    Applicant,
    /// The one to whom the case was offered.
    Receiver,
    /// The responsible agent, or a supervisor above.
    Corrector,
}

/// # Errors
/// NOT_RESPONSIBLE, NO_HANDOVER, NOT_THE_RECEIVER (BB-4.2a).
pub fn may(who: Who, case: &Case, caller: &Caller) -> Result<(), Refusal> {
    let is_responsible = caller.has(Role::Agent) && caller.subject == case.agent;
    let is_allowed = match who {
        Who::Responsible => is_responsible,
        Who::Department => {
            is_responsible || (caller.has(Role::Department) && caller.department == case.department)
        }
        Who::Applicant => is_responsible || (caller.has(Role::Citizen) && caller.case == case.id),
        Who::Corrector => is_responsible || caller.has(Role::Supervisor),
        Who::Receiver => {
            let offer = pending(case).ok_or_else(|| {
                Refusal::precondition(
                    "NO_HANDOVER",
                    "BB-4.2a",
                    "没有待接收的移交",
                    "no hand-over is pending",
                )
            })?;
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
        "只有该办件的首问责任人可以办理；可请其移交",
        "only the responsible agent may do this: ask for a hand-over",
    ))
}

/// The offer that waits for an answer.
#[must_use]
pub fn pending(case: &Case) -> Option<&Handover> {
    case.handovers
        .iter()
        .find(|h| h.accepted_at.is_none() && h.declined_at.is_none())
}

/// Offers responsibility; the giver keeps it until it is accepted.
///
/// # Errors
/// OUT_OF_ORDER, HANDOVER_PENDING, HANDOVER_TO_ONESELF, PRINCIPAL_CONSENT_MISSING.
pub fn offer(
    case: &Case,
    request: &OfferHandoverRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    if pending(case).is_some() {
        return Err(Refusal::precondition(
            "HANDOVER_PENDING",
            "BB-4.2a",
            "已有待接收的移交",
            "a hand-over is pending already",
        ));
    }
    if request.to_agent == case.agent {
        return Err(Refusal::invalid(
            "HANDOVER_TO_ONESELF",
            "BB-4.2a",
            "不能移交给自己",
            "not to oneself",
        )
        .field("to_agent", "is responsible already"));
    }
    agreed(case, &request.to_site, &request.principal_consent)?;
    Ok(vec![Act::HandoverOffered(HandoverOffered {
        handover: Some(Handover {
            from_agent: case.agent.clone(),
            to_agent: request.to_agent.clone(),
            to_site: request.to_site.clone(),
            reason: request.reason.clone(),
            offered_at: outside.at(),
            accepted_at: None,
            declined_at: None,
            principal_consent: request.principal_consent.clone(),
        }),
    })])
}

/// In agency another institution acts only with the principal's consent (民法典 arts. 169, 923).
fn agreed(case: &Case, to_site: &str, principal_consent: &str) -> Result<(), Refusal> {
    let leaves = signed(case).any(|a| a.institution != to_site);
    if leaves && principal_consent.trim().is_empty() {
        return Err(Refusal::precondition(
            "PRINCIPAL_CONSENT_MISSING",
            "BB-10.2.2.1",
            "转由其他机构代办须经委托人同意（民法典第一百六十九条、第九百二十三条）",
            "another institution acts only with the principal's consent (民法典 arts. 169, 923)",
        )
        .field("principal_consent", "missing"));
    }
    Ok(())
}

/// The receiver accepts: responsibility moves now. The principal's consent is asked for again, because the agreement may
/// have been signed since the offer.
///
/// # Errors
/// OUT_OF_ORDER, NO_HANDOVER, PRINCIPAL_CONSENT_MISSING.
pub fn accept(
    case: &Case,
    receiver: &CheckAssignmentResponse,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    let offer = pending(case).ok_or_else(|| {
        Refusal::precondition(
            "NO_HANDOVER",
            "BB-4.2a",
            "没有待接收的移交",
            "no hand-over is pending",
        )
    })?;
    agreed(case, &offer.to_site, &offer.principal_consent)?;
    let mut acts = vec![Act::HandoverAccepted(HandoverAccepted {
        agent: offer.to_agent.clone(),
        site: offer.to_site.clone(),
        region: receiver.region.clone(),
        closing_times: receiver.closing_times.clone(),
    })];
    if signed(case).next().is_some() {
        // The principal is told who acts from now on, by the site that is responsible from now on.
        let text = format!("代办经办人变更为 {}（{}）", offer.to_agent, offer.to_site);
        let moved = Case {
            closing_times: receiver.closing_times.clone(),
            ..case.clone()
        };
        acts.extend(contact::begin(
            &moved,
            ContactReason::Progress,
            &text,
            outside,
        )?);
    }
    Ok(acts)
}

/// The receiver declines; the giver stays responsible.
///
/// # Errors
/// OUT_OF_ORDER.
pub fn decline(
    case: &Case,
    request: &DeclineHandoverRequest,
    _: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    Ok(vec![Act::HandoverDeclined(HandoverDeclined {
        reason: request.reason.clone(),
    })])
}
