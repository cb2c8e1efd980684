//! The delegation agreement: drawn up, signed, ended (BB-3.2, BB-10.2.2.1; 民法典 arts. 165, 173, 174, 919–936).

mod ends;

use bangban_kit::refusal::Refusal;
use bangban_limits::time::date;
use bangban_proto::bangban::{
    casework::v1::{
        Agreement, Capacity, Case, ConsentKind, DelegationDrafted, DelegationEnd, DelegationSigned,
        DraftDelegationRequest, SignDelegationRequest, Signature, SignatureForm,
    },
    directory::v1::Power,
};
use chrono::Days;
use prost_types::Timestamp;

pub use ends::{completed, end, expired, expires_at, revoke, tell_department, untold, withdrawn};

use super::{
    Act, Outside,
    agency::{signed, today},
    clock,
    consent::needs_consent,
    outside::{going_on, next_number, reported},
    template,
};

/// Longest term, in days.
const LONGEST_TERM: u64 = 366;

fn term_impossible(zh: &str, en: &str) -> Refusal {
    Refusal::invalid("TERM_IMPOSSIBLE", "BB-10.2.2.1", zh, en).field("until", en)
}

fn pre_checked(case: &Case) -> Result<(), Refusal> {
    if case.pre_checked_at.is_some() {
        return Ok(());
    }
    Err(Refusal::precondition(
        "PRE_CHECK_MISSING",
        "BB-10.2.2.1",
        "材料预审通过后才能签订委托代办协议",
        "the agreement follows our pre-check: pass it first",
    ))
}

/// The item may be delegated at all (BB-7.1.2).
///
/// # Errors
/// AGENCY_NOT_ALLOWED.
pub fn allowed(outside: &Outside<'_>) -> Result<(), Refusal> {
    if outside.item.is_agency_allowed {
        return Ok(());
    }
    Err(Refusal::precondition(
        "AGENCY_NOT_ALLOWED",
        "BB-7.1.2",
        "该事项不在代办范围内，可以帮办",
        "the item cannot be delegated: it can be assisted",
    )
    .field("item", "not for agency"))
}

/// Draws up an agreement, or its renewal.
///
/// # Errors
/// OUT_OF_ORDER, AGENCY_NOT_ALLOWED, CONSENT_MISSING, PRE_CHECK_MISSING, POWER_UNKNOWN, POWER_MISSING, TERM_IMPOSSIBLE,
/// DELEGATION_IN_FORCE.
pub fn draft(
    case: &Case,
    request: &DraftDelegationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    allowed(outside)?;
    needs_consent(case, ConsentKind::Assistance)?;
    pre_checked(case)?;
    if let Some(power) = request
        .powers()
        .find(|p| !outside.item.powers().any(|known| known == *p))
    {
        return Err(Refusal::invalid(
            "POWER_UNKNOWN",
            "BX-4",
            format!("该事项没有可委托的权限：{}", template::power(power)),
            format!("the item knows no power {}", power.as_str_name()),
        )
        .field("powers", "unknown to the item"));
    }
    if case.filing.is_none() && !request.powers().any(|p| p == Power::Submit) {
        return Err(Refusal::invalid(
            "POWER_MISSING",
            "BX-4",
            "尚未提交申请，授权须包括提交申请",
            "nothing was filed yet: the powers must include SUBMIT",
        )
        .field("powers", "without SUBMIT"));
    }
    let (from, until) = (date("from", &request.from)?, date("until", &request.until)?);
    if request.from < today(outside) || until < from {
        return Err(term_impossible(
            "委托期限不能早于今天，止期不能早于起期",
            "the term begins today or later, and does not end before it begins",
        ));
    }
    if from
        .checked_add_days(Days::new(LONGEST_TERM))
        .is_none_or(|longest| until >= longest)
    {
        return Err(term_impossible(
            "委托期限最长一年",
            "a term is a year at most",
        ));
    }
    if signed(case).any(|a| request.from <= a.until) {
        return Err(Refusal::precondition(
            "DELEGATION_IN_FORCE",
            "BB-10.2.2.1",
            "已有有效的委托代办协议；续签的期限须在其后开始",
            "an agreement is in force: a renewal begins after its term",
        ));
    }
    let mut agreement = Agreement {
        number: next_number(&case.agreements),
        item: case.item.clone(),
        item_version: case.item_version,
        powers: request.powers.clone(),
        institution: case.site.clone(),
        agent: case.agent.clone(),
        from: request.from.clone(),
        until: request.until.clone(),
        drafted_at: outside.at(),
        ..Agreement::default()
    };
    template::draw_up(&mut agreement, case);
    Ok(vec![Act::DelegationDrafted(DelegationDrafted {
        agreement: Some(agreement),
    })])
}

fn invalid(reason: &'static str, field: &'static str, zh: &str, en: &str) -> Refusal {
    Refusal::invalid(reason, "BB-10.2.2.1", zh, en).field(field, en)
}

