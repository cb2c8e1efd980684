//! The one-time notice, and what else is explained (BB-4.4).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::casework::v1::{
    Case, CaseState, ConditionExplained, ExplainConditionRequest, Explanation, GiveNoticeRequest,
    Notice, NoticeGiven,
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{
    Act, Outside,
    outside::{going_on, in_state},
};

/// Gives the one-time notice (BB-4.4a).
///
/// # Errors
/// OUT_OF_ORDER, NOTICE_ALREADY_GIVEN.
pub fn give(
    case: &Case,
    request: &GiveNoticeRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Open],
        "告知应在准备材料前进行",
        "the notice comes before the materials",
    )?;
    if case.notice.is_some() {
        return Err(Refusal::exists(
            "NOTICE_ALREADY_GIVEN",
            "BB-4.4a",
            "已一次性告知，无需重复；可查看告知内容",
            "the notice was given already: read it with GetNotice",
        ));
    }
    let mut notice = Notice {
        item: Some(outside.item.clone()),
        department: Some(outside.department.clone()),
        channel: request.channel,
        receipt: request.receipt.clone(),
        given_at: outside.at(),
        given_by: outside.actor(),
        digest: Vec::new(),
    };
    notice.digest = Sha256::digest(notice.encode_to_vec()).to_vec();
    Ok(vec![Act::NoticeGiven(NoticeGiven {
        notice: Some(notice),
    })])
}

/// Explains an unmet condition; refuses nothing (BB-4.4b).
///
/// # Errors
/// CONDITION_UNKNOWN.
pub fn explain(
    case: &Case,
    request: &ExplainConditionRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    let condition = outside
        .item
        .conditions
        .iter()
        .find(|c| c.code == request.condition)
        .ok_or_else(|| {
            Refusal::invalid(
                "CONDITION_UNKNOWN",
                "BB-4.4b",
                "该事项没有此条件",
                "the item has no such condition",
            )
            .field("condition", "unknown to the item")
        })?;
    Ok(vec![Act::ConditionExplained(ConditionExplained {
        explanation: Some(Explanation {
            condition: condition.code.clone(),
            text: request.text.clone(),
            citation: condition.citation.clone(),
            files_anyway: request.files_anyway,
            explained_at: outside.at(),
        }),
    })])
}
