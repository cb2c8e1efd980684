//! First contact: opening, mode, notice, explanation, consent (BB-4.1a, BB-4.4, BB-7, BB-10.1.2).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseKind, CaseOpened, CaseState, ChooseModeRequest, ConditionExplained, Consent,
        ConsentForm, ConsentKind, ConsentRecorded, ConsentWithdrawn, ExplainConditionRequest,
        Explanation, GiveNoticeRequest, ModeChosen, ModeStep, ModeStepDone, ModeStepRecorded,
        Notice, NoticeGiven, OpenCaseRequest, RecordConsentRequest, RecordModeStepRequest,
        WithdrawConsentRequest,
    },
    directory::v1::CheckAssignmentResponse,
    types::v1::{Channel, Tier},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{
    Act, Outside,
    outside::{going_on, in_state},
};

/// Modes in which an application can be assisted (BB-10.1.2).
const MODES: [Channel; 4] = [
    Channel::Window,
    Channel::Online,
    Channel::Mobile,
    Channel::Kiosk,
];

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
    let today = outside
        .now
        .with_timezone(&bangban_calendar::SHANGHAI)
        .date_naive()
        .to_string();
    let is_over = |until: &str| !until.is_empty() && until <= today.as_str();
    if item.effective_from > today
        || is_over(&item.effective_until)
        || is_over(&item.withdrawn_from)
    {
        return Err(not_published(&request.item));
    }
    offered(request.mode(), outside)?;
    if request.kind() == CaseKind::Agency {
        return Err(Refusal::precondition(
            "AGENCY_NOT_ALLOWED",
            "BB-3.2",
            "代办须先签订委托代办协议；请先以帮办受理",
            "agency starts with a signed delegation agreement: open the case as assistance",
        ));
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

fn offered(mode: Channel, outside: &Outside<'_>) -> Result<(), Refusal> {
    if MODES.contains(&mode) && outside.item.channels().any(|c| c == mode) {
        return Ok(());
    }
    Err(Refusal::precondition(
        "CHANNEL_NOT_OFFERED",
        "BB-5.4",
        "该事项不能通过此渠道申办，请改用目录所列渠道",
        "the item cannot be filed through this channel: choose one from the catalogue",
    )
    .field("mode", "not offered for the item"))
}

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

/// Changes the mode, or begins to teach.
///
/// # Errors
/// OUT_OF_ORDER, CHANNEL_NOT_OFFERED, CONSENT_MISSING.
pub fn choose_mode(
    case: &Case,
    request: &ChooseModeRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Open, CaseState::PreChecked],
        "提交后不能改变方式",
        "the mode is fixed once filed",
    )?;
    offered(request.mode(), outside)?;
    if request.is_self_guided {
        needs_consent(case, ConsentKind::SelfGuided)?;
    }
    Ok(vec![Act::ModeChosen(ModeChosen {
        mode: request.mode,
        is_self_guided: request.is_self_guided,
    })])
}

/// Gives the one-time notice (BB-4.4a).
///
/// # Errors
/// OUT_OF_ORDER, NOTICE_ALREADY_GIVEN.
pub fn give_notice(
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

/// Records a consent (BB-4.1a).
///
/// # Errors
/// NOTICE_MISSING, WITNESS_MISSING, WITNESS_IS_AGENT.
pub fn record_consent(
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

/// Withdraws a consent at any time; without consent to assistance the case ends (BB-4.1a).
///
/// # Errors
/// CONSENT_MISSING.
pub fn withdraw_consent(
    case: &Case,
    request: &WithdrawConsentRequest,
    _: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    needs_consent(case, request.kind())?;
    Ok(vec![Act::ConsentWithdrawn(ConsentWithdrawn {
        kind: request.kind,
        reason: request.reason.clone(),
    })])
}

/// The steps that a mode asks for before filing (BB-10.1.2.1 – BB-10.1.2.4).
#[must_use]
pub fn steps(mode: Channel, is_self_guided: bool) -> Vec<ModeStep> {
    let mut steps = match mode {
        Channel::Online | Channel::Mobile => {
            vec![
                ModeStep::RealNameRegistered,
                ModeStep::MaterialsUploaded,
                ModeStep::ApplicationCompleted,
                ModeStep::ToldOnce,
            ]
        }
        Channel::Kiosk => vec![
            ModeStep::MaterialsUploaded,
            ModeStep::ApplicationCompleted,
            ModeStep::Queried,
            ModeStep::Printed,
            ModeStep::ToldOnce,
        ],
        _ => vec![ModeStep::Accompanied],
    };
    if is_self_guided {
        steps.push(ModeStep::Taught);
    }
    steps
}

/// Steps that are not done yet.
#[must_use]
pub fn missing_steps(case: &Case) -> Vec<ModeStep> {
    let done: Vec<ModeStep> = case
        .mode_steps
        .iter()
        .filter(|s| s.mode == case.mode)
        .map(ModeStepDone::step)
        .collect();
    steps(case.mode(), case.is_self_guided)
        .into_iter()
        .filter(|s| !done.contains(s))
        .collect()
}

/// Records a step of the mode.
///
/// # Errors
/// STEP_NOT_OF_MODE, CONSENT_MISSING.
pub fn record_step(
    case: &Case,
    request: &RecordModeStepRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    needs_consent(case, ConsentKind::Assistance)?;
    if request.step() == ModeStep::Taught {
        needs_consent(case, ConsentKind::SelfGuided)?;
    }
    let is_listed = steps(case.mode(), true).contains(&request.step());
    if !is_listed || (request.step() == ModeStep::Taught && case.mode() == Channel::Window) {
        return Err(Refusal::invalid(
            "STEP_NOT_OF_MODE",
            "BB-10.1.2",
            "该步骤不属于当前办理方式",
            "this step does not belong to the case's mode",
        )
        .field("step", "not of this mode"));
    }
    Ok(vec![Act::ModeStepRecorded(ModeStepRecorded {
        step: Some(ModeStepDone {
            step: request.step,
            mode: case.mode,
            done_at: outside.at(),
            by: outside.actor(),
            remark: request.remark.clone(),
        }),
    })])
}
