//! A consultation, brought as far as a story needs it, by the commands of the contract alone.

use bangban::client::{Channel as Connection, Client};
use bangban::sample::find_or_register;
use bangban_kit::identity::Person;
use bangban_proto::bangban::{
    casework::v1::CaseKind,
    consultation::v1::{
        AnswerConsultationRequest, AnswerReferralRequest, Consultation, ConsultationChange,
        GetConsultationRequest, ReferConsultationRequest, RegisterConsultationRequest,
        consultation_service_client::ConsultationServiceClient,
    },
    types::v1::Channel,
};
use prost_types::Timestamp;
use tonic::{Response, Status};

use crate::{
    World,
    agency::{DEPARTMENT, LICENCE, SHOP, delegate},
    request_id,
};

/// Fills in what all commands on a consultation share, sends, and takes the changed consultation over.
#[macro_export]
macro_rules! consult {
    ($question:expr, $method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let mut request = $request {
            district: $question.district.clone(),
            request_id: $crate::request_id(),
            consultation: $question.consultation.id.clone(),
            etag: $question.consultation.etag.clone(),
            $($field: $value,)*
            ..$request::default()
        };
        let sent = $question.client.request(request.clone());
        let mut answer = Box::pin($question.service.$method(sent)).await;
        if $crate::case::is_stale(&answer) && Box::pin($question.was_swept()).await {
            request.etag = $question.consultation.etag.clone();
            request.request_id = $crate::request_id();
            answer = Box::pin($question.service.$method($question.client.request(request))).await;
        }
        $question.take(answer)
    }};
}

/// A consultation, and the agent who is responsible for it.
pub struct Question {
    /// Its district.
    pub district: String,
    /// The agent.
    pub client: Client,
    /// The service, for the agent.
    pub service: ConsultationServiceClient<Connection>,
    /// The consultation as it was last answered.
    pub consultation: Consultation,
    /// Position of its last act.
    pub position: String,
}

/// The request that registers a telephone call about an item, for an applicant with this id.
#[must_use]
pub fn registration(
    world: &World,
    agent: &Person,
    applicant: String,
    item: &str,
) -> RegisterConsultationRequest {
    RegisterConsultationRequest {
        district: world.district.clone(),
        request_id: request_id(),
        site: agent.site.clone(),
        channel: Channel::Phone.into(),
        kind: CaseKind::Assist.into(),
        applicant,
        item: item.to_owned(),
        question: "办理需要什么材料".to_owned(),
        ..RegisterConsultationRequest::default()
    }
}

impl Question {
    /// Nothing was asked yet.
    #[must_use]
    pub fn before(world: &World, client: Client) -> Self {
        Self {
            district: world.district.clone(),
            service: ConsultationServiceClient::new(client.channel()),
            client,
            consultation: Consultation::default(),
            position: String::new(),
        }
    }

    /// An applicant of the sample telephones this agent about an item.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn asked_by(
        world: &World,
        agent: &Person,
        (applicant, item): (&str, &str),
        kind: CaseKind,
    ) -> Self {
        let mut question = Self::before(world, world.person(agent));
        let known = world.sample.applicant(applicant).expect("in the sample");
        let found = find_or_register(&question.client, &question.district, known, request_id())
            .await
            .expect("an applicant");
        let applicant = found.applicant.unwrap_or_default().id;
        let mut request = registration(world, agent, applicant, item);
        request.set_kind(kind);
        question.register(request).await.expect("registered");
        question
    }

    /// The shop owner telephones the town centre, to have the licence obtained for him.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn asked(world: &World) -> Self {
        Self::asked_by(world, &delegate(world), (SHOP, LICENCE), CaseKind::Agency).await
    }

    /// Registers a contact.
    ///
    /// # Errors
    /// The refusal.
    pub async fn register(&mut self, request: RegisterConsultationRequest) -> Result<(), Status> {
        let request = self.client.request(request);
        let answer = self.service.register_consultation(request).await;
        self.take(answer)
    }

    /// Takes the answer of a command.
    ///
    /// # Errors
    /// The refusal.
    pub fn take(
        &mut self,
        answer: Result<Response<ConsultationChange>, Status>,
    ) -> Result<(), Status> {
        let change = answer?.into_inner();
        self.consultation = change.consultation.unwrap_or_default();
        self.position = change.position;
        Ok(())
    }

    /// Whether the platform has written to it by itself since it was last answered, a warning perhaps; read again if so.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn was_swept(&mut self) -> bool {
        // A story that gives an etag of its own means it.
        if self.consultation.etag != self.consultation.act_count.to_string() {
            return false;
        }
        let before = self.consultation.clone();
        self.read("").await;
        let was_swept = self.consultation.act_count != before.act_count;
        if !was_swept {
            self.consultation = before;
        }
        was_swept
    }

    /// Reads it again: sweeps write to it too.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn read(&mut self, after: &str) {
        let request = GetConsultationRequest {
            district: self.district.clone(),
            consultation: self.consultation.id.clone(),
            after: after.to_owned(),
        };
        let request = self.client.request(request);
        let answer = self.service.get_consultation(request).await;
        self.consultation = answer.expect("read").into_inner();
    }

    /// The department that decides is asked.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn referred(self) -> Self {
        self.referred_to(DEPARTMENT).await
    }

    /// A department is asked.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn referred_to(mut self, department: &str) -> Self {
        consult!(
            self,
            refer_consultation,
            ReferConsultationRequest {
                department: department.to_owned(),
                question: "是否需要增加热食类制售项目".to_owned(),
            }
        )
        .expect("referred");
        self
    }

    /// The department's word on its first question, reported by whoever this is.
    ///
    /// # Errors
    /// The refusal.
    pub async fn told_by(&mut self, client: &Client, at: Timestamp) -> Result<(), Status> {
        let request = AnswerReferralRequest {
            district: self.district.clone(),
            request_id: request_id(),
            consultation: self.consultation.id.clone(),
            number: 1,
            answer: "需要".to_owned(),
            issuer: "秭归县市场监督管理局".to_owned(),
            proof: "电话答复记录".to_owned(),
            answered_at: Some(at),
            ..AnswerReferralRequest::default()
        };
        let answer = ConsultationServiceClient::new(client.channel())
            .answer_referral(client.request(request))
            .await;
        self.take(answer)
    }

    /// The applicant has the one answer.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn answered(mut self) -> Self {
        consult!(
            self,
            answer_consultation,
            AnswerConsultationRequest {
                text: "按清单备齐材料即可，全程免费。".to_owned(),
                preparations: vec!["申请书".to_owned(), "营业执照".to_owned()],
                channel: Channel::Phone.into(),
                agency_policies: "行政许可法第二十九条".to_owned(),
            }
        )
        .expect("answered");
        self
    }
}
