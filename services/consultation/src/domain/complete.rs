//! The register: name, contact, content, result (BB-10.1.1c), and what it lacks (BB-8d): computed, never ticked off.

use bangban_proto::bangban::consultation::v1::{Consultation, ConsultationState, RegisterEntry};

/// Obligatory fields of the register that are empty, in upper snake case.
#[must_use]
pub fn gaps(consultation: &Consultation) -> Vec<String> {
    let is_named = !consultation.applicant.is_empty() && !consultation.applicant_mask.is_empty();
    let needs = [
        ("NAME", is_named || !consultation.anonymity.is_empty()),
        // Nobody is registered in directory without a telephone.
        (
            "CONTACT",
            !consultation.applicant.is_empty() || consultation.is_anonymous,
        ),
        ("CONTENT", !consultation.question.trim().is_empty()),
        ("RESULT", !result(consultation).is_empty()),
        (
            "DEPARTMENT_ANSWER",
            consultation
                .referrals
                .iter()
                .all(|r| r.answered_at.is_some())
                || consultation.state() == ConsultationState::Ended,
        ),
    ];
    needs
        .into_iter()
        .filter(|(_, is_there)| !is_there)
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// What came of it: the department's part, the answer, the case, or why it ended; empty while nothing did.
#[must_use]
pub fn result(consultation: &Consultation) -> String {
    let mut lines = Vec::new();
    for referral in consultation
        .referrals
        .iter()
        .filter(|r| !r.answer.is_empty())
    {
        lines.push(format!("{}：{}", referral.issuer, referral.answer));
    }
    if let Some(answer) = &consultation.answer {
        lines.push(format!("答复：{}", answer.text));
        lines.extend(answer.preparations.iter().map(|p| format!("准备：{p}")));
    }
    if let Some(conversion) = consultation
        .conversion
        .as_ref()
        .filter(|c| !c.receipt.is_empty())
    {
        lines.push(format!("转为办件：{}", conversion.receipt));
    }
    if !consultation.end_reason.is_empty() {
        lines.push(format!("终止：{}", consultation.end_reason));
    }
    lines.extend(
        consultation
            .corrections
            .iter()
            .map(|c| format!("更正（第{}项）：{}", c.act, c.text)),
    );
    let is_over = consultation.answer.is_some() || consultation.ended_at.is_some();
    if is_over {
        lines.join("\n")
    } else {
        String::new()
    }
}

/// The line of the register; name and telephone as masks. The telephone is directory's to tell.
#[must_use]
pub fn entry(consultation: &Consultation, telephone: String) -> RegisterEntry {
    RegisterEntry {
        number: consultation.number,
        consultation: consultation.id.clone(),
        asked_at: consultation.asked_at,
        kind: consultation.kind,
        channel: consultation.channel,
        site: consultation.site.clone(),
        agent: consultation.agent.clone(),
        name: if consultation.is_anonymous {
            consultation.anonymity.clone()
        } else {
            consultation.applicant_mask.clone()
        },
        telephone,
        content: consultation.question.clone(),
        result: result(consultation),
        answered_at: consultation.answer.as_ref().and_then(|a| a.answered_at),
        gaps: gaps(consultation),
    }
}
