//! Requests, as short as a test can use them.

use bangban_proto::bangban::{
    casework::v1::{
        self as v1, Capacity, ConsentForm, ConsentKind, ModeStep, SignatureForm, SupplyForm,
    },
    directory::v1::Power,
};
use prost_types::Timestamp;

pub fn consenting(kind: ConsentKind) -> v1::RecordConsentRequest {
    v1::RecordConsentRequest {
        kind: kind.into(),
        form: ConsentForm::Written.into(),
        ..Default::default()
    }
}

pub fn take(material: &str, supply: SupplyForm) -> v1::TakeMaterialRequest {
    v1::TakeMaterialRequest {
        material: material.to_owned(),
        supply: supply.into(),
        is_valid: true,
        ..Default::default()
    }
}

pub fn step_request(step: ModeStep) -> v1::RecordModeStepRequest {
    v1::RecordModeStepRequest {
        step: step.into(),
        ..Default::default()
    }
}

pub fn missing(codes: &[&str]) -> v1::ListMissingMaterialsRequest {
    let line = |code: &&str| v1::MissingMaterial {
        code: (*code).to_owned(),
        reason: "not there".to_owned(),
        ..Default::default()
    };
    v1::ListMissingMaterialsRequest {
        materials: codes.iter().map(line).collect(),
        ..Default::default()
    }
}

pub fn correction(act: u64) -> v1::RecordCorrectionRequest {
    v1::RecordCorrectionRequest {
        act,
        ..Default::default()
    }
}

pub fn filing(applicant_signed: bool) -> v1::FileApplicationRequest {
    v1::FileApplicationRequest {
        applicant_signed,
        ..Default::default()
    }
}

pub fn status(number: &str) -> v1::ReportDepartmentStatusRequest {
    v1::ReportDepartmentStatusRequest {
        number: number.to_owned(),
        status: "received".to_owned(),
        ..Default::default()
    }
}

pub fn accepted_at(at: Option<Timestamp>) -> v1::ReportAcceptanceRequest {
    v1::ReportAcceptanceRequest {
        accepted_at: at,
        ..Default::default()
    }
}

/// A decision; a refusal with its reason and the remedies.
pub fn decided_at(
    outcome: v1::DecisionOutcome,
    at: Option<Timestamp>,
) -> v1::ReportDecisionRequest {
    v1::ReportDecisionRequest {
        outcome: outcome.into(),
        decided_at: at,
        reason: "a condition is not met".to_owned(),
        remedies_told: "reconsideration within 60 days".to_owned(),
        ..Default::default()
    }
}

pub fn in_person() -> v1::DeliverResultRequest {
    v1::DeliverResultRequest {
        means: v1::DeliveryMeans::InPerson.into(),
        identity_check: "identity card seen".to_owned(),
        ..Default::default()
    }
}

pub fn draft(powers: &[Power], from: &str, until: &str) -> v1::DraftDelegationRequest {
    v1::DraftDelegationRequest {
        powers: powers.iter().copied().map(i32::from).collect(),
        from: from.to_owned(),
        until: until.to_owned(),
        ..Default::default()
    }
}

/// Signed by the person, by hand.
pub fn sign(number: u32, at: Option<Timestamp>) -> v1::SignDelegationRequest {
    v1::SignDelegationRequest {
        number,
        signature: Some(v1::Signature {
            capacity: Capacity::Self_.into(),
            form: SignatureForm::Handwritten.into(),
            proof: "paper-1".to_owned(),
            signed_at: at,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The document, received at an instant.
pub fn document(at: Option<Timestamp>) -> v1::ReceiveDocumentRequest {
    v1::ReceiveDocumentRequest {
        number: "D-1".to_owned(),
        proof: "receipt-1".to_owned(),
        received_at: at,
        ..Default::default()
    }
}

pub fn correction_notice(at: Option<Timestamp>) -> v1::ReportCorrectionNoticeRequest {
    v1::ReportCorrectionNoticeRequest {
        number: "N-1".to_owned(),
        materials: vec!["identity-card".to_owned()],
        text: "the card is unreadable".to_owned(),
        issued_at: at,
        ..Default::default()
    }
}

pub fn answer(number: &str) -> v1::AnswerCorrectionRequest {
    v1::AnswerCorrectionRequest {
        number: number.to_owned(),
        ..Default::default()
    }
}

pub fn offer(to_agent: &str, to_site: &str, principal_consent: &str) -> v1::OfferHandoverRequest {
    v1::OfferHandoverRequest {
        to_agent: to_agent.to_owned(),
        to_site: to_site.to_owned(),
        principal_consent: principal_consent.to_owned(),
        ..Default::default()
    }
}

pub fn ending(
    end: v1::DelegationEnd,
    continuation: v1::Continuation,
    proof: &str,
) -> v1::EndDelegationRequest {
    v1::EndDelegationRequest {
        end: end.into(),
        continuation: continuation.into(),
        proof: proof.to_owned(),
        reason: "it happened".to_owned(),
        ..Default::default()
    }
}
