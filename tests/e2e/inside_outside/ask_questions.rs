//! Asks what consultation and supervision answer.

use bangban::client::Client;
use bangban_proto::bangban::{
    consultation::v1::{
        ConsultationState, ExplainReplyTimeRequest, ExportRegisterRequest,
        GetConsultationRatesRequest, GetConsultationRequest, ListConsultationsRequest,
        consultation_service_client::ConsultationServiceClient,
    },
    supervision::v1::{
        CompareCheckpointsRequest, ListKeptCheckpointsRequest,
        checkpoint_service_client::CheckpointServiceClient,
    },
};

use super::{Matter, ask::Asked};

/// Asks a method of `ConsultationService`.
pub async fn ask_consultations(
    method: &str,
    variant: &str,
    client: &Client,
    m: &Matter,
) -> Option<Asked> {
    let mut service = ConsultationServiceClient::new(client.channel());
    let consultation = m.consultation.clone();
    let (from, to) = (m.today.clone(), m.today.clone());
    Some(match method {
        "GetConsultation" => {
            let request = about!(
                m,
                client,
                GetConsultationRequest {
                    consultation: consultation
                }
            );
            let answer = service.get_consultation(request).await;
            answer.map(|c| c.get_ref().id == m.consultation)
        }
        "ExplainReplyTime" => {
            let clock = "reply".to_owned();
            let request = about!(
                m,
                client,
                ExplainReplyTimeRequest {
                    consultation: consultation,
                    clock: clock
                }
            );
            let answer = service.explain_reply_time(request).await;
            answer.map(|e| !e.get_ref().days.is_empty())
        }
        "GetConsultationRates" => {
            let request = about!(
                m,
                client,
                GetConsultationRatesRequest { from: from, to: to }
            );
            let answer = service.get_consultation_rates(request).await;
            answer.map(|r| r.get_ref().closed_count > 0)
        }
        "ExportRegister" => {
            let request = about!(
                m,
                client,
                ExportRegisterRequest {
                    from: from,
                    to: to,
                    is_revealed: !variant.is_empty(),
                    reason: "核对登记簿".to_owned(),
                }
            );
            export(service.export_register(request).await, m).await
        }
        "ListConsultations" => {
            let mut request = ListConsultationsRequest {
                district: m.district.clone(),
                page_size: 500,
                ..ListConsultationsRequest::default()
            };
            match variant {
                "by agent" => request.agent = "hu-yulian".to_owned(),
                "by applicant" => request.applicant.clone_from(&m.applicant),
                "by state" => request.set_state(ConsultationState::Answered),
                _ => {}
            }
            let answer = service.list_consultations(client.request(request)).await;
            answer.map(|l| {
                let mut listed = l.get_ref().consultations.iter();
                listed.any(|c| c.id == m.consultation)
            })
        }
        _ => return None,
    })
}

async fn export(
    answer: Result<
        tonic::Response<
            tonic::Streaming<bangban_proto::bangban::consultation::v1::ExportRegisterResponse>,
        >,
        tonic::Status,
    >,
    m: &Matter,
) -> Asked {
    let mut stream = answer?.into_inner();
    let mut is_seen = false;
    while let Some(part) = stream.message().await? {
        is_seen |= part
            .entries
            .iter()
            .any(|e| e.consultation == m.consultation);
    }
    Ok(is_seen)
}

/// Asks a method of `CheckpointService`.
pub async fn ask_checkpoints(method: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let mut service = CheckpointServiceClient::new(client.channel());
    Some(match method {
        "ListKeptCheckpoints" => {
            let request = about!(m, client, ListKeptCheckpointsRequest {});
            service.list_kept_checkpoints(request).await.map(|_| true)
        }
        "CompareCheckpoints" => {
            let request = about!(m, client, CompareCheckpointsRequest {});
            service.compare_checkpoints(request).await.map(|_| true)
        }
        _ => return None,
    })
}
