//! Commands through four services, each with a request id, so that it may be sent again and looked for in the log.

use bangban::cli::Service;
use bangban_proto::bangban::{
    casework::v1::{
        CaseChange, OpenCaseRequest, OpenContactRequest, case_service_client::CaseServiceClient,
    },
    consultation::v1::{
        ConsultationChange, ConvertConsultationRequest, RegisterConsultationRequest,
        consultation_service_client::ConsultationServiceClient,
    },
    directory::v1::{
        GrantSkillRequest, RegisterApplicantRequest,
        applicant_service_client::ApplicantServiceClient, staff_service_client::StaffServiceClient,
    },
    scheduling::v1::{
        BookingChange, CancelBookingRequest, ConfirmBookingRequest, Hold, HoldSlotRequest,
        booking_service_client::BookingServiceClient,
    },
};
use tonic::{Response, Status};

use super::Caller;

/// A command.
#[derive(Debug, Clone)]
pub enum Command {
    /// Opens a case: casework asks directory.
    Open(OpenCaseRequest),
    /// Adds a contact to a case.
    Contact(OpenContactRequest),
    /// Registers a consultation: consultation asks directory.
    Register(RegisterConsultationRequest),
    /// Makes a case of a consultation: consultation asks casework, which asks directory.
    Convert(ConvertConsultationRequest),
    /// Says what a member of staff masters, which all other services hear of.
    Grant(GrantSkillRequest),
    /// Registers somebody whom nobody knows yet.
    Applicant(RegisterApplicantRequest),
    /// Holds a seat: scheduling asks directory who that is.
    Hold(HoldSlotRequest),
    /// Makes an appointment of a hold.
    Confirm(ConfirmBookingRequest),
    /// Gives an appointment up.
    Cancel(CancelBookingRequest),
}

/// What a command leaves behind: its request stands once in a log.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Whose log; none of a hold, which is a row and no act: that it is there is seen when it is confirmed.
    pub log: Option<Service>,
    /// The request.
    pub request_id: String,
    /// The case, the consultation, the applicant or the appointment.
    pub id: String,
    /// The hold.
    pub hold: Option<Hold>,
    /// The case's receipt number.
    pub receipt: String,
    /// How many acts the case has now.
    pub act_count: u64,
}

impl Command {
    /// What there is, by name.
    pub(super) const NAMES: [&str; 9] = [
        "OpenCase",
        "OpenContact",
        "RegisterConsultation",
        "ConvertConsultation",
        "GrantSkill",
        "RegisterApplicant",
        "HoldSlot",
        "ConfirmBooking",
        "CancelBooking",
    ];

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "OpenCase",
            Self::Contact(_) => "OpenContact",
            Self::Register(_) => "RegisterConsultation",
            Self::Convert(_) => "ConvertConsultation",
            Self::Grant(_) => "GrantSkill",
            Self::Applicant(_) => "RegisterApplicant",
            Self::Hold(_) => "HoldSlot",
            Self::Confirm(_) => "ConfirmBooking",
            Self::Cancel(_) => "CancelBooking",
        }
    }

    /// Sends it.
    ///
    /// # Errors
    /// What came instead of an answer.
    pub async fn send(&self, caller: &Caller) -> Result<Trace, Status> {
        let ways = &caller.ways;
        let mut cases = CaseServiceClient::new(ways.of(Service::Casework));
        let mut register = ConsultationServiceClient::new(ways.of(Service::Consultation));
        let mut bookings = BookingServiceClient::new(ways.of(Service::Scheduling));
        match self.clone() {
            Self::Open(request) => {
                let id = request.request_id.clone();
                let answer = cases.open_case(caller.request(request)).await;
                Ok(of_case(answer?, id))
            }
            Self::Contact(request) => {
                let id = request.request_id.clone();
                let answer = cases.open_contact(caller.request(request)).await;
                Ok(of_case(answer?, id))
            }
            Self::Register(request) => {
                let id = request.request_id.clone();
                let answer = register
                    .register_consultation(caller.request(request))
                    .await?;
                Ok(Trace {
                    log: Some(Service::Consultation),
                    request_id: id,
                    id: answer.into_inner().consultation.unwrap_or_default().id,
                    ..Trace::default()
                })
            }
            Self::Convert(request) => {
                let answer = register.convert_consultation(caller.request(request));
                Ok(of_conversion(answer.await?))
            }
            Self::Grant(request) => {
                let id = request.request_id.clone();
                let staff = request.staff.clone();
                StaffServiceClient::new(ways.of(Service::Directory))
                    .grant_skill(caller.request(request))
                    .await?;
                Ok(Trace {
                    log: Some(Service::Directory),
                    request_id: id,
                    id: staff,
                    ..Trace::default()
                })
            }
            Self::Applicant(request) => {
                let id = request.request_id.clone();
                let answer = ApplicantServiceClient::new(ways.of(Service::Directory))
                    .register_applicant(caller.request(request))
                    .await?;
                Ok(Trace {
                    log: Some(Service::Directory),
                    request_id: id,
                    id: answer.into_inner().applicant.unwrap_or_default().id,
                    ..Trace::default()
                })
            }
            Self::Hold(request) => {
                let id = request.request_id.clone();
                let hold = bookings.hold_slot(caller.request(request)).await?;
                let hold = hold.into_inner();
                Ok(Trace {
                    request_id: id,
                    id: hold.booking.clone(),
                    hold: Some(hold),
                    ..Trace::default()
                })
            }
            Self::Confirm(request) => {
                let id = request.request_id.clone();
                let answer = bookings.confirm_booking(caller.request(request)).await;
                Ok(of_booking(answer?, id))
            }
            Self::Cancel(request) => {
                let id = request.request_id.clone();
                let answer = bookings.cancel_booking(caller.request(request)).await;
                Ok(of_booking(answer?, id))
            }
        }
    }
}

fn of_case(answer: Response<CaseChange>, request_id: String) -> Trace {
    let case = answer.into_inner().case.unwrap_or_default();
    Trace {
        log: Some(Service::Casework),
        request_id,
        id: case.id,
        receipt: case.receipt,
        act_count: case.act_count,
        ..Trace::default()
    }
}

fn of_booking(answer: Response<BookingChange>, request_id: String) -> Trace {
    Trace {
        log: Some(Service::Scheduling),
        request_id,
        id: answer.into_inner().booking.unwrap_or_default().id,
        ..Trace::default()
    }
}

/// The case that was made of it, which casework was asked for under a request id of the consultation's own.
fn of_conversion(answer: Response<ConsultationChange>) -> Trace {
    let consultation = answer.into_inner().consultation.unwrap_or_default();
    let conversion = consultation.conversion.unwrap_or_default();
    Trace {
        log: Some(Service::Casework),
        request_id: conversion.request_id,
        id: consultation.id,
        ..Trace::default()
    }
}
