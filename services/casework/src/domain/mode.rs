//! Through what a matter is filed, and the steps that each mode asks for (BB-5.4, BB-10.1.2).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseState, ChooseModeRequest, ConsentKind, ModeChosen, ModeStep, ModeStepDone,
        ModeStepRecorded, RecordModeStepRequest,
    },
    types::v1::Channel,
};

use super::{
    Act, Outside,
    agency::signed,
    consent::needs_consent,
    outside::{going_on, in_state},
};

/// Modes in which an application can be assisted (BB-10.1.2).
const MODES: [Channel; 4] = [
    Channel::Window,
    Channel::Online,
    Channel::Mobile,
    Channel::Kiosk,
];

/// The item can be filed through this channel, with our help.
///
/// # Errors
/// CHANNEL_NOT_OFFERED (BB-5.4).
pub fn offered(mode: Channel, outside: &Outside<'_>) -> Result<(), Refusal> {
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

/// Changes the mode, or begins to teach.
///
/// # Errors
/// OUT_OF_ORDER, CHANNEL_NOT_OFFERED, CONSENT_MISSING.
pub fn choose(
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

/// The steps of a case: under an agreement the applicant is not there to be accompanied or told.
#[must_use]
pub fn steps_of(case: &Case) -> Vec<ModeStep> {
    let mut steps = steps(case.mode(), case.is_self_guided);
    if signed(case).next().is_some() {
        steps.retain(|step| {
            matches!(
                step,
                ModeStep::MaterialsUploaded | ModeStep::ApplicationCompleted | ModeStep::Printed
            )
        });
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
    steps_of(case)
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
