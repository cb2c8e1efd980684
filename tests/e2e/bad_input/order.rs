//! Acts that do not fit the case.

use bangban_proto::bangban::{
    casework::v1::{
        AcceptHandoverRequest, AnswerCorrectionRequest, AnswerProblemRequest, ChooseModeRequest,
        CloseContactRequest, ConfirmReceiptRequest, ConsentForm, ConsentKind, DecisionOutcome,
        DeclineHandoverRequest, DeliverResultRequest, DeliveryMeans, ExplainConditionRequest,
        ExtendDecisionRequest, FileApplicationRequest, FileAwayRequest, GiveNoticeRequest,
        ListMissingMaterialsRequest, ModeStep, OfferHandoverRequest, PassPreCheckRequest,
        PromptEvaluationRequest, RecordConsentRequest, RecordCorrectionRequest,
        RecordModeStepRequest, ReportAcceptanceRequest, ReportCorrectionNoticeRequest,
        ReportDecisionRequest, ReportDepartmentStatusRequest, ResumeClockRequest,
        ReturnMaterialRequest, StopClockRequest, SupplyForm, TakeMaterialRequest,
        WithdrawConsentRequest,
    },
    types::v1::Channel,
};
use bangban_tests::{
    case::Story,
    refusals::{Because, Refusals},
};
use tonic::Code;

use crate::quiet::on_both_quietly;

use super::*;

#[test]
fn bb_8d_acts_out_of_order_on_an_open_case_are_refused() {
    on_both_quietly(|world| async move {
        let mut story = Story::opened(world).await;
        let mut table = Refusals::watch(world).await;
        let order = Because(PRECONDITION, "OUT_OF_ORDER", "BB-8d", "");
        let consent = Because(PRECONDITION, "CONSENT_MISSING", "BB-4.1a", "");
        let clock = Because(PRECONDITION, "CLOCK_NOT_RUNNING", "BB-8a", "");
        let window: i32 = Channel::Window.into();
        let assistance: i32 = ConsentKind::Assistance.into();
        out_of_order!(
            table,
            story,
            record_consent,
            RecordConsentRequest {
                kind: assistance,
                form: ConsentForm::Written.into(),
            },
            Because(PRECONDITION, "NOTICE_MISSING", "BB-4.4a", "")
        );
        out_of_order!(
            table,
            story,
            withdraw_consent,
            WithdrawConsentRequest { kind: assistance },
            consent
        );
        out_of_order!(
            table,
            story,
            take_material,
            TakeMaterialRequest {
                material: "identity-card".to_owned(),
                supply: SupplyForm::Brought.into(),
                is_valid: true,
            },
            consent
        );
        out_of_order!(
            table,
            story,
            return_material,
            ReturnMaterialRequest {
                material: "identity-card".to_owned(),
                receipt: "签收".to_owned(),
            },
            Because(PRECONDITION, "MATERIAL_NOT_HELD", "BB-8d", "material")
        );
        out_of_order!(
            table,
            story,
            list_missing_materials,
            ListMissingMaterialsRequest {
                materials: vec![missing("identity-card")],
            },
            consent
        );
        out_of_order!(
            table,
            story,
            pass_pre_check,
            PassPreCheckRequest {},
            consent
        );
        out_of_order!(
            table,
            story,
            record_mode_step,
            RecordModeStepRequest {
                step: ModeStep::Accompanied.into()
            },
            consent
        );
        out_of_order!(
            table,
            story,
            choose_mode,
            ChooseModeRequest {
                mode: Channel::Online.into(),
                is_self_guided: true
            },
            Because(PRECONDITION, "CONSENT_MISSING", "BB-10.1.2.2", "")
        );
        out_of_order!(
            table,
            story,
            choose_mode,
            ChooseModeRequest {
                mode: Channel::Phone.into()
            },
            Because(PRECONDITION, "CHANNEL_NOT_OFFERED", "BB-5.4", "mode")
        );
        out_of_order!(
            table,
            story,
            explain_condition,
            ExplainConditionRequest {
                condition: "NO_SUCH".to_owned(),
                text: "说明".to_owned(),
            },
            Because(INVALID, "CONDITION_UNKNOWN", "BB-4.4b", "condition")
        );
        out_of_order!(
            table,
            story,
            file_application,
            FileApplicationRequest {
                applicant_signed: true
            },
            order
        );
        out_of_order!(
            table,
            story,
            report_department_status,
            ReportDepartmentStatusRequest {
                number: "1".to_owned(),
                status: "已收件".to_owned(),
            },
            order
        );
        out_of_order!(
            table,
            story,
            report_acceptance,
            ReportAcceptanceRequest {
                number: "1".to_owned(),
                issuer: bureau(),
                accepted_at: at(1)
            },
            order
        );
        out_of_order!(
            table,
            story,
            report_correction_notice,
            ReportCorrectionNoticeRequest {
                number: "1".to_owned(),
                materials: vec!["identity-card".to_owned()],
                text: "补".to_owned(),
                issuer: "民政局".to_owned(),
                issued_at: at(1),
            },
            order
        );
        out_of_order!(
            table,
            story,
            answer_correction,
            AnswerCorrectionRequest {
                number: "1".to_owned()
            },
            order
        );
        out_of_order!(
            table,
            story,
            stop_clock,
            StopClockRequest {
                code: "HEARING".to_owned(),
                told: "书面".to_owned()
            },
            clock
        );
        out_of_order!(table, story, resume_clock, ResumeClockRequest {}, clock);
        out_of_order!(
            table,
            story,
            extend_decision,
            ExtendDecisionRequest {
                approved_by: "局长".to_owned(),
                reason: "复杂".to_owned(),
                told: "书面".to_owned(),
            },
            clock
        );
        out_of_order!(
            table,
            story,
            report_decision,
            ReportDecisionRequest {
                number: "1".to_owned(),
                issuer: bureau(),
                outcome: DecisionOutcome::Granted.into(),
                decided_at: at(1),
            },
            order
        );
        out_of_order!(
            table,
            story,
            close_contact,
            CloseContactRequest {
                number: 1,
                outcome: "已告知".to_owned(),
                channel: window,
            },
            Because(NOT_FOUND, "CONTACT_UNKNOWN", "BB-10.2.3", "")
        );
        out_of_order!(
            table,
            story,
            answer_problem,
            AnswerProblemRequest {
                number: 1,
                answer: "可以".to_owned()
            },
            Because(NOT_FOUND, "PROBLEM_UNKNOWN", "BB-4.2d", "")
        );
        out_of_order!(
            table,
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::InPerson.into(),
                identity_check: "核对".to_owned(),
            },
            order
        );
        out_of_order!(
            table,
            story,
            confirm_receipt,
            ConfirmReceiptRequest {
                proof: "签收".to_owned(),
                received_at: at(1)
            },
            Because(PRECONDITION, "NOT_SENT", "BB-10.1.3", "")
        );
        out_of_order!(
            table,
            story,
            prompt_evaluation,
            PromptEvaluationRequest { channel: window },
            order
        );
        out_of_order!(table, story, file_away, FileAwayRequest {}, order);
        let nothing = Because(PRECONDITION, "NO_HANDOVER", "BB-4.2a", "");
        out_of_order!(
            table,
            story,
            accept_handover,
            AcceptHandoverRequest {},
            nothing
        );
        out_of_order!(
            table,
            story,
            decline_handover,
            DeclineHandoverRequest {
                reason: "不便".to_owned()
            },
            nothing
        );
        out_of_order!(
            table,
            story,
            offer_handover,
            OfferHandoverRequest {
                to_agent: story.case.agent.clone(),
                to_site: story.case.site.clone(),
                reason: "换".to_owned(),
            },
            Because(INVALID, "HANDOVER_TO_ONESELF", "BB-4.2a", "to_agent")
        );
        out_of_order!(
            table,
            story,
            record_correction,
            RecordCorrectionRequest {
                act: 99,
                text: "应为".to_owned(),
                reason: "笔误".to_owned(),
            },
            Because(NOT_FOUND, "ACT_UNKNOWN", "BB-8d", "act")
        );
        table.end();
    });
}

