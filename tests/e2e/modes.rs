//! The assisted case in every mode, to the file (BB-10.1.2 – BB-10.1.5, BB-8d).

use std::collections::BTreeSet;

use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseState, CheckCompletenessRequest, ChooseModeRequest, ConsentForm, ConsentKind,
        ExportLedgerRequest, FileApplicationRequest, FileAwayRequest, ModeStep,
        PromptEvaluationRequest, RecordConsentRequest, RecordModeStepRequest,
        case_service_client::CaseServiceClient, ledger_service_client::LedgerServiceClient,
    },
    types::v1::Channel,
};
use bangban_tests::{
    World,
    case::{Story, refused},
    command, on_both,
};

/// Steps that a mode asks for, by the clauses of the standard.
const ONLINE: [ModeStep; 4] = [
    ModeStep::RealNameRegistered,
    ModeStep::MaterialsUploaded,
    ModeStep::ApplicationCompleted,
    ModeStep::ToldOnce,
];
const KIOSK: [ModeStep; 5] = [
    ModeStep::MaterialsUploaded,
    ModeStep::ApplicationCompleted,
    ModeStep::Queried,
    ModeStep::Printed,
    ModeStep::ToldOnce,
];
const WINDOW: [ModeStep; 1] = [ModeStep::Accompanied];

fn name(step: ModeStep) -> &'static str {
    step.as_str_name().trim_start_matches("MODE_STEP_")
}

/// Tries to file before each step, and is told which are missing; files after the last.
async fn step_by_step(mut story: Story, steps: &[ModeStep]) -> Story {
    for (done, step) in steps.iter().enumerate() {
        let early = command!(
            story,
            file_application,
            FileApplicationRequest {
                applicant_signed: true
            }
        );
        let status = refused(early, "MODE_STEPS_MISSING");
        assert_eq!(refusal::requirement(&status), "BB-10.1.2");
        for (at, step) in steps.iter().enumerate() {
            let is_named = status.message().contains(name(*step));
            assert_eq!(
                is_named,
                at >= done,
                "{}: {}",
                name(*step),
                status.message()
            );
        }
        command!(
            story,
            record_mode_step,
            RecordModeStepRequest {
                step: (*step).into()
            }
        )
        .expect("done");
    }
    story.filed_by(&[]).await
}

/// Steps of other modes are none of this one.
async fn refuses_others(story: &mut Story, steps: &[ModeStep]) {
    for step in WINDOW
        .iter()
        .chain(&ONLINE)
        .chain(&KIOSK)
        .filter(|s| !steps.contains(s))
    {
        let other = command!(
            story,
            record_mode_step,
            RecordModeStepRequest {
                step: (*step).into()
            }
        );
        refused(other, "STEP_NOT_OF_MODE");
    }
}

/// The case in a mode, from the first contact to the file.
async fn walk(world: &World, mode: Channel, steps: &[ModeStep]) -> Story {
    let mut story = Story::opened_for_mode(world, mode)
        .await
        .pre_checked()
        .await;
    refuses_others(&mut story, steps).await;
    let story = step_by_step(story, steps).await;
    let filing = story.case.filing.clone().unwrap_or_default();
    assert_eq!(filing.channel(), mode, "the channel is on the record");
    let story = story.received().await.granted().await.handed_over().await;
    let story = story.filed_away().await;
    complete(&story).await;
    story
}

/// Everything is on record: the state, every step with time and actor, and every act in the ledger.
async fn complete(story: &Story) {
    let case = &story.case;
    assert_eq!(case.state(), CaseState::FiledAway);
    for step in &case.mode_steps {
        assert!(
            step.done_at.is_some() && step.by.as_ref().is_some_and(|by| by.subject == case.agent)
        );
        assert_eq!(step.mode, case.mode);
    }
    let request = CheckCompletenessRequest {
        district: story.district.clone(),
        case: case.id.clone(),
        ..CheckCompletenessRequest::default()
    };
    let mut cases = CaseServiceClient::new(story.client.channel());
    let answer = cases
        .check_completeness(story.client.request(request))
        .await;
    let answer = answer.expect("judged").into_inner();
    assert!(answer.is_complete && answer.gaps.is_empty(), "{answer:?}");
    assert_eq!(ledger(story, case).await, case.act_count);
}

