//! Why a command cannot be done, as a sentence that says what to do next.

use std::{error::Error, fmt};

use bangban_kit::refusal;
use tonic::{Code, Status};

/// The sentence.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A failure with its cause and the causes behind that.
    pub fn of(sentence: &str, cause: &(dyn Error + 'static)) -> Self {
        let mut text = format!("{sentence}: {cause}");
        let mut next = cause.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        Self(text)
    }

    /// What a server answered to `what`, in both languages, with reason and requirement.
    pub fn refused(what: &str, status: &Status) -> Self {
        let (zh, en) = (
            refusal::sentence(status, "zh-CN"),
            refusal::sentence(status, "en"),
        );
        let mut text = format!("{what}: {en}");
        if zh != en {
            text.push_str(&format!(" / {zh}"));
        }
        let (reason, requirement) = (refusal::reason(status), refusal::requirement(status));
        match (reason.is_empty(), requirement.is_empty()) {
            (false, false) => text.push_str(&format!(" [{reason}, {requirement}]")),
            (false, true) => text.push_str(&format!(" [{reason}]")),
            _ => text.push_str(&format!(" [{:?}]", status.code())),
        }
        for field in tonic_fields(status) {
            text.push_str(&format!("\n  {field}"));
        }
        if status.code() == Code::Unavailable && reason.is_empty() {
            text.push_str("\nIs an instance running there? Start one with `bangban run`, or name another --address.");
        } else if reason == "NOT_A_DEMONSTRATION" {
            text.push_str("\nThe walk moves the clock: run it against `bangban run`, never against real service.");
        } else if reason == "TOKEN_KEY_UNKNOWN" {
            text.push_str(
                "\nThe instance trusts another issuer: give its data folder with --data.",
            );
        }
        Self(text)
    }
}

fn tonic_fields(status: &Status) -> Vec<String> {
    use tonic_types::StatusExt as _;
    status
        .get_details_bad_request()
        .map(|bad| {
            bad.field_violations
                .iter()
                .map(|v| format!("{}: {}", v.field, v.description))
                .collect()
        })
        .unwrap_or_default()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
