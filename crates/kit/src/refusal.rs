//! A refusal: what was asked cannot be done, by which requirement, and what to do instead.
//!
//! Domains return it; on the wire it is a gRPC status with `google.rpc` details: one `ErrorInfo` whose metadata
//! names the requirement, a sentence in Chinese and one in English, the fields where there are any.

use std::{collections::HashMap, time::Duration};

use bangban_proto::codec::{ERROR_DOMAIN, MAX_VIOLATIONS};
use tonic::{Code, Status};
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, FieldViolation, LocalizedMessage, RetryInfo, StatusExt as _,
};

/// Longest sentence that goes into a detail, in characters: with everything else under 6 KB.
const MAX_SENTENCE: usize = 500;

/// Longest description of a field, in characters.
const MAX_DESCRIPTION: usize = 60;

/// Why something is refused, in the terms of gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was sent is wrong in itself.
    Invalid,
    /// Nobody could be identified.
    Unauthenticated,
    /// Somebody was, and may not.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// It is there already.
    Exists,
    /// Not in this state of things.
    Precondition,
    /// Somebody else was faster: read again.
    Stale,
    /// Too much, or too often.
    Exhausted,
    /// Not now: try again.
    Unavailable,
    /// Not done by when the caller wanted it.
    TooLate,
    /// Our own fault.
    Internal,
}

impl Kind {
    fn code(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::NotFound => Code::NotFound,
            Self::Exists => Code::AlreadyExists,
            Self::Precondition => Code::FailedPrecondition,
            Self::Stale => Code::Aborted,
            Self::Exhausted => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::TooLate => Code::DeadlineExceeded,
            Self::Internal => Code::Internal,
        }
    }
}

/// A refusal with its requirement, a stable reason and a sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} ({requirement}): {en}")]
pub struct Refusal {
    /// Why, in the terms of gRPC.
    pub kind: Kind,
    /// Stable, upper snake case.
    pub reason: &'static str,
    /// The requirement that is enforced, for example `BB-10.2.2.1`; empty for what is not of the domain.
    pub requirement: &'static str,
    /// A sentence that a clerk understands.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Fields with what is wrong about them.
    pub fields: Vec<(String, String)>,
    /// When to try again, where that helps.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(
        kind: Kind,
        reason: &'static str,
        requirement: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            reason,
            requirement,
            zh: zh.into(),
            en: en.into(),
            fields: Vec::new(),
            retry_after: None,
        }
    }

    /// What was sent is wrong in itself.
    pub fn invalid(
        reason: &'static str,
        requirement: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Kind::Invalid, reason, requirement, zh, en)
    }

    /// Not in this state of things.
    pub fn precondition(
        reason: &'static str,
        requirement: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Kind::Precondition, reason, requirement, zh, en)
    }

    /// The caller may not.
    pub fn forbidden(
        reason: &'static str,
        requirement: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Kind::Forbidden, reason, requirement, zh, en)
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn not_found(
        reason: &'static str,
        requirement: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Kind::NotFound, reason, requirement, zh, en)
    }

    /// It is there already.
    pub fn exists(
        reason: &'static str,
        requirement: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Kind::Exists, reason, requirement, zh, en)
    }

    /// Our own fault. What happened goes into the log, not to the caller.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        tracing::error!(%what, "internal error");
        Self::new(
            Kind::Internal,
            "INTERNAL",
            "",
            "系统内部错误，请稍后重试；若仍出现请联系管理员",
            "an internal error: try again, and tell the operator if it stays",
        )
    }

    /// Names a field and what is wrong about it.
    #[must_use]
    pub fn field(mut self, path: impl Into<String>, what: impl Into<String>) -> Self {
        self.fields.push((path.into(), what.into()));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most).chain("…".chars()).collect()
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let mut metadata = HashMap::new();
        if !refusal.requirement.is_empty() {
            metadata.insert("requirement".to_owned(), refusal.requirement.to_owned());
        }
        let mut details = vec![
            ErrorDetail::ErrorInfo(ErrorInfo::new(refusal.reason, ERROR_DOMAIN, metadata)),
            ErrorDetail::LocalizedMessage(LocalizedMessage::new(
                "zh-CN",
                short(&refusal.zh, MAX_SENTENCE),
            )),
            ErrorDetail::LocalizedMessage(LocalizedMessage::new(
                "en",
                short(&refusal.en, MAX_SENTENCE),
            )),
        ];
        if !refusal.fields.is_empty() {
            let fields = refusal.fields.iter().take(MAX_VIOLATIONS);
            details.push(ErrorDetail::BadRequest(BadRequest::new(
                fields
                    .map(|(path, what)| FieldViolation::new(path, short(what, MAX_DESCRIPTION)))
                    .collect::<Vec<_>>(),
            )));
        }
        if let Some(after) = refusal.retry_after {
            details.push(ErrorDetail::RetryInfo(RetryInfo::new(Some(after))));
        }
        Status::with_error_details_vec(
            refusal.kind.code(),
            short(&refusal.en, MAX_SENTENCE),
            details,
        )
    }
}

/// The reason of a refusal that came over the wire; empty when it carries none.
#[must_use]
pub fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// The sentence of a refusal that came over the wire, in this language (`zh-CN`, `en`).
#[must_use]
pub fn sentence(status: &Status, language: &str) -> String {
    status
        .get_error_details_vec()
        .into_iter()
        .find_map(|detail| match detail {
            ErrorDetail::LocalizedMessage(m) if m.locale == language => Some(m.message),
            _ => None,
        })
        .unwrap_or_else(|| status.message().to_owned())
}

/// The requirement that a refusal cites; empty when it cites none.
#[must_use]
pub fn requirement(status: &Status) -> String {
    status
        .get_details_error_info()
        .and_then(|info| info.metadata.get("requirement").cloned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_reason_requirement_and_both_sentences_over_the_wire() {
        let status = Status::from(
            Refusal::precondition(
                "NOTICE_MISSING",
                "BB-4.4a",
                "请先一次性告知",
                "give the notice first",
            )
            .field("case", "no notice yet"),
        );
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(reason(&status), "NOTICE_MISSING");
        assert_eq!(requirement(&status), "BB-4.4a");
        assert_eq!(sentence(&status, "zh-CN"), "请先一次性告知");
        assert_eq!(sentence(&status, "en"), "give the notice first");
    }

    #[test]
    fn details_stay_under_six_kilobytes_whatever_is_refused() {
        let long = "长".repeat(5000);
        let mut refusal = Refusal::invalid("X", "BB-8d", long.clone(), long.clone());
        for n in 0..100 {
            refusal = refusal.field(format!("materials[{n}].code"), "unknown to the item");
        }
        let status = Status::from(refusal);
        assert!(
            status.details().len() < 6 * 1024,
            "{}",
            status.details().len()
        );
    }
}