/// The acts in the case's ledger, which verifies.
async fn ledger(story: &Story, case: &Case) -> u64 {
    let request = ExportLedgerRequest {
        district: story.district.clone(),
        case: case.id.clone(),
        ..ExportLedgerRequest::default()
    };
    let mut stream = LedgerServiceClient::new(story.client.channel())
        .export_ledger(story.client.request(request))
        .await
        .expect("an export")
        .into_inner();
    let mut text = String::new();
    while let Some(part) = stream.message().await.expect("a part") {
        for line in part.lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    let report = bangban_ledger::verify(text.as_bytes()).expect("read");
    assert!(
        report.is_good() && report.verified == 1,
        "{:?}",
        report.problems
    );
    report.acts
}

/// Consents to being taught, and chooses it.
async fn taught(world: &World, mode: Channel, steps: &[ModeStep]) {
    let mut story = Story::opened_for_mode(world, mode)
        .await
        .pre_checked()
        .await;
    let alone = command!(
        story,
        choose_mode,
        ChooseModeRequest {
            mode: mode.into(),
            is_self_guided: true
        }
    );
    let status = refused(alone, "CONSENT_MISSING");
    assert_eq!(refusal::requirement(&status), "BB-10.1.2.2");
    let alone = command!(
        story,
        record_mode_step,
        RecordModeStepRequest {
            step: ModeStep::Taught.into()
        }
    );
    refused(alone, "CONSENT_MISSING");
    command!(
        story,
        record_consent,
        RecordConsentRequest {
            kind: ConsentKind::SelfGuided.into(),
            form: ConsentForm::Electronic.into(),
        }
    )
    .expect("agreed");
    command!(
        story,
        choose_mode,
        ChooseModeRequest {
            mode: mode.into(),
            is_self_guided: true
        }
    )
    .expect("chosen");
    assert!(story.case.is_self_guided);
    let mut steps = steps.to_vec();
    steps.push(ModeStep::Taught);
    let story = step_by_step(story, &steps).await;
    let story = story.received().await.granted().await.handed_over().await;
    complete(&story.filed_away().await).await;
}

#[test]
fn bb_10_1_2_1_1_at_the_window_the_applicant_is_accompanied() {
    on_both(|world| async move {
        let story = walk(world, Channel::Window, &WINDOW).await;
        assert_eq!(story.case.mode_steps.len(), 1);
    });
}

#[test]
fn bb_10_1_2_2_1_online_each_step_is_done_and_told_once() {
    on_both(|world| async move {
        walk(world, Channel::Online, &ONLINE).await;
    });
}

#[test]
fn bb_10_1_2_2_2_online_one_who_agrees_is_taught() {
    on_both(|world| async move { taught(world, Channel::Online, &ONLINE).await });
}

#[test]
fn bb_10_1_2_3_1_at_the_kiosk_each_step_is_done_and_told_once() {
    on_both(|world| async move {
        walk(world, Channel::Kiosk, &KIOSK).await;
    });
}

#[test]
fn bb_10_1_2_3_2_at_the_kiosk_one_who_agrees_is_taught() {
    on_both(|world| async move { taught(world, Channel::Kiosk, &KIOSK).await });
}

#[test]
fn bb_10_1_2_4_1_by_telephone_each_step_is_done_and_told_once() {
    on_both(|world| async move {
        walk(world, Channel::Mobile, &ONLINE).await;
    });
}

#[test]
fn bb_10_1_2_4_2_by_telephone_one_who_agrees_is_taught() {
    on_both(|world| async move { taught(world, Channel::Mobile, &ONLINE).await });
}

#[test]
fn bb_10_1_2_steps_of_a_mode_that_was_left_do_not_count_in_another() {
    on_both(|world| async move {
        let mut story = Story::opened_for_mode(world, Channel::Mobile)
            .await
            .pre_checked()
            .await;
        for step in ONLINE {
            command!(
                story,
                record_mode_step,
                RecordModeStepRequest { step: step.into() }
            )
            .expect("done");
        }
        command!(
            story,
            choose_mode,
            ChooseModeRequest {
                mode: Channel::Kiosk.into()
            }
        )
        .expect("chosen");
        let change = story.case.mode_changes.first().copied().unwrap_or_default();
        assert_eq!(
            (change.from(), change.to()),
            (Channel::Mobile, Channel::Kiosk)
        );
        let story = step_by_step(story, &KIOSK).await;
        assert_eq!(
            story.case.filing.clone().unwrap_or_default().channel(),
            Channel::Kiosk
        );
    });
}

/// What the record lacks, as the case goes on.
async fn gaps(story: &Story) -> BTreeSet<String> {
    let request = CheckCompletenessRequest {
        district: story.district.clone(),
        case: story.case.id.clone(),
        ..CheckCompletenessRequest::default()
    };
    let mut cases = CaseServiceClient::new(story.client.channel());
    let answer = cases
        .check_completeness(story.client.request(request))
        .await;
    let answer = answer.expect("judged").into_inner();
    assert_eq!(answer.is_complete, answer.gaps.is_empty());
    for gap in &answer.gaps {
        let text = gap.text.clone().unwrap_or_default();
        assert!(
            gap.requirement.starts_with("BB-") && !text.zh.is_ascii() && !text.en.is_empty(),
            "{gap:?}"
        );
    }
    answer.gaps.into_iter().map(|gap| gap.reason).collect()
}

#[test]
fn bb_8d_the_record_says_what_it_lacks_until_it_is_complete() {
    on_both(|world| async move {
        let story = Story::opened(world).await;
        let all = gaps(&story).await;
        for reason in [
            "NOTICE",
            "CONSENT",
            "PRE_CHECK",
            "FILING",
            "DEPARTMENT_NUMBER",
            "DECISION",
            "DELIVERY",
            "EVALUATION",
        ] {
            assert!(all.contains(reason), "{reason}: {all:?}");
        }
        let story = story.consented().await;
        let told = gaps(&story).await;
        assert!(!told.contains("NOTICE") && !told.contains("CONSENT"));
        let mut story = story
            .pre_checked_after_consent()
            .await
            .filed_by(&WINDOW)
            .await;
        story = story.received().await.granted().await.handed_over().await;
        assert_eq!(
            gaps(&story).await,
            BTreeSet::from(["EVALUATION".to_owned()])
        );
        let early = command!(story, file_away, FileAwayRequest {});
        let status = refused(early, "RECORD_INCOMPLETE");
        assert_eq!(refusal::requirement(&status), "BB-8d");
        let story = story.filed_away().await;
        assert!(gaps(&story).await.is_empty());
    });
}

#[test]
fn bb_10_1_4_the_applicant_is_asked_for_an_evaluation_once_and_the_opinion_is_kept() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.delivered().await;
        command!(
            story,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Window.into(),
                opinion: "希望周末也开门".to_owned()
            }
        )
        .expect("prompted");
        let evaluation = story.case.evaluation.clone().unwrap_or_default();
        assert_eq!(evaluation.opinion, "希望周末也开门");
        assert!(!evaluation.invitation.is_empty() && evaluation.prompted_by.is_some());
        let again = command!(
            story,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Phone.into()
            }
        );
        let status = refused(again, "ALREADY_PROMPTED");
        assert_eq!(refusal::requirement(&status), "BB-10.1.4");
    });
}

#[test]
fn bb_10_1_5_every_act_is_in_the_ledger_when_it_is_answered() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await;
        assert_eq!(ledger(&story, &story.case).await, story.case.act_count);
        story = story.consented().await;
        assert_eq!(ledger(&story, &story.case).await, story.case.act_count);
        story = story
            .pre_checked_after_consent()
            .await
            .filed_by(&WINDOW)
            .await;
        assert_eq!(ledger(&story, &story.case).await, story.case.act_count);
    });
}
