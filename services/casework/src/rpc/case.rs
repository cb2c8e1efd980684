//! The methods of `CaseService`: each names who may give the command and the rule that decides it.

use bangban_proto::bangban::{
    casework::v1::{self as v1, CaseChange, case_service_server::CaseService},
    types::v1::DueTimeExplanation,
};
use tonic::{Request, Response, Status};

use super::Rpc;
use crate::domain::{
    consent, contact, delegation, department, limit, material, mode, notice, outcome, problem,
    reserved, responsibility, responsibility::Who,
};

#[tonic::async_trait]
impl CaseService for Rpc {
    async fn open_case(
        &self,
        request: Request<v1::OpenCaseRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.open(request).await
    }

    async fn offer_handover(
        &self,
        request: Request<v1::OfferHandoverRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.offer(request).await
    }

    async fn accept_handover(
        &self,
        request: Request<v1::AcceptHandoverRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.accept(request).await
    }

    async fn draft_delegation(
        &self,
        request: Request<v1::DraftDelegationRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act_asking(request, delegation::draft).await
    }

    async fn sign_delegation(
        &self,
        request: Request<v1::SignDelegationRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act_asking(request, delegation::sign).await
    }

    async fn revoke_delegation(
        &self,
        request: Request<v1::RevokeDelegationRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Applicant, delegation::revoke).await
    }

    async fn end_delegation(
        &self,
        request: Request<v1::EndDelegationRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, delegation::end).await
    }

    async fn tell_department(
        &self,
        request: Request<v1::TellDepartmentRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, delegation::tell_department)
            .await
    }

    async fn record_in_person_act(
        &self,
        request: Request<v1::RecordInPersonActRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, reserved::in_person)
            .await
    }

    async fn receive_document(
        &self,
        request: Request<v1::ReceiveDocumentRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, reserved::receive_document)
            .await
    }

    async fn get_agreement(
        &self,
        request: Request<v1::GetAgreementRequest>,
    ) -> Result<Response<v1::Agreement>, Status> {
        self.read_agreement(request).await
    }

    async fn choose_mode(
        &self,
        request: Request<v1::ChooseModeRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, mode::choose).await
    }

    async fn give_notice(
        &self,
        request: Request<v1::GiveNoticeRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, notice::give).await
    }

    async fn explain_condition(
        &self,
        request: Request<v1::ExplainConditionRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, notice::explain).await
    }

    async fn record_consent(
        &self,
        request: Request<v1::RecordConsentRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, consent::record).await
    }

    async fn withdraw_consent(
        &self,
        request: Request<v1::WithdrawConsentRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Applicant, consent::withdraw).await
    }

    async fn take_material(
        &self,
        request: Request<v1::TakeMaterialRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.take(request).await
    }

    async fn return_material(
        &self,
        request: Request<v1::ReturnMaterialRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, material::give_back)
            .await
    }

    async fn list_missing_materials(
        &self,
        request: Request<v1::ListMissingMaterialsRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, material::list_missing)
            .await
    }

    async fn pass_pre_check(
        &self,
        request: Request<v1::PassPreCheckRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, material::pass_pre_check)
            .await
    }

    async fn record_mode_step(
        &self,
        request: Request<v1::RecordModeStepRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, mode::record_step).await
    }

    async fn file_application(
        &self,
        request: Request<v1::FileApplicationRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, department::file).await
    }

    async fn report_department_status(
        &self,
        request: Request<v1::ReportDepartmentStatusRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, department::status).await
    }

    async fn report_acceptance(
        &self,
        request: Request<v1::ReportAcceptanceRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, department::accept).await
    }

    async fn report_correction_notice(
        &self,
        request: Request<v1::ReportCorrectionNoticeRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, department::correction)
            .await
    }

    async fn answer_correction(
        &self,
        request: Request<v1::AnswerCorrectionRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, department::answer_correction)
            .await
    }

    async fn stop_clock(
        &self,
        request: Request<v1::StopClockRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, limit::stop).await
    }

    async fn resume_clock(
        &self,
        request: Request<v1::ResumeClockRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, limit::resume).await
    }

    async fn extend_decision(
        &self,
        request: Request<v1::ExtendDecisionRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, limit::extend).await
    }

    async fn report_decision(
        &self,
        request: Request<v1::ReportDecisionRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, department::decide).await
    }

    async fn open_contact(
        &self,
        request: Request<v1::OpenContactRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, contact::open).await
    }

    async fn close_contact(
        &self,
        request: Request<v1::CloseContactRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, contact::close).await
    }

    async fn raise_problem(
        &self,
        request: Request<v1::RaiseProblemRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, problem::raise).await
    }

    async fn answer_problem(
        &self,
        request: Request<v1::AnswerProblemRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Department, problem::answer).await
    }

    async fn deliver_result(
        &self,
        request: Request<v1::DeliverResultRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, outcome::deliver).await
    }

    async fn confirm_receipt(
        &self,
        request: Request<v1::ConfirmReceiptRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Applicant, outcome::confirm).await
    }

    async fn prompt_evaluation(
        &self,
        request: Request<v1::PromptEvaluationRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, outcome::prompt).await
    }

    async fn file_away(
        &self,
        request: Request<v1::FileAwayRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Responsible, outcome::file_away)
            .await
    }

    async fn decline_handover(
        &self,
        request: Request<v1::DeclineHandoverRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Receiver, responsibility::decline)
            .await
    }

    async fn record_correction(
        &self,
        request: Request<v1::RecordCorrectionRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        self.act(request, Who::Corrector, outcome::correct).await
    }

    async fn get_case(
        &self,
        request: Request<v1::GetCaseRequest>,
    ) -> Result<Response<v1::Case>, Status> {
        self.read_case(request).await
    }

    async fn get_case_by_receipt(
        &self,
        request: Request<v1::GetCaseByReceiptRequest>,
    ) -> Result<Response<v1::Case>, Status> {
        self.read_case_by_receipt(request).await
    }

    async fn get_notice(
        &self,
        request: Request<v1::GetNoticeRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        self.read_notice(request).await
    }

    async fn list_cases(
        &self,
        request: Request<v1::ListCasesRequest>,
    ) -> Result<Response<v1::ListCasesResponse>, Status> {
        self.read_cases(request).await
    }

    async fn get_progress(
        &self,
        request: Request<v1::GetProgressRequest>,
    ) -> Result<Response<v1::GetProgressResponse>, Status> {
        self.read_progress(request).await
    }

    async fn explain_due_time(
        &self,
        request: Request<v1::ExplainDueTimeRequest>,
    ) -> Result<Response<DueTimeExplanation>, Status> {
        self.read_explain_due_time(request).await
    }

    async fn check_completeness(
        &self,
        request: Request<v1::CheckCompletenessRequest>,
    ) -> Result<Response<v1::CheckCompletenessResponse>, Status> {
        self.read_completeness(request).await
    }

    async fn list_reusable_materials(
        &self,
        request: Request<v1::ListReusableMaterialsRequest>,
    ) -> Result<Response<v1::ListReusableMaterialsResponse>, Status> {
        self.read_reusable_materials(request).await
    }

    async fn get_quality_rates(
        &self,
        request: Request<v1::GetQualityRatesRequest>,
    ) -> Result<Response<v1::GetQualityRatesResponse>, Status> {
        self.read_quality_rates(request).await
    }
}
