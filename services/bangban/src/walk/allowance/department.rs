//! Filing online, and what the department does: reported, not performed.

use bangban_proto::bangban::casework::v1::{
    DecisionOutcome, FileApplicationRequest, ModeStep, RecordModeStepRequest,
    ReportAcceptanceRequest, ReportDecisionRequest, ReportDepartmentStatusRequest,
    ReturnMaterialRequest,
};

use crate::failure::Failure;
use crate::walk::engine::{Walk, act};

/// Who accepts and decides.
const DEPARTMENT: &str = "秭归县民政局";

/// What assistance online consists of, and how it is told.
const ONLINE: [(ModeStep, &str, &str); 4] = [
    (
        ModeStep::RealNameRegistered,
        "registers under her real name, her own face before the camera (实名注册)",
        "本人刷脸",
    ),
    (
        ModeStep::MaterialsUploaded,
        "has her papers scanned and uploaded (材料上传)",
        "高拍仪扫描上传",
    ),
    (
        ModeStep::ApplicationCompleted,
        "completes the form, the agent reading it out (填报申请)",
        "逐项读给申请人听",
    ),
    (
        ModeStep::ToldOnce,
        "is told once: it went through, by when, how the result comes (一次告知)",
        "已告知办理时限和领取方式",
    ),
];

impl Walk<'_> {
    /// The steps of the online mode.
    pub(super) async fn assist_online(&mut self) -> Result<(), Failure> {
        for (step, told, remark) in ONLINE {
            act!(
                self,
                record_mode_step,
                RecordModeStepRequest {
                    step: step.into(),
                    remark: remark.to_owned()
                }
            );
            self.tell(format!("Online (网上帮办): she {told}."));
        }
        Ok(())
    }

    /// She files; the department gives a number; her papers go back.
    pub(super) async fn file(&mut self) -> Result<(), Failure> {
        act!(
            self,
            file_application,
            FileApplicationRequest {
                applicant_signed: true
            }
        );
        self.tell(
            "She files and signs herself (申请人本人提交并签名): this is assistance, not agency.",
        );
        let held: Vec<(String, String)> = self
            .case
            .materials
            .iter()
            .filter(|m| m.originals > 0 && m.returned_at.is_none())
            .map(|m| (m.code.clone(), m.name.clone()))
            .collect();
        for (code, _) in &held {
            act!(
                self,
                return_material,
                ReturnMaterialRequest {
                    material: code.clone(),
                    receipt: "申请人按手印签收".to_owned(),
                }
            );
        }
        if !held.is_empty() {
            let names: Vec<&str> = held.iter().map(|(_, name)| name.as_str()).collect();
            self.tell(format!(
                "The originals go back to her (原件退还): {}.",
                names.join("、")
            ));
        }
        let number = self.number("MZ");
        act!(
            self,
            report_department_status,
            ReportDepartmentStatusRequest {
                number: number.clone(),
                status: "已收件".to_owned(),
            }
        );
        self.tell(format!(
            "{DEPARTMENT} reports 已收件 (received) under its number 办件编号 {number}."
        ));
        Ok(())
    }

    /// A day later the department accepts; the decision clock runs and explains itself.
    pub(super) async fn acceptance(&mut self) -> Result<(), Failure> {
        self.days_go_by(1).await?;
        let now = self.now().await?;
        let number = self.number("SL");
        act!(
            self,
            report_acceptance,
            ReportAcceptanceRequest {
                number: number.clone(),
                accepted_at: Some(now),
                issuer: DEPARTMENT.to_owned(),
                proof: format!("受理通知书 {number}"),
                is_deemed: false,
            }
        );
        self.tell(format!(
            "{DEPARTMENT} accepts (受理), notice {number}: the clock of the decision starts."
        ));
        self.why_due().await
    }

    /// Some days later the department grants.
    pub(super) async fn decision(&mut self) -> Result<(), Failure> {
        self.days_go_by(6).await?;
        let now = self.now().await?;
        let number = self.number("JD");
        act!(
            self,
            report_decision,
            ReportDecisionRequest {
                outcome: DecisionOutcome::Granted.into(),
                number: number.clone(),
                decided_at: Some(now),
                issuer: DEPARTMENT.to_owned(),
                proof: format!("审定决定书 {number}"),
                reason: String::new(),
                remedies_told: String::new(),
            }
        );
        self.tell(format!(
            "{DEPARTMENT} grants the allowance (准予发放), decision {number}, in time."
        ));
        Ok(())
    }
}