#[test]
fn wrong_consents_materials_and_steps_are_refused() {
    on_both_quietly(|world| async move {
        let mut story = Story::opened(world).await.consented().await;
        let mut table = Refusals::watch(world).await;
        let assistance: i32 = ConsentKind::Assistance.into();
        out_of_order!(
            table,
            story,
            give_notice,
            GiveNoticeRequest {
                channel: Channel::Window.into(),
                receipt: "按手印".to_owned(),
            },
            Because(Code::AlreadyExists, "NOTICE_ALREADY_GIVEN", "BB-4.4a", "")
        );
        for (witness, reason) in [("", "WITNESS_MISSING"), ("hu-yulian", "WITNESS_IS_AGENT")] {
            out_of_order!(
                table,
                story,
                record_consent,
                RecordConsentRequest {
                    kind: assistance,
                    form: ConsentForm::Oral.into(),
                    witness: witness.to_owned(),
                },
                Because(INVALID, reason, "BB-4.1a", "witness")
            );
        }
        for (material, supply, code, reason, requirement, field) in [
            (
                "no-such-paper",
                SupplyForm::Brought,
                INVALID,
                "MATERIAL_UNKNOWN",
                "BB-4.4a",
                "material",
            ),
            (
                "bank-card",
                SupplyForm::OnTheSpot,
                INVALID,
                "NOT_ON_THE_SPOT",
                "BB-10.1.2.1.2",
                "supply",
            ),
            (
                "identity-card",
                SupplyForm::Reused,
                PRECONDITION,
                "CONSENT_MISSING",
                "BB-4.1c",
                "",
            ),
        ] {
            out_of_order!(
                table,
                story,
                take_material,
                TakeMaterialRequest {
                    material: material.to_owned(),
                    supply: supply.into(),
                    is_valid: true,
                },
                Because(code, reason, requirement, field)
            );
        }
        out_of_order!(
            table,
            story,
            return_material,
            ReturnMaterialRequest {
                material: "no-such-paper".to_owned(),
                receipt: "签收".to_owned(),
            },
            Because(INVALID, "MATERIAL_UNKNOWN", "BB-4.4a", "material")
        );
        out_of_order!(
            table,
            story,
            list_missing_materials,
            ListMissingMaterialsRequest {
                materials: vec![missing("no-such-paper")],
            },
            Because(INVALID, "MATERIAL_UNKNOWN", "BB-4.4a", "material")
        );
        out_of_order!(
            table,
            story,
            list_missing_materials,
            ListMissingMaterialsRequest {
                materials: vec![missing("identity-card")],
            },
            Because(INVALID, "LIST_INCOMPLETE", "BB-10.1.2.1.2", "materials")
        );
        out_of_order!(
            table,
            story,
            pass_pre_check,
            PassPreCheckRequest {},
            Because(PRECONDITION, "MATERIALS_MISSING", "BB-10.1.2.1.2", "")
        );
        for step in [ModeStep::Printed, ModeStep::RealNameRegistered] {
            out_of_order!(
                table,
                story,
                record_mode_step,
                RecordModeStepRequest { step: step.into() },
                Because(INVALID, "STEP_NOT_OF_MODE", "BB-10.1.2", "step")
            );
        }
        table.end();
    });
}
