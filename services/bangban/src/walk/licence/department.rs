//! What the department does, reported by its clerk: a correction, acceptance, a check on site, one extension, the grant.

use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{
        AnswerCorrectionRequest, CloseContactRequest, DecisionOutcome, ExtendDecisionRequest,
        ReportAcceptanceRequest, ReportCorrectionNoticeRequest, ReportDecisionRequest,
        ReportDepartmentStatusRequest, StopClockRequest, SupplyForm,
        case_service_client::CaseServiceClient,
    },
    types::v1::Channel,
};

use super::DEPARTMENT;
use crate::{
    client::Client,
    failure::Failure,
    tell,
    walk::engine::{Walk, act, request_id},
};

/// The material that the department finds wanting.
const WANTING: &str = "facilities-and-layout";

/// A report of the department's clerk on the case.
macro_rules! reports {
    ($walk:expr, $clerk:expr, $method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let request = $request {
            district: $walk.district.clone(),
            request_id: request_id(),
            case: $walk.case.id.clone(),
            after: $walk.after.clone(),
            $($field: $value,)*
            ..$request::default()
        };
        let mut cases = CaseServiceClient::new($clerk.channel());
        let answer = cases.$method($clerk.request(request)).await;
        $walk.take(stringify!($method), answer, u32::MAX).await?
    }};
}

impl Walk<'_> {
    /// Before it accepts, the department asks for a correction; he is called the same day, and it is mended.
    pub(super) async fn correct(&mut self, clerk: &Client) -> Result<(), Failure> {
        let now = self.now().await?;
        let number = self.number("BZ");
        reports!(
            self,
            clerk,
            report_correction_notice,
            ReportCorrectionNoticeRequest {
                number: number.clone(),
                materials: vec![WANTING.to_owned()],
                text: "布局图未标明加工区与就餐区的分隔".to_owned(),
                issued_at: Some(now),
                issuer: DEPARTMENT.to_owned(),
            }
        );
        let due = self
            .case
            .clocks
            .iter()
            .find(|c| c.id == "contact-1")
            .and_then(|c| c.due_at);
        self.tell(format!(
            "{DEPARTMENT} asks for a correction (补正告知 {number}) before it accepts: no decision clock runs yet. He is to be told by {}.",
            tell::instant(due.as_ref())
        ));
        act!(
            self,
            close_contact,
            CloseContactRequest {
                number: 1,
                is_reached: true,
                outcome: "已告知，经营者当场改图".to_owned(),
                channel: Channel::Phone.into(),
            }
        );
        let material = self
            .item
            .materials
            .iter()
            .find(|m| m.code == WANTING)
            .cloned()
            .unwrap_or_default();
        self.take_material(&material, SupplyForm::Supplemented)
            .await?;
        act!(
            self,
            answer_correction,
            AnswerCorrectionRequest {
                number: number.clone()
            }
        );
        self.tell("He is called the same day (当日联系), mends the plan, and the agent hands it in: the power to supplement is one of those that he gave.");
        Ok(())
    }

    /// The department accepts; its clock runs and explains itself.
    pub(super) async fn accepted(&mut self, clerk: &Client) -> Result<(), Failure> {
        let now = self.now().await?;
        let number = self.number("SL");
        reports!(
            self,
            clerk,
            report_acceptance,
            ReportAcceptanceRequest {
                number: number.clone(),
                accepted_at: Some(now),
                issuer: DEPARTMENT.to_owned(),
                proof: format!("受理通知书 {number}"),
            }
        );
        self.tell(format!(
            "{DEPARTMENT} accepts (受理), notice {number}: the clock of the decision starts."
        ));
        self.why_due().await
    }

    /// It looks at the shop while the clock runs on: a site check stops nothing.
    pub(super) async fn checked_on_site(&mut self, clerk: &Client) -> Result<(), Failure> {
        self.days_go_by(2).await?;
        reports!(
            self,
            clerk,
            report_department_status,
            ReportDepartmentStatusRequest {
                status: "现场核查，两名执法人员到场".to_owned(),
            }
        );
        self.tell("Two officers look at the shop (现场核查); the clock runs on.");
        let stop = StopClockRequest {
            district: self.district.clone(),
            request_id: request_id(),
            case: self.case.id.clone(),
            code: "SITE_CHECK".to_owned(),
            told: "现场核查".to_owned(),
            ..StopClockRequest::default()
        };
        let mut cases = CaseServiceClient::new(clerk.channel());
        if let Err(status) = cases.stop_clock(clerk.request(stop)).await {
            self.more(format!(
                "Stopping it for that is refused: {} / {} [{}]",
                refusal::sentence(&status, "zh-CN"),
                refusal::sentence(&status, "en"),
                refusal::requirement(&status)
            ));
        }
        Ok(())
    }

    /// It needs longer, once, with approval and the reason told.
    pub(super) async fn extended(&mut self, clerk: &Client) -> Result<(), Failure> {
        let before = self.case.next_due_at;
        reports!(
            self,
            clerk,
            extend_decision,
            ExtendDecisionRequest {
                approved_by: "分管负责人批准".to_owned(),
                reason: "核查发现排烟设施需复查".to_owned(),
                told: "书面告知延长期限的理由".to_owned(),
            }
        );
        let due = self
            .case
            .clocks
            .iter()
            .find(|c| c.id == "decision")
            .and_then(|c| c.due_at);
        self.tell(format!(
            "The decision is extended once with approval, the reason told (延期): due by {}, no longer by {}.",
            tell::instant(due.as_ref()),
            tell::instant(before.as_ref())
        ));
        Ok(())
    }

    /// It grants.
    pub(super) async fn granted(&mut self, clerk: &Client) -> Result<(), Failure> {
        self.days_go_by(7).await?;
        let now = self.now().await?;
        let number = self.number("XK");
        reports!(
            self,
            clerk,
            report_decision,
            ReportDecisionRequest {
                outcome: DecisionOutcome::Granted.into(),
                number: number.clone(),
                decided_at: Some(now),
                issuer: DEPARTMENT.to_owned(),
                proof: format!("准予许可决定书 {number}"),
            }
        );
        self.tell(format!(
            "{DEPARTMENT} grants the licence (准予许可), decision {number}, in time."
        ));
        Ok(())
    }
}
