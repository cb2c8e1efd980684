//! What an agent does for a principal, checked against the agreement each time (BX-4, 民法典 arts. 162–171).

use bangban_kit::refusal::Refusal;
use bangban_limits::time;
use bangban_proto::bangban::{
    casework::v1::{Agreement, Case, CaseKind},
    directory::v1::Power,
    options::v1::Role,
};

use super::{Outside, template};

/// Agreements that are signed and have not ended.
pub fn signed(case: &Case) -> impl Iterator<Item = &Agreement> {
    case.agreements
        .iter()
        .filter(|a| a.signed_at.is_some() && a.ended_at.is_none())
}

/// Today, where the offices are: YYYY-MM-DD, which sorts as dates do.
#[must_use]
pub fn today(outside: &Outside<'_>) -> String {
    time::today(outside.now).to_string()
}

/// The agreement by which the caller may do this for the principal now: party, item, term, end and power (BX-4).
///
/// # Errors
/// DELEGATION_MISSING (BB-3.2); DELEGATION_ENDED, NOT_THE_DELEGATE, ITEM_NOT_COVERED, DELEGATION_NOT_STARTED,
/// DELEGATION_OVER, POWER_NOT_GRANTED (BX-4).
pub fn on_behalf<'a>(
    case: &'a Case,
    power: Power,
    outside: &Outside<'_>,
) -> Result<&'a Agreement, Refusal> {
    let today = today(outside);
    let is_current = |a: &&Agreement| a.from <= today && today <= a.until;
    let Some(agreement) = signed(case).find(is_current).or(signed(case).last()) else {
        return Err(without(case));
    };
    let refused =
        |reason, zh: String, en: String| Err(Refusal::precondition(reason, "BX-4", zh, en));
    if agreement.agent != outside.caller.subject || agreement.institution != outside.caller.site {
        return refused(
            "NOT_THE_DELEGATE",
            format!(
                "委托代办协议的经办人是 {}（{}）",
                agreement.agent, agreement.institution
            ),
            format!(
                "the agreement names {} of {} as the one who acts",
                agreement.agent, agreement.institution
            ),
        );
    }
    if (&agreement.item, agreement.item_version) != (&case.item, case.item_version) {
        return refused(
            "ITEM_NOT_COVERED",
            "委托代办协议不包括该事项".to_owned(),
            "the agreement is about another item".to_owned(),
        );
    }
    if today < agreement.from {
        return refused(
            "DELEGATION_NOT_STARTED",
            format!("委托期限自 {} 起", agreement.from),
            format!("the term begins on {}", agreement.from),
        );
    }
    if today > agreement.until {
        return refused(
            "DELEGATION_OVER",
            format!(
                "委托期限已于 {} 届满；如需继续，请与委托人续签",
                agreement.until
            ),
            format!(
                "the term was over on {}: renew it with the principal",
                agreement.until
            ),
        );
    }
    if !agreement.powers().any(|p| p == power) {
        return refused(
            "POWER_NOT_GRANTED",
            format!("委托代办协议未授权：{}", template::power(power)),
            format!(
                "the agreement does not grant the power {}",
                power.as_str_name()
            ),
        );
    }
    Ok(agreement)
}

/// Why there is no agreement to act by.
#[must_use]
pub fn without(case: &Case) -> Refusal {
    if case.agreements.iter().any(|a| a.ended_at.is_some()) {
        return Refusal::precondition(
            "DELEGATION_ENDED",
            "BX-4",
            "委托已终止，不能再代为办理；申请人可以本人办理",
            "the delegation has ended: nothing is done for the principal any more, who may act in person",
        );
    }
    Refusal::precondition(
        "DELEGATION_MISSING",
        "BB-3.2",
        "尚未签订委托代办协议，不能代办",
        "there is no signed delegation agreement: nothing can be done for the principal",
    )
}

/// An agent who takes the department's word in agency needs the power to; a clerk of the department reports in any case,
/// and so does whoever records what the applicant was told in person.
///
/// # Errors
/// As [`on_behalf`].
pub fn takes_notice(case: &Case, outside: &Outside<'_>) -> Result<(), Refusal> {
    if case.kind() == CaseKind::Agency && !outside.caller.has(Role::Department) {
        on_behalf(case, Power::ReceiveNotices, outside)?;
    }
    Ok(())
}