/// The signer may sign as that, in that form.
fn sound(case: &Case, signature: &Signature, agent: &str) -> Result<(), Refusal> {
    let capacity = signature.capacity();
    let is_possible = match capacity {
        Capacity::LegalRepresentative | Capacity::Seal => case.is_enterprise,
        Capacity::Self_ | Capacity::Guardian | Capacity::AuthorisedRelative => !case.is_enterprise,
        Capacity::Unspecified => false,
    };
    if !is_possible {
        let (zh, en) = if case.is_enterprise {
            (
                "委托人是企业或者其他组织，由法定代表人签名或者盖章",
                "an enterprise signs by its legal representative or by its seal",
            )
        } else {
            (
                "委托人是自然人，由本人、监护人或者受书面授权的亲属签名，不用企业印章",
                "a person signs in person, or by a guardian or an authorised relative, never by an enterprise's seal",
            )
        };
        return Err(invalid(
            "CAPACITY_NOT_POSSIBLE",
            "signature.capacity",
            zh,
            en,
        ));
    }
    if capacity != Capacity::Self_ && signature.capacity_proof.trim().is_empty() {
        return Err(invalid(
            "CAPACITY_NOT_PROVED",
            "signature.capacity_proof",
            "须登记签署身份的证明：法定代表人身份、印章、监护关系或者书面授权",
            "the proof of the capacity is missing: of representation, seal, guardianship or authorisation",
        ));
    }
    let is_sealed = signature.form() == SignatureForm::Seal;
    if is_sealed != (capacity == Capacity::Seal) && signature.form() != SignatureForm::Electronic {
        return Err(invalid(
            "SIGNATURE_FORM_NOT_POSSIBLE",
            "signature.form",
            "以印章签署的须盖章，其他身份须手写签名或者可靠的电子签名",
            "who signs by seal uses the seal; everybody else signs by hand or electronically",
        ));
    }
    if signature.witness.trim() == agent {
        return Err(invalid(
            "WITNESS_IS_AGENT",
            "signature.witness",
            "经办人不能见证自己的协议",
            "the agent cannot witness the agreement",
        ));
    }
    Ok(())
}

/// Records the principal's signature: from now on the agent has the powers.
///
/// # Errors
/// OUT_OF_ORDER, PRE_CHECK_MISSING, DRAFT_UNKNOWN, ALREADY_SIGNED, DRAFT_OUTDATED, CAPACITY_NOT_POSSIBLE,
/// CAPACITY_NOT_PROVED, SIGNATURE_FORM_NOT_POSSIBLE, WITNESS_IS_AGENT, SIGNED_BACKDATED, TIME_IN_FUTURE, TERM_IMPOSSIBLE.
pub fn sign(
    case: &Case,
    request: &SignDelegationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    pre_checked(case)?;
    let draft = case
        .agreements
        .iter()
        .find(|a| a.number == request.number)
        .ok_or_else(|| {
            Refusal::not_found(
                "DRAFT_UNKNOWN",
                "BB-10.2.2.1",
                "没有该编号的协议文本，请先拟定",
                "there is no draft with this number: draw one up first",
            )
            .field("number", "no such draft")
        })?;
    if draft.signed_at.is_some() {
        return Err(Refusal::precondition(
            "ALREADY_SIGNED",
            "BB-10.2.2.1",
            "该协议已签署",
            "the agreement was signed already",
        ));
    }
    if (&draft.agent, &draft.institution) != (&case.agent, &case.site) {
        return Err(Refusal::precondition(
            "DRAFT_OUTDATED",
            "BB-10.2.2.1",
            "拟定后经办人已变更，请重新拟定协议",
            "the agent has changed since it was drawn up: draw up another",
        ));
    }
    if draft.until < today(outside) || signed(case).any(|a| draft.from <= a.until) {
        return Err(term_impossible(
            "协议期限已过，或者与有效的协议重叠，请重新拟定",
            "the term is over, or overlaps one in force: draw up another",
        ));
    }
    let signature = request.signature.clone().unwrap_or_default();
    sound(case, &signature, &case.agent)?;
    let at = signature.signed_at.as_ref();
    let drafted = draft.drafted_at.as_ref();
    // What ended against the powers counts more than a paper from before: a revocation is not undone by an old signature.
    let against = case.agreements.iter().filter(|a| {
        matches!(
            a.end(),
            DelegationEnd::Revoked | DelegationEnd::Resigned | DelegationEnd::Incapacity
        )
    });
    let earliest = against
        .filter_map(|a| a.ended_at.as_ref())
        .chain(drafted)
        .max_by_key(|at| instant(at));
    if at
        .zip(earliest)
        .is_some_and(|(at, earliest)| instant(at) < instant(earliest))
    {
        return Err(invalid(
            "SIGNED_BACKDATED",
            "signature.signed_at",
            "签署时间不能早于协议拟定时间或者上一委托的终止时间，不得倒签",
            "the signature cannot be older than the text, or than the end of the delegation before: nothing is backdated",
        ));
    }
    reported("signature.signed_at", at, drafted, outside)?;
    let mut acts = vec![Act::DelegationSigned(DelegationSigned {
        number: draft.number,
        signature: Some(signature),
    })];
    // There are powers again: what the department was to be told is no longer so.
    for agreement in untold(case) {
        acts.extend(clock::ended(case, &ends::telling(agreement), None));
    }
    Ok(acts)
}

fn instant(at: &Timestamp) -> (i64, i32) {
    (at.seconds, at.nanos)
}
