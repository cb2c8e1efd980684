//! How a delegation ends, and what the department is told of it (民法典 arts. 173, 174, 933).

use bangban_kit::refusal::Refusal;
use bangban_limits::time::day_start;
use bangban_proto::bangban::{
    casework::v1::{
        Agreement, Case, ClockName, Continuation, DelegationContinued, DelegationEnd,
        DelegationEnded, DepartmentTold, EndDelegationRequest, RevokeDelegationRequest,
        TellDepartmentRequest,
    },
    directory::v1::LimitName,
};
use chrono::NaiveDate;

use super::{instant, invalid};
use crate::domain::{
    Act, Outside,
    agency::{signed, today, without},
    clock,
    outside::going_on,
};

/// Id of the clock that measures how soon the department is told of the end of an agreement.
pub(super) fn telling(agreement: &Agreement) -> String {
    format!("tell-department-{}", agreement.number)
}

/// The limit within which the department is told of the end of an agreement; it runs on when the case has ended with it.
fn tell(case: &Case, last: &Agreement, outside: &Outside<'_>) -> Result<Option<Act>, Refusal> {
    if case.filing.is_none() {
        return Ok(None);
    }
    clock::start(
        case,
        (ClockName::Contact, LimitName::Contact),
        &telling(last),
        &outside.at().unwrap_or_default(),
        outside,
    )
}

fn ended(agreement: &Agreement, end: DelegationEnd, reason: &str, proof: &str) -> Act {
    Act::DelegationEnded(DelegationEnded {
        number: agreement.number,
        end: end.into(),
        reason: reason.to_owned(),
        proof: proof.to_owned(),
    })
}

/// All agreements that are in force end; when something was filed, the department is to be told.
fn all_end(
    case: &Case,
    end: DelegationEnd,
    (reason, proof): (&str, &str),
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let mut acts: Vec<Act> = signed(case).map(|a| ended(a, end, reason, proof)).collect();
    let Some(last) = signed(case).last() else {
        return Err(without(case));
    };
    acts.extend(tell(case, last, outside)?);
    Ok(acts)
}

/// What follows for the delegation when the principal wants no assistance at all any more: nothing when there is none.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn withdrawn(case: &Case, reason: &str, outside: &Outside<'_>) -> Result<Vec<Act>, Refusal> {
    if signed(case).next().is_none() {
        return Ok(Vec::new());
    }
    all_end(case, DelegationEnd::Revoked, (reason, ""), outside)
}

/// The principal revokes.
///
/// # Errors
/// OUT_OF_ORDER, DELEGATION_MISSING, DELEGATION_ENDED.
pub fn revoke(
    case: &Case,
    request: &RevokeDelegationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    all_end(case, DelegationEnd::Revoked, (&request.reason, ""), outside)
}

/// Another end: resignation, death, incapacity, dissolution. A ground of 民法典 art. 174 keeps the powers, but for the one
/// that nobody knew, which only covers what was done before.
///
/// # Errors
/// OUT_OF_ORDER, DELEGATION_MISSING, DELEGATION_ENDED, END_NOT_POSSIBLE, PROOF_MISSING, CONTINUATION_NOT_POSSIBLE.
pub fn end(
    case: &Case,
    request: &EndDelegationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    let end = request.end();
    let is_possible = match end {
        DelegationEnd::Death => !case.is_enterprise,
        DelegationEnd::Dissolution => case.is_enterprise,
        _ => true,
    };
    if !is_possible {
        return Err(invalid(
            "END_NOT_POSSIBLE",
            "end",
            "自然人死亡、组织终止，二者不能混用",
            "persons die, enterprises are dissolved",
        ));
    }
    if end != DelegationEnd::Resigned && request.proof.trim().is_empty() {
        return Err(invalid(
            "PROOF_MISSING",
            "proof",
            "须登记证明材料",
            "the proof is missing",
        ));
    }
    if request.continuation() == Continuation::Unspecified {
        return all_end(case, end, (&request.reason, &request.proof), outside);
    }
    if !matches!(end, DelegationEnd::Death | DelegationEnd::Dissolution) {
        return Err(invalid(
            "CONTINUATION_NOT_POSSIBLE",
            "continuation",
            "只有委托人死亡或者终止时，才可能依民法典第一百七十四条继续有效",
            "only after a death or a dissolution may acts go on (民法典 art. 174)",
        ));
    }
    let mut continued: Vec<Act> = signed(case)
        .map(|a| {
            Act::DelegationContinued(DelegationContinued {
                number: a.number,
                end: request.end,
                continuation: request.continuation,
                proof: request.proof.clone(),
            })
        })
        .collect();
    if continued.is_empty() {
        return Err(without(case));
    }
    if request.continuation() == Continuation::NotKnown {
        // What was done before stands; from now on it is known.
        let proof = (request.reason.as_str(), request.proof.as_str());
        continued.extend(all_end(case, end, proof, outside)?);
    }
    Ok(continued)
}

