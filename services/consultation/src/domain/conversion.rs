//! A consultation becomes a case: meant first, then asked of casework, then acknowledged (BB-4.2a).
//!
//! Whoever goes on after a break asks with the same request id in the name of the same agent, so there is one case
//! however often it is asked for.

use bangban_kit::{
    identity::Caller,
    refusal::{Kind, Refusal},
};
use bangban_proto::bangban::{
    casework::v1::OpenCaseRequest,
    consultation::v1::{
        Consultation, ConsultationState, Conversion, ConversionAcknowledged, ConversionRefused,
        ConversionStarted, ConvertConsultationRequest,
    },
    options::v1::Role,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    Act, Outside,
    outside::{in_state, not_published},
    referral::anonymous,
};

/// Longest reason of a refusal that is put on record, in characters.
const MAX_REASON: usize = 300;

/// The request id under which casework is asked: it follows from the consultation alone.
#[must_use]
pub fn request_id(consultation: &str) -> String {
    let name = format!("consultations/{consultation}/case");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// Means to open a case. The applicant may have been answered before.
///
/// # Errors
/// OUT_OF_ORDER; ANONYMOUS_NOT_POSSIBLE (BB-10.1.1c) without an applicant; ITEM_NOT_PUBLISHED (BB-7.2) without an item.
pub fn start(
    consultation: &Consultation,
    request: &ConvertConsultationRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        consultation,
        &[
            ConsultationState::Open,
            ConsultationState::Referred,
            ConsultationState::Answered,
        ],
        "咨询已结束，不能转为办件",
        "the consultation has ended: no case can be made of it",
    )?;
    let given = |given: &str, known: &str| if given.is_empty() { known } else { given }.to_owned();
    let applicant = given(&request.applicant, &consultation.applicant);
    if applicant.is_empty() {
        return Err(anonymous(
            "匿名咨询不能转为办件；请指明服务对象",
            "a case has an applicant: name one",
        ));
    }
    let item = given(&request.item, &consultation.item);
    if item.is_empty() {
        return Err(not_published(""));
    }
    Ok(vec![Act::ConversionStarted(ConversionStarted {
        conversion: Some(Conversion {
            request_id: request_id(&consultation.id),
            agent: consultation.agent.clone(),
            item,
            applicant,
            mode: request.mode,
            started_at: outside.at(),
            ..Conversion::default()
        }),
    })])
}

/// What casework is asked, always the same for one conversion; none for a consultation that is not being converted.
#[must_use]
pub fn request(consultation: &Consultation) -> Option<OpenCaseRequest> {
    let conversion = consultation.conversion.as_ref()?;
    Some(OpenCaseRequest {
        district: consultation.district.clone(),
        request_id: conversion.request_id.clone(),
        after: String::new(),
        applicant: conversion.applicant.clone(),
        item: conversion.item.clone(),
        site: consultation.site.clone(),
        channel: consultation.channel,
        mode: conversion.mode,
        kind: consultation.kind,
        consultation: consultation.id.clone(),
    })
}

/// In whose name casework is asked: the recorded agent, with the authority of the site.
#[must_use]
pub fn agent(consultation: &Consultation) -> Caller {
    let conversion = consultation.conversion.as_ref();
    Caller {
        subject: conversion.map_or_else(String::new, |c| c.agent.clone()),
        roles: vec![Role::Agent],
        region: consultation.region.clone(),
        site: consultation.site.clone(),
        department: String::new(),
        case: String::new(),
        via: String::new(),
    }
}

/// The case is there: its agent is responsible for it from now on. None when that is on record. A case that was opened
/// is never left out, whatever the consultation has become meanwhile.
#[must_use]
pub fn acknowledge(consultation: &Consultation, case: &str, receipt: &str) -> Option<Act> {
    let is_new = consultation.state() != ConsultationState::Converted;
    is_new.then(|| {
        Act::ConversionAcknowledged(ConversionAcknowledged {
            case: case.to_owned(),
            receipt: receipt.to_owned(),
        })
    })
}

/// Casework refused this very attempt: the giver is responsible as before. None when it is settled already.
#[must_use]
pub fn refuse(consultation: &Consultation, asked: &Conversion, reason: &str) -> Option<Act> {
    let is_this = consultation.state() == ConsultationState::Converting
        && consultation.conversion.as_ref() == Some(asked);
    is_this.then(|| {
        Act::ConversionRefused(ConversionRefused {
            reason: reason.chars().take(MAX_REASON).collect(),
        })
    })
}

/// Whether casework has said no, rather than nothing. A process without casework says nothing.
#[must_use]
pub fn is_refusal(status: &Status) -> bool {
    let reason = bangban_kit::refusal::reason(status);
    let is_definite = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
    );
    is_definite && !reason.is_empty() && reason != "METHOD_UNKNOWN"
}

/// CASEWORK_UNAVAILABLE (BB-4.2a): the conversion stands, and is gone on with.
#[must_use]
pub fn waiting() -> Refusal {
    Refusal::new(
        Kind::Unavailable,
        "CASEWORK_UNAVAILABLE",
        "BB-4.2a",
        "暂时无法建立办件；系统会自动继续，办件建立前仍由您负责",
        "casework cannot be asked at the moment: it is asked again by itself, and you are responsible until then",
    )
    .retry_after(std::time::Duration::from_secs(2))
}
