//! Reads of all services.

use std::time::Duration;

use bangban::cli::Service;
use bangban_proto::bangban::{
    casework::v1::{
        GetCaseByReceiptRequest, GetCaseRequest, ListCasesRequest,
        case_service_client::CaseServiceClient,
    },
    consultation::v1::{
        ListConsultationsRequest, consultation_service_client::ConsultationServiceClient,
    },
    directory::v1::{
        GetItemRequest, ListStaffRequest, catalogue_service_client::CatalogueServiceClient,
        staff_service_client::StaffServiceClient,
    },
    scheduling::v1::{GetAvailabilityRequest, booking_service_client::BookingServiceClient},
    supervision::v1::{
        ListKeptCheckpointsRequest, checkpoint_service_client::CheckpointServiceClient,
    },
};
use tokio::time::{Instant, sleep};
use tonic::Status;

use super::{Caller, command::Trace, desk::Desk};
use crate::case::ITEM;

/// What is read back after it was written.
pub(super) const BACK: &str = "GetCase";

/// What is read, one after the other.
pub(super) const NAMES: [&str; 7] = [
    "GetCaseByReceipt",
    "GetAvailability",
    "ListCases",
    "GetItem",
    "ListStaff",
    "ListConsultations",
    "ListKeptCheckpoints",
];

/// Reads the case that a command has written: it is not older than what was answered.
pub(super) async fn back(caller: &Caller, district: &str, written: &Trace) -> Result<(), Status> {
    let request = GetCaseRequest {
        district: district.to_owned(),
        case: written.id.clone(),
        ..GetCaseRequest::default()
    };
    let case = CaseServiceClient::new(caller.ways.of(Service::Casework))
        .get_case(caller.request(request))
        .await?
        .into_inner();
    if case.act_count >= written.act_count {
        return Ok(());
    }
    Err(Status::data_loss(format!(
        "{} acts were read where {} had been answered",
        case.act_count, written.act_count
    )))
}

/// Asks what is free until it is known: a service that finds its Redis after it serves, or hears nothing from it for a
/// moment, says that it does not know.
async fn free(caller: &Caller, request: GetAvailabilityRequest) -> Result<(), Status> {
    let mut bookings = BookingServiceClient::new(caller.ways.of(Service::Scheduling));
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let answer = bookings.get_availability(caller.request(request.clone()));
        let days = answer.await?.into_inner().days;
        if days.iter().any(|day| day.is_published && day.is_known) {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Status::data_loss("what is free was not known"));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Reads one thing.
pub(super) async fn one(
    caller: &Caller,
    name: &str,
    district: &str,
    receipt: &str,
    desk: &Desk,
) -> Result<(), Status> {
    let ways = &caller.ways;
    let district = district.to_owned();
    let mut cases = CaseServiceClient::new(ways.of(Service::Casework));
    match name {
        "GetCaseByReceipt" => {
            let request = GetCaseByReceiptRequest {
                district,
                receipt: receipt.to_owned(),
                ..GetCaseByReceiptRequest::default()
            };
            cases.get_case_by_receipt(caller.request(request)).await?;
        }
        "GetAvailability" => {
            free(caller, desk.availability(district)).await?;
        }
        "ListCases" => {
            let request = ListCasesRequest {
                district,
                page_size: 5,
                ..ListCasesRequest::default()
            };
            cases.list_cases(caller.request(request)).await?;
        }
        "GetItem" => {
            let request = GetItemRequest {
                district,
                item: ITEM.to_owned(),
                ..GetItemRequest::default()
            };
            let mut catalogue = CatalogueServiceClient::new(ways.of(Service::Directory));
            catalogue.get_item(caller.request(request)).await?;
        }
        "ListStaff" => {
            let request = ListStaffRequest {
                district,
                page_size: 5,
                ..ListStaffRequest::default()
            };
            let mut staff = StaffServiceClient::new(ways.of(Service::Directory));
            staff.list_staff(caller.request(request)).await?;
        }
        "ListConsultations" => {
            let request = ListConsultationsRequest {
                district,
                page_size: 5,
                ..ListConsultationsRequest::default()
            };
            let mut register = ConsultationServiceClient::new(ways.of(Service::Consultation));
            register.list_consultations(caller.request(request)).await?;
        }
        _ => {
            let request = ListKeptCheckpointsRequest {
                district,
                page_size: 5,
                ..ListKeptCheckpointsRequest::default()
            };
            let mut kept = CheckpointServiceClient::new(ways.of(Service::Supervision));
            kept.list_kept_checkpoints(caller.request(request)).await?;
        }
    }
    Ok(())
}
