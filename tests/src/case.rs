//! A case of the old-age allowance, brought as far as a story needs it, by the commands of the contract alone.

use bangban::client::{Channel as Connection, Client};
use bangban::sample::find_or_register;
use bangban_kit::{identity::Person, refusal};
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseChange, CaseKind, ConsentForm, ConsentKind, DecisionOutcome,
        DeliverResultRequest, DeliveryMeans, FileApplicationRequest, FileAwayRequest,
        GetCaseRequest, GetNoticeRequest, GiveNoticeRequest, ModeStep, OpenCaseRequest,
        PassPreCheckRequest, PromptEvaluationRequest, RecordConsentRequest, RecordModeStepRequest,
        ReportAcceptanceRequest, ReportDecisionRequest, ReportDepartmentStatusRequest, SupplyForm,
        TakeMaterialRequest, case_service_client::CaseServiceClient,
    },
    directory::v1::ItemVersion,
    types::v1::Channel,
};
use tonic::Status;

use crate::{World, request_id};

/// The item.
pub const ITEM: &str = "old-age-allowance";

/// Fills in what all commands on a case share, sends, and takes the changed case over.
#[macro_export]
macro_rules! command {
    ($story:expr, $method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let mut request = $request {
            district: $story.district.clone(),
            request_id: $crate::request_id(),
            case: $story.case.id.clone(),
            etag: $story.case.etag.clone(),
            $($field: $value,)*
            ..$request::default()
        };
        let sent = $story.client.request(request.clone());
        let mut answer = Box::pin($story.cases.$method(sent)).await;
        if $crate::case::is_stale(&answer) && Box::pin($story.was_swept()).await {
            request.etag = $story.case.etag.clone();
            request.request_id = $crate::request_id();
            answer = Box::pin($story.cases.$method($story.client.request(request))).await;
        }
        $story.take(answer)
    }};
}

/// A case, and the agent who is responsible for it.
pub struct Story {
    /// Its district.
    pub district: String,
    /// The agent.
    pub client: Client,
    /// The service, for the agent.
    pub cases: CaseServiceClient<Connection>,
    /// The case as it was last answered.
    pub case: Case,
    /// Position of its last act.
    pub position: String,
}

impl Story {
    /// Nothing is open yet.
    #[must_use]
    pub fn before(world: &World, client: Client) -> Self {
        Self {
            district: world.district.clone(),
            cases: CaseServiceClient::new(client.channel()),
            client,
            case: Case::default(),
            position: String::new(),
        }
    }

