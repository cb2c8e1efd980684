//! Consent: nothing is done without it, and it can be withdrawn at any time (BB-4.1a).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::casework::v1::{
    Case, Consent, ConsentForm, ConsentKind, ConsentRecorded, ConsentWithdrawn,
    RecordConsentRequest, WithdrawConsentRequest,
};

use super::{Act, Outside, delegation, outside::going_on};

/// A consent that holds.
#[must_use]
pub fn has_consent(case: &Case, kind: ConsentKind) -> bool {
    case.consents
        .iter()
        .any(|c| c.kind() == kind && c.withdrawn_at.is_none())
}

/// # Errors
/// CONSENT_MISSING, citing the requirement for this kind.
pub fn needs_consent(case: &Case, kind: ConsentKind) -> Result<(), Refusal> {
    if has_consent(case, kind) {
        return Ok(());
    }
    let (requirement, zh, en) = match kind {
        ConsentKind::SelfGuided => (
            "BB-10.1.2.2",
            "指导自办须先征得同意",
            "teaching needs the applicant's consent first",
        ),
        ConsentKind::Reuse => (
            "BB-4.1c",
            "复用已有材料须先征得同意",
            "using held materials again needs consent first",
        ),
        ConsentKind::ScreenSharing => (
            "BB-9.1",
            "共享屏幕须先征得同意",
            "sharing the screen needs consent first",
        ),
        _ => (
            "BB-4.1a",
            "须先取得服务对象同意",
            "the applicant's consent comes first",
        ),
    };
    Err(Refusal::precondition(
        "CONSENT_MISSING",
        requirement,
        zh,
        en,
    ))
}

/// Records a consent (BB-4.1a).
///
/// # Errors
/// NOTICE_MISSING, WITNESS_MISSING, WITNESS_IS_AGENT.
pub fn record(
    case: &Case,
    request: &RecordConsentRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    if case.notice.is_none() {
        return Err(Refusal::precondition(
            "NOTICE_MISSING",
            "BB-4.4a",
            "请先一次性告知，再征求同意",
            "give the one-time notice before asking for consent",
        ));
    }
    if request.form() == ConsentForm::Oral {
        if request.witness.trim().is_empty() {
            return Err(Refusal::invalid(
                "WITNESS_MISSING",
                "BB-4.1a",
                "口头同意须有第二人见证",
                "an oral consent needs a second person as witness",
            )
            .field("witness", "missing"));
        }
        if request.witness == outside.caller.subject {
            return Err(Refusal::invalid(
                "WITNESS_IS_AGENT",
                "BB-4.1a",
                "经办人不能自己见证",
                "the agent cannot be the witness",
            )
            .field("witness", "is the agent"));
        }
    }
    Ok(vec![Act::ConsentRecorded(ConsentRecorded {
        consent: Some(Consent {
            kind: request.kind,
            form: request.form,
            witness: request.witness.clone(),
            given_at: outside.at(),
            withdrawn_at: None,
            recorded_by: outside.actor(),
        }),
    })])
}

/// Withdraws a consent at any time; without consent to assistance the case ends (BB-4.1a), and a delegation is revoked
/// with it: no powers outlive the case.
///
/// # Errors
/// OUT_OF_ORDER, CONSENT_MISSING.
pub fn withdraw(
    case: &Case,
    request: &WithdrawConsentRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    needs_consent(case, request.kind())?;
    let mut acts = vec![Act::ConsentWithdrawn(ConsentWithdrawn {
        kind: request.kind,
        reason: request.reason.clone(),
    })];
    if request.kind() == ConsentKind::Assistance {
        acts.extend(delegation::withdrawn(case, &request.reason, outside)?);
    }
    Ok(acts)
}
