//! What a complete record has (BB-8d): computed, never ticked off.

use bangban_proto::bangban::{
    casework::v1::{Case, CaseKind, ConsentKind, Gap},
    types::v1::Text,
};

use super::delegation;

/// What the record of a case still lacks.
#[must_use]
pub fn gaps(case: &Case) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut need = |is_there: bool, reason: &str, requirement: &str, zh: &str, en: &str| {
        if !is_there {
            gaps.push(Gap {
                reason: reason.to_owned(),
                requirement: requirement.to_owned(),
                text: Some(Text {
                    zh: zh.to_owned(),
                    en: en.to_owned(),
                }),
            });
        }
    };
    let record = case.department_record.clone().unwrap_or_default();
    need(
        case.notice.is_some(),
        "NOTICE",
        "BB-4.4a",
        "缺一次性告知",
        "no one-time notice",
    );
    need(
        case.consents
            .iter()
            .any(|c| c.kind() == ConsentKind::Assistance),
        "CONSENT",
        "BB-4.1a",
        "缺服务对象同意",
        "no consent",
    );
    need(
        case.pre_checked_at.is_some(),
        "PRE_CHECK",
        "BB-10.1.2.1",
        "缺预审",
        "no pre-check",
    );
    need(
        case.filing.is_some(),
        "FILING",
        "BB-10.1.2",
        "缺提交记录",
        "no filing",
    );
    need(
        !record.number.is_empty(),
        "DEPARTMENT_NUMBER",
        "BB-4.3b",
        "缺部门办件编号",
        "no case number of the department",
    );
    need(
        record.decision.is_some(),
        "DECISION",
        "BB-8d",
        "缺部门决定",
        "no decision",
    );
    need(
        record.corrections.iter().all(|c| c.answered_at.is_some()) || record.decision.is_some(),
        "CORRECTION",
        "BB-10.2.3",
        "有未答复的补正通知",
        "a correction notice is unanswered",
    );
    let is_received = case
        .delivery
        .as_ref()
        .is_some_and(|d| d.received_at.is_some());
    need(
        is_received,
        "DELIVERY",
        "BB-10.1.3",
        "结果尚未送达（签收）",
        "the result has not been received",
    );
    need(
        case.evaluation.is_some(),
        "EVALUATION",
        "BB-10.1.4",
        "未提示评价",
        "no prompt for an evaluation",
    );
    need(
        case.contacts.iter().all(|c| c.closed_at.is_some()),
        "CONTACT",
        "BB-10.2.3",
        "有未了结的联系",
        "a contact is open",
    );
    need(
        case.kind() != CaseKind::Agency || case.agreements.iter().any(|a| a.signed_at.is_some()),
        "AGREEMENT",
        "BB-10.2.2.1",
        "缺委托代办协议",
        "no signed delegation agreement",
    );
    need(
        delegation::untold(case).next().is_none(),
        "DEPARTMENT_TOLD",
        "BX-4",
        "委托提前终止，尚未告知主管部门",
        "the department was not told of the end of our powers",
    );
    need(
        case.problems.iter().all(|p| p.answered_at.is_some()),
        "PROBLEM",
        "BB-4.2d",
        "有未答复的协调问题",
        "a problem with the department is open",
    );
    need(
        case.materials
            .iter()
            .all(|m| m.originals == 0 || m.returned_at.is_some() || case.filing.is_some()),
        "MATERIALS",
        "BB-8d",
        "有未说明去向的原件",
        "originals are unaccounted for",
    );
    gaps
}