    /// The old woman's case, opened by the agent of her village for the window.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn opened(world: &World) -> Self {
        let agent = world.sample.agent().expect("in the sample");
        Self::opened_by(world, &agent, "lin-guie").await
    }

    /// A case that an agent opens for an applicant of the sample.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn opened_by(world: &World, agent: &Person, applicant: &str) -> Self {
        let mut story = Self::before(world, world.person(agent));
        let request = story.opening(world, agent, applicant).await;
        let answer = story.cases.open_case(story.client.request(request)).await;
        story.take(answer).expect("opened");
        story
    }

    /// The old woman's case at the town's centre, to be filed through this mode.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn opened_for_mode(world: &World, mode: Channel) -> Self {
        let agent = world.sample.person("mei-xiaolan").expect("in the sample");
        let mut story = Self::before(world, world.person(&agent));
        let mut request = story.opening(world, &agent, "lin-guie").await;
        request.mode = mode.into();
        let answer = story.cases.open_case(story.client.request(request)).await;
        story.take(answer).expect("opened");
        story
    }

    /// The request that opens it.
    ///
    /// # Panics
    /// When the applicant cannot be found.
    pub async fn opening(&self, world: &World, agent: &Person, applicant: &str) -> OpenCaseRequest {
        let known = world.sample.applicant(applicant).expect("in the sample");
        let found = find_or_register(&self.client, &self.district, known, request_id())
            .await
            .expect("an applicant");
        self.opening_for(agent, found.applicant.unwrap_or_default().id)
    }

    /// The request that opens a case for an applicant with this id.
    #[must_use]
    pub fn opening_for(&self, agent: &Person, applicant: String) -> OpenCaseRequest {
        OpenCaseRequest {
            district: self.district.clone(),
            request_id: request_id(),
            applicant,
            item: ITEM.to_owned(),
            site: agent.site.clone(),
            channel: Channel::Window.into(),
            mode: Channel::Window.into(),
            kind: CaseKind::Assist.into(),
            ..OpenCaseRequest::default()
        }
    }

    /// Takes the answer of a command.
    ///
    /// # Errors
    /// The refusal.
    pub fn take(
        &mut self,
        answer: Result<tonic::Response<CaseChange>, Status>,
    ) -> Result<(), Status> {
        let change = answer?.into_inner();
        self.case = change.case.unwrap_or_default();
        self.position = change.position;
        Ok(())
    }

    /// Whether the platform has written to it by itself since it was last answered, a warning perhaps; read again if so.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn was_swept(&mut self) -> bool {
        // A story that gives an etag of its own means it.
        if self.case.etag != self.case.act_count.to_string() {
            return false;
        }
        let before = self.case.clone();
        self.read("").await;
        let was_swept = self.case.act_count != before.act_count;
        if !was_swept {
            self.case = before;
        }
        was_swept
    }

    /// Reads it again: sweeps write to it too.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn read(&mut self, after: &str) {
        let request = GetCaseRequest {
            district: self.district.clone(),
            case: self.case.id.clone(),
            after: after.to_owned(),
        };
        let answer = self.cases.get_case(self.client.request(request)).await;
        self.case = answer.expect("read").into_inner();
    }

    /// The item's version as the notice told it.
    ///
    /// # Panics
    /// When no notice was given.
    pub async fn notice(&mut self) -> ItemVersion {
        let request = GetNoticeRequest {
            district: self.district.clone(),
            case: self.case.id.clone(),
            ..GetNoticeRequest::default()
        };
        let answer = self.cases.get_notice(self.client.request(request)).await;
        answer
            .expect("a notice")
            .into_inner()
            .item
            .unwrap_or_default()
    }

    /// Told everything, and agreed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn consented(mut self) -> Self {
        command!(
            self,
            give_notice,
            GiveNoticeRequest {
                channel: Channel::Window.into(),
                receipt: "按手印".to_owned(),
            }
        )
        .expect("told");
        command!(
            self,
            record_consent,
            RecordConsentRequest {
                kind: ConsentKind::Assistance.into(),
                form: ConsentForm::Written.into(),
            }
        )
        .expect("agreed");
        self
    }

    /// Every required material is there, and the pre-check has passed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn pre_checked(self) -> Self {
        self.consented().await.pre_checked_after_consent().await
    }

    /// The same for one who has agreed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn pre_checked_after_consent(self) -> Self {
        let mut story = self;
        for material in story.notice().await.materials {
            if !material.is_required {
                continue;
            }
            command!(
                story,
                take_material,
                TakeMaterialRequest {
                    material: material.code.clone(),
                    supply: SupplyForm::Brought.into(),
                    is_valid: true,
                    copies: 1,
                }
            )
            .expect("taken");
        }
        command!(story, pass_pre_check, PassPreCheckRequest {}).expect("passed");
        story
    }

    /// Filed at the window, the applicant having signed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn filed(self) -> Self {
        self.pre_checked()
            .await
            .filed_by(&[ModeStep::Accompanied])
            .await
    }

    /// Filed after these steps of its mode, the applicant having signed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn filed_by(self, steps: &[ModeStep]) -> Self {
        let mut story = self;
        for step in steps {
            command!(
                story,
                record_mode_step,
                RecordModeStepRequest {
                    step: (*step).into()
                }
            )
            .expect("done");
        }
        command!(
            story,
            file_application,
            FileApplicationRequest {
                applicant_signed: true
            }
        )
        .expect("filed");
        story
    }

    /// Accepted by the department just now.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn accepted(self) -> Self {
        self.filed().await.received().await
    }

    /// What was filed is accepted by the department.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn received(self) -> Self {
        let mut story = self;
        command!(
            story,
            report_department_status,
            ReportDepartmentStatusRequest {
                number: format!("民政-{}", story.case.receipt),
                status: "已收件".to_owned(),
            }
        )
        .expect("numbered");
        let at = story.case.filing.clone().unwrap_or_default().filed_at;
        command!(
            story,
            report_acceptance,
            ReportAcceptanceRequest {
                number: "民政受-1".to_owned(),
                issuer: "秭归县民政局".to_owned(),
                accepted_at: at,
            }
        )
        .expect("accepted");
        story
    }

    /// Granted, and handed over.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn delivered(self) -> Self {
        self.accepted().await.granted().await.handed_over().await
    }

    /// What was accepted is granted.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn granted(self) -> Self {
        let mut story = self;
        let at = story.case.filing.clone().unwrap_or_default().filed_at;
        command!(
            story,
            report_decision,
            ReportDecisionRequest {
                outcome: DecisionOutcome::Granted.into(),
                number: "民政决-1".to_owned(),
                issuer: "秭归县民政局".to_owned(),
                decided_at: at,
            }
        )
        .expect("decided");
        story
    }

    /// What was decided is handed over.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn handed_over(self) -> Self {
        let mut story = self;
        command!(
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::InPerson.into(),
                identity_check: "核对身份证".to_owned(),
                proof: "签收".to_owned(),
            }
        )
        .expect("delivered");
        story
    }

    /// Asked for an evaluation, and filed away.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn filed_away(self) -> Self {
        let mut story = self;
        command!(
            story,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Window.into(),
            }
        )
        .expect("prompted");
        command!(story, file_away, FileAwayRequest {}).expect("filed away");
        story
    }
}

/// Whether an answer is that the state has changed since it was read.
#[must_use]
pub fn is_stale<T>(answer: &Result<T, Status>) -> bool {
    answer
        .as_ref()
        .is_err_and(|status| refusal::reason(status) == "STALE_ETAG")
}

/// A refusal has this reason, and says it in Chinese and in English.
///
/// # Panics
/// When it is another one, or was none.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, reason: &str) -> Status {
    let status = answer.expect_err("refused");
    assert_eq!(refusal::reason(&status), reason, "{status:?}");
    let (zh, en) = (
        refusal::sentence(&status, "zh-CN"),
        refusal::sentence(&status, "en"),
    );
    assert!(!zh.is_ascii() && en != zh && !en.is_empty(), "{zh} / {en}");
    status
}
