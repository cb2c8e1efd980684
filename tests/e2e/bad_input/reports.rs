//! The department's acts, wrongly reported.

use bangban_proto::bangban::{
    casework::v1::{
        ChooseModeRequest, DecisionOutcome, DeliverResultRequest, DeliveryMeans,
        ExtendDecisionRequest, FileApplicationRequest, FileAwayRequest, ModeStep,
        RecordModeStepRequest, ReportAcceptanceRequest, ReportDecisionRequest,
        ReportDepartmentStatusRequest, ResumeClockRequest, StopClockRequest,
    },
    types::v1::Channel,
};
use bangban_tests::{
    case::Story,
    command,
    refusals::{Because, Refusals},
};
use prost_types::Timestamp;

use crate::quiet::on_both_quietly;

use super::*;

#[test]
fn wrong_reports_of_the_departments_acts_are_refused() {
    on_both_quietly(|world| async move {
        let mut story = Story::opened(world).await.pre_checked().await;
        let mut table = Refusals::watch(world).await;
        out_of_order!(
            table,
            story,
            file_application,
            FileApplicationRequest {
                applicant_signed: false
            },
            Because(
                PRECONDITION,
                "SIGNATURE_MISSING",
                "BB-3.1",
                "applicant_signed"
            )
        );
        out_of_order!(
            table,
            story,
            file_application,
            FileApplicationRequest {
                applicant_signed: true
            },
            Because(PRECONDITION, "MODE_STEPS_MISSING", "BB-10.1.2", "")
        );
        command!(
            story,
            record_mode_step,
            RecordModeStepRequest {
                step: ModeStep::Accompanied.into()
            }
        )
        .expect("done");
        command!(
            story,
            file_application,
            FileApplicationRequest {
                applicant_signed: true
            }
        )
        .expect("filed");
        command!(
            story,
            report_department_status,
            ReportDepartmentStatusRequest {
                number: "民政-1".to_owned(),
                status: "已收件".to_owned(),
            }
        )
        .expect("numbered");
        table.rest().await;
        out_of_order!(
            table,
            story,
            report_department_status,
            ReportDepartmentStatusRequest {
                number: "民政-2".to_owned(),
                status: "已收件".to_owned(),
            },
            Because(PRECONDITION, "NUMBER_DIFFERS", "BB-4.3b", "number")
        );
        out_of_order!(
            table,
            story,
            choose_mode,
            ChooseModeRequest {
                mode: Channel::Online.into()
            },
            Because(PRECONDITION, "OUT_OF_ORDER", "BB-8d", "")
        );
        for (seconds, reason) in [
            (1, "TIME_TOO_EARLY"),
            (4_000_000_000, "TIME_IN_FUTURE"),
            (i64::MAX, "TIME_IMPOSSIBLE"),
            (i64::MIN, "TIME_IMPOSSIBLE"),
        ] {
            out_of_order!(
                table,
                story,
                report_acceptance,
                ReportAcceptanceRequest {
                    number: "1".to_owned(),
                    issuer: bureau(),
                    accepted_at: at(seconds)
                },
                Because(INVALID, reason, "BB-8d", "accepted_at")
            );
        }
        out_of_order!(
            table,
            story,
            report_acceptance,
            ReportAcceptanceRequest {
                number: "1".to_owned(),
                issuer: bureau(),
                accepted_at: Some(Timestamp {
                    seconds: 1,
                    nanos: -1
                }),
            },
            Because(INVALID, "TIME_IMPOSSIBLE", "BB-8d", "accepted_at")
        );
        out_of_order!(
            table,
            story,
            report_acceptance,
            ReportAcceptanceRequest {
                number: "1".to_owned(),
                issuer: bureau(),
                accepted_at: None
            },
            Because(INVALID, "FIELD_INVALID", "", "accepted_at")
        );
        let filed_at = story.case.filing.clone().unwrap_or_default().filed_at;
        command!(
            story,
            report_acceptance,
            ReportAcceptanceRequest {
                number: "1".to_owned(),
                issuer: bureau(),
                accepted_at: filed_at
            }
        )
        .expect("accepted");
        table.rest().await;
        out_of_order!(
            table,
            story,
            stop_clock,
            StopClockRequest {
                code: "COFFEE".to_owned(),
                told: "书面".to_owned()
            },
            Because(INVALID, "STOP_WITHOUT_GROUND", "BB-8a", "code")
        );
        out_of_order!(
            table,
            story,
            resume_clock,
            ResumeClockRequest {},
            Because(PRECONDITION, "CLOCK_NOT_STOPPED", "BB-8a", "")
        );
        out_of_order!(
            table,
            story,
            extend_decision,
            ExtendDecisionRequest {
                approved_by: "局长".to_owned(),
                reason: "复杂".to_owned(),
                told: "书面".to_owned(),
            },
            Because(PRECONDITION, "EXTENSION_NOT_PROVIDED", "BB-8a", "")
        );
        out_of_order!(
            table,
            story,
            report_decision,
            ReportDecisionRequest {
                number: "1".to_owned(),
                issuer: bureau(),
                outcome: DecisionOutcome::Refused.into(),
                decided_at: filed_at,
            },
            Because(INVALID, "REMEDIES_MISSING", "BB-4.4a", "remedies_told")
        );
        command!(
            story,
            report_decision,
            ReportDecisionRequest {
                number: "1".to_owned(),
                issuer: bureau(),
                outcome: DecisionOutcome::Granted.into(),
                decided_at: filed_at,
            }
        )
        .expect("decided");
        table.rest().await;
        out_of_order!(
            table,
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::InPerson.into()
            },
            Because(
                INVALID,
                "IDENTITY_CHECK_MISSING",
                "BB-10.1.3",
                "identity_check"
            )
        );
        out_of_order!(
            table,
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Post.into()
            },
            Because(INVALID, "TRACKING_MISSING", "BB-10.1.3", "tracking_number")
        );
        command!(
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Post.into(),
                carrier: "邮政".to_owned(),
                tracking_number: "1".to_owned(),
            }
        )
        .expect("sent");
        table.rest().await;
        out_of_order!(
            table,
            story,
            file_away,
            FileAwayRequest {},
            Because(PRECONDITION, "RECORD_INCOMPLETE", "BB-8d", "delivery")
        );
        table.end();
    });
}
