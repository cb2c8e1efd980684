//! The first contact: a case is opened (BB-4.2a, BB-7).

use bangban_kit::refusal::Refusal;
use bangban_limits::time;
use bangban_proto::bangban::{
    casework::v1::{Case, CaseKind, CaseOpened, CaseState, OpenCaseRequest},
    directory::v1::CheckAssignmentResponse,
    types::v1::Tier,
};

use super::{Act, Outside, delegation, mode::offered};

/// Opens a case. `assignment` is directory's word that the caller may be given it.
///
/// # Errors
/// CHANNEL_NOT_OFFERED (BB-5.4), TIER_NOT_SERVED (BB-1), AGENCY_NOT_ALLOWED (BB-7.1.2), ITEM_NOT_PUBLISHED (BB-7.2).
pub fn open(
    id: String,
    receipt: String,
    request: &OpenCaseRequest,
    assignment: &CheckAssignmentResponse,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let item = outside.item;
    let today = time::today(outside.now).to_string();
    let is_over = |until: &str| !until.is_empty() && until <= today.as_str();
    if item.effective_from > today
        || is_over(&item.effective_until)
        || is_over(&item.withdrawn_from)
    {
        return Err(not_published(&request.item));
    }
    offered(request.mode(), outside)?;
    if request.kind() == CaseKind::Agency {
        delegation::allowed(outside)?;
    }
    if !request.consultation.is_empty() && outside.caller.via != "consultation" {
        return Err(Refusal::forbidden(
            "CONSULTATION_NOT_ALLOWED",
            "BB-4.2a",
            "咨询转办由咨询服务发起：请在咨询记录中转为办件",
            "a consultation becomes a case by ConvertConsultation alone",
        )
        .field("consultation", "only the consultation service names one"));
    }
    let tier = match assignment.region.len() {
        12 => Tier::Village,
        9 => Tier::Town,
        _ => Tier::County,
    };
    if !item.tiers().any(|t| t == tier) {
        return Err(Refusal::precondition(
            "TIER_NOT_SERVED",
            "BB-1",
            "该事项不在本级站点办理，请到目录所列层级",
            "the item is not served at this tier: see the tiers in the catalogue",
        ));
    }
    let case = Case {
        id,
        district: request.district.clone(),
        receipt,
        kind: request.kind,
        state: CaseState::Open.into(),
        applicant: request.applicant.clone(),
        applicant_mask: assignment.applicant_mask.clone(),
        groups: assignment.groups.clone(),
        item: item.code.clone(),
        item_version: item.version,
        item_name: item.name.clone(),
        channel: request.channel,
        mode: request.mode,
        site: request.site.clone(),
        region: assignment.region.clone(),
        closing_times: assignment.closing_times.clone(),
        consultation: request.consultation.clone(),
        is_enterprise: assignment.is_enterprise,
        agent: outside.caller.subject.clone(),
        department: item.department.clone(),
        opened_at: outside.at(),
        visit_count: 1,
        ..Case::default()
    };
    Ok(vec![Act::CaseOpened(CaseOpened { case: Some(case) })])
}

/// ITEM_NOT_PUBLISHED (BB-7.2).
#[must_use]
pub fn not_published(item: &str) -> Refusal {
    Refusal::not_found(
        "ITEM_NOT_PUBLISHED",
        "BB-7.2",
        format!("事项 {item} 未在目录中公布或当前未生效"),
        format!("the item {item} is not published, or not in force today"),
    )
    .field("item", "not published")
}