/// The term of agreements that is over, found without being asked.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn expired(case: &Case, outside: &Outside<'_>) -> Result<Vec<Act>, Refusal> {
    let today = today(outside);
    let mut acts = Vec::new();
    for over in signed(case).filter(|a| a.until < today) {
        acts.push(ended(over, DelegationEnd::Expired, "期限届满", ""));
        if !signed(case).any(|a| a.until >= today) {
            acts.extend(tell(case, over, outside)?);
        }
    }
    Ok(acts)
}

/// When the first term is over that is still in force, in seconds since the epoch.
#[must_use]
pub fn expires_at(case: &Case) -> Option<i64> {
    let end = |a: &Agreement| {
        let last = NaiveDate::parse_from_str(&a.until, "%Y-%m-%d").ok()?;
        Some(day_start(last.succ_opt()?)?.timestamp())
    };
    signed(case).filter_map(end).min()
}

/// The matter is done, and the delegation with it.
#[must_use]
pub fn completed(case: &Case) -> Vec<Act> {
    signed(case)
        .map(|a| ended(a, DelegationEnd::Completed, "办结", ""))
        .collect()
}

/// Agreements that ended after filing and before the matter was done, of which the department does not know yet. None
/// while there are powers by another one, or when the last one ended with the matter.
pub fn untold(case: &Case) -> impl Iterator<Item = &Agreement> {
    let filed = case.filing.as_ref().and_then(|f| f.filed_at.as_ref());
    let goes_on = signed(case).next().is_some()
        || case
            .agreements
            .iter()
            .any(|a| a.end() == DelegationEnd::Completed);
    case.agreements.iter().filter(move |a| {
        let ended = a.ended_at.as_ref().zip(filed);
        !goes_on
            && a.department_told_at.is_none()
            && ended.is_some_and(|(ended, filed)| instant(ended) >= instant(filed))
    })
}

/// Records that the department was told of the end of our powers.
///
/// # Errors
/// OUT_OF_ORDER, DELEGATION_NOT_ENDED, ALREADY_TOLD.
pub fn tell_department(
    case: &Case,
    request: &TellDepartmentRequest,
    _: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    // Also when the case has ended with the delegation: the department still has the application.
    if case.filing.is_none() {
        return Err(Refusal::precondition(
            "OUT_OF_ORDER",
            "BB-8d",
            "提交之后才需告知主管部门",
            "the department is told once something was filed",
        ));
    }
    let mut acts = Vec::new();
    for agreement in untold(case) {
        acts.push(Act::DepartmentTold(DepartmentTold {
            number: agreement.number,
            proof: request.proof.clone(),
        }));
        acts.extend(clock::ended(case, &telling(agreement), None));
    }
    if !acts.is_empty() {
        return Ok(acts);
    }
    let is_told = case
        .agreements
        .iter()
        .any(|a| a.department_told_at.is_some());
    Err(if is_told {
        Refusal::precondition(
            "ALREADY_TOLD",
            "BX-4",
            "已告知主管部门",
            "the department was told already",
        )
    } else {
        Refusal::precondition(
            "DELEGATION_NOT_ENDED",
            "BX-4",
            "没有提前终止的委托，无需告知",
            "no delegation has ended before its time",
        )
    })
}
