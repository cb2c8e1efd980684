//! What is wrong is refused: the field or the requirement is named in both languages, and nothing is written.

mod codes;
mod files;
mod order;
mod outside;
mod reports;
mod stale;
mod texts;
mod tokens;

use bangban_proto::bangban::{
    casework::v1::MissingMaterial,
    directory::v1::{DocumentKind, RegisterApplicantRequest},
};
use bangban_tests::{World, refusals::speechless, request_id};
use prost_types::Timestamp;
use tonic::{Code, Status};

const INVALID: Code = Code::InvalidArgument;
const PRECONDITION: Code = Code::FailedPrecondition;
const NOT_FOUND: Code = Code::NotFound;
const UNAUTHENTICATED: Code = Code::Unauthenticated;

/// Digits that changed their places.
fn swapped(text: &str, at: usize) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    // The next that is another: two of the same, side by side, would change nothing.
    let other = chars[at..].iter().position(|c| *c != chars[at]);
    chars.swap(at, at + other.expect("another character"));
    chars.into_iter().collect()
}

fn somebody(world: &World) -> RegisterApplicantRequest {
    RegisterApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        name: "张建国".to_owned(),
        document_kind: DocumentKind::ResidentId.into(),
        document: "11010519491231002X".to_owned(),
        telephone: "13900000000".to_owned(),
        ..RegisterApplicantRequest::default()
    }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn missing(code: &str) -> MissingMaterial {
    MissingMaterial {
        code: code.to_owned(),
        reason: "未带".to_owned(),
        ..MissingMaterial::default()
    }
}

/// A refusal that blames the caller, in both languages.
fn blames_the_caller(what: &str, status: &Status) {
    assert!(
        matches!(
            status.code(),
            INVALID | PRECONDITION | NOT_FOUND | Code::AlreadyExists | Code::PermissionDenied
        ),
        "{what}: {status:?}"
    );
    assert_eq!(speechless(status), None, "{what}");
}

fn bureau() -> String {
    "秭归县民政局".to_owned()
}
