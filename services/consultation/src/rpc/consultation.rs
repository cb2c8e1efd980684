//! The methods of `ConsultationService`: each names who may give the command and the rule that decides it.

use std::pin::Pin;

use bangban_proto::bangban::{
    consultation::v1::{
        self as v1, Consultation, ConsultationChange,
        consultation_service_server::ConsultationService,
    },
    types::v1::DueTimeExplanation,
};
use tonic::{Request, Response, Status};

use super::Rpc;
use crate::domain::{
    answer, end, referral,
    responsibility::{self, Who},
};

#[tonic::async_trait]
impl ConsultationService for Rpc {
    type ExportRegisterStream =
        Pin<Box<dyn futures::Stream<Item = Result<v1::ExportRegisterResponse, Status>> + Send>>;

    async fn register_consultation(
        &self,
        request: Request<v1::RegisterConsultationRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.register(request).await
    }

    async fn answer_consultation(
        &self,
        request: Request<v1::AnswerConsultationRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.act(request, Who::Responsible, answer::answer).await
    }

    async fn refer_consultation(
        &self,
        request: Request<v1::ReferConsultationRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.act(request, Who::Responsible, referral::refer).await
    }

    async fn answer_referral(
        &self,
        request: Request<v1::AnswerReferralRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.act(request, Who::Department, referral::answer).await
    }

    async fn convert_consultation(
        &self,
        request: Request<v1::ConvertConsultationRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.convert(request).await
    }

    async fn end_consultation(
        &self,
        request: Request<v1::EndConsultationRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.act(request, Who::Responsible, end::end).await
    }

    async fn offer_handover(
        &self,
        request: Request<v1::OfferHandoverRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        let whom = responsibility::receiver;
        self.act_asking(request, Who::Responsible, whom, responsibility::offer)
            .await
    }

    async fn accept_handover(
        &self,
        request: Request<v1::AcceptHandoverRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        let whom = responsibility::offered_to;
        self.act_asking(request, Who::Receiver, whom, responsibility::accept)
            .await
    }

    async fn decline_handover(
        &self,
        request: Request<v1::DeclineHandoverRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.act(request, Who::Receiver, responsibility::decline)
            .await
    }

    async fn record_correction(
        &self,
        request: Request<v1::RecordCorrectionRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.act(request, Who::Corrector, end::correct).await
    }

    async fn get_consultation(
        &self,
        request: Request<v1::GetConsultationRequest>,
    ) -> Result<Response<Consultation>, Status> {
        self.read_consultation(request).await
    }

    async fn list_consultations(
        &self,
        request: Request<v1::ListConsultationsRequest>,
    ) -> Result<Response<v1::ListConsultationsResponse>, Status> {
        self.read_consultations(request).await
    }

    async fn explain_reply_time(
        &self,
        request: Request<v1::ExplainReplyTimeRequest>,
    ) -> Result<Response<DueTimeExplanation>, Status> {
        self.read_explained(request).await
    }

    async fn export_register(
        &self,
        request: Request<v1::ExportRegisterRequest>,
    ) -> Result<Response<Self::ExportRegisterStream>, Status> {
        self.export(request).await
    }

    async fn get_consultation_rates(
        &self,
        request: Request<v1::GetConsultationRatesRequest>,
    ) -> Result<Response<v1::GetConsultationRatesResponse>, Status> {
        self.read_rates(request).await
    }
}
