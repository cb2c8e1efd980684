//! The life of an assisted case, command by command, and then that of the next.

use bangban::failure::Failure;
use bangban_proto::bangban::{
    casework::v1::{
        CloseContactRequest, ConsentForm, ConsentKind, ContactReason, DecisionOutcome,
        DeliverResultRequest, DeliveryMeans, FileApplicationRequest, FileAwayRequest,
        GiveNoticeRequest, ModeStep, OpenContactRequest, PassPreCheckRequest,
        PromptEvaluationRequest, RecordConsentRequest, RecordModeStepRequest,
        ReportAcceptanceRequest, ReportDecisionRequest, ReportDepartmentStatusRequest, SupplyForm,
        TakeMaterialRequest,
    },
    types::v1::Channel,
};
use bangban_tests::{case::Story, command};
use tonic::Status;

use crate::{agent::Agent, turn::Work};

/// An agent, and the case that she is at.
pub struct Life {
    agent: Agent,
    story: Story,
    /// What has to be brought for the item.
    materials: Vec<String>,
    /// Commands that the case has behind it.
    done: usize,
}

impl Life {
    /// The agent's first case, opened and told about.
    pub async fn begin(agent: Agent) -> Result<Self, Failure> {
        let story = Story {
            district: agent.district.clone(),
            client: agent.client.clone(),
            cases: agent.cases.clone(),
            case: Default::default(),
            position: String::new(),
        };
        let mut life = Self {
            agent,
            story,
            materials: Vec::new(),
            done: 0,
        };
        life.once().await?;
        life.once().await?;
        let item = life.story.notice().await;
        let required = item.materials.into_iter().filter(|m| m.is_required);
        life.materials = required.map(|material| material.code).collect();
        Ok(life)
    }

    /// Until the application is complete.
    async fn gather(&mut self) -> Result<(), Status> {
        let story = &mut self.story;
        match self.done {
            0 => {
                let opening = story.client.request(self.agent.opening(Channel::Window));
                let answer = story.cases.open_case(opening).await;
                story.take(answer)
            }
            1 => command!(
                story,
                give_notice,
                GiveNoticeRequest {
                    channel: Channel::Window.into(),
                    receipt: "按手印".to_owned(),
                }
            ),
            2 => command!(
                story,
                record_consent,
                RecordConsentRequest {
                    kind: ConsentKind::Assistance.into(),
                    form: ConsentForm::Written.into(),
                }
            ),
            next => command!(
                story,
                take_material,
                TakeMaterialRequest {
                    material: self.materials[next - GATHERED].clone(),
                    supply: SupplyForm::Brought.into(),
                    is_valid: true,
                    copies: 1,
                }
            ),
        }
    }

    /// From the check of what was gathered to the department's acceptance.
    async fn file(&mut self, step: usize) -> Result<(), Status> {
        let story = &mut self.story;
        match step {
            0 => command!(story, pass_pre_check, PassPreCheckRequest {}),
            1 => command!(
                story,
                record_mode_step,
                RecordModeStepRequest {
                    step: ModeStep::Accompanied.into(),
                }
            ),
            2 => command!(
                story,
                file_application,
                FileApplicationRequest {
                    applicant_signed: true,
                }
            ),
            3 => command!(
                story,
                report_department_status,
                ReportDepartmentStatusRequest {
                    number: format!("民政-{}", story.case.receipt),
                    status: "已收件".to_owned(),
                }
            ),
            _ => command!(
                story,
                report_acceptance,
                ReportAcceptanceRequest {
                    number: "民政受-1".to_owned(),
                    issuer: "民政局".to_owned(),
                    accepted_at: story.case.filing.clone().unwrap_or_default().filed_at,
                }
            ),
        }
    }

    /// From a question on the way to the filing away.
    async fn close(&mut self, step: usize) -> Result<(), Status> {
        let story = &mut self.story;
        match step {
            0 => command!(
                story,
                open_contact,
                OpenContactRequest {
                    reason: ContactReason::Progress.into(),
                    text: "进度".to_owned(),
                }
            ),
            1 => command!(
                story,
                close_contact,
                CloseContactRequest {
                    number: 1,
                    is_reached: true,
                    outcome: "已告知".to_owned(),
                    channel: Channel::Phone.into(),
                }
            ),
            2 => command!(
                story,
                report_decision,
                ReportDecisionRequest {
                    outcome: DecisionOutcome::Granted.into(),
                    number: "民政决-1".to_owned(),
                    issuer: "民政局".to_owned(),
                    decided_at: story.case.filing.clone().unwrap_or_default().filed_at,
                }
            ),
            3 => command!(
                story,
                deliver_result,
                DeliverResultRequest {
                    means: DeliveryMeans::InPerson.into(),
                    identity_check: "核对身份证".to_owned(),
                    proof: "签收".to_owned(),
                }
            ),
            4 => command!(
                story,
                prompt_evaluation,
                PromptEvaluationRequest {
                    channel: Channel::Window.into(),
                }
            ),
            _ => command!(story, file_away, FileAwayRequest {}),
        }
    }
}

/// Commands before the materials.
const GATHERED: usize = 3;

/// Commands from the check to the acceptance.
const FILED: usize = 5;

/// Commands from then on.
const CLOSED: usize = 6;

impl Work for Life {
    async fn once(&mut self) -> Result<(), Failure> {
        let gathered = GATHERED + self.materials.len();
        let done = match self.done {
            step if step < gathered => self.gather().await,
            step if step < gathered + FILED => self.file(step - gathered).await,
            step => self.close(step - gathered - FILED).await,
        };
        done.map_err(|status| Failure::refused("a command on a case", &status))?;
        self.done = (self.done + 1) % (gathered + FILED + CLOSED);
        Ok(())
    }
}
