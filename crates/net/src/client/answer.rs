//! What came of an attempt.

use std::time::Duration;

use http::{HeaderMap, Response, response};
use tonic::{Code, Status, body::Body};

use super::body::Whole;

/// How an attempt ended, when it did not end the call.
pub(super) struct Unanswered {
    pub(super) status: Reply,
    /// Whether it may be sent again, and what that costs.
    pub(super) again: Again,
    /// What the server asks to wait.
    pub(super) pushback: Option<Duration>,
}

/// Whether a call may be sent again.
#[derive(PartialEq, Eq)]
pub(super) enum Again {
    /// It never was sent.
    Unsent,
    /// It may have been; the method is repeatable.
    Repeatable,
    No,
}

/// An answer, of the server or our own.
pub(super) enum Reply {
    Said(Box<Response<Body>>),
    Failed(Status),
}

impl Reply {
    pub(super) fn into_result(self) -> Result<Response<Body>, Status> {
        match self {
            Self::Said(response) => Ok(*response),
            Self::Failed(status) => Err(status),
        }
    }
}

/// What came back from an endpoint.
pub(super) struct Answer {
    pub(super) parts: response::Parts,
    pub(super) read: Whole,
    pub(super) rest: Option<hyper::body::Incoming>,
}

impl Answer {
    /// Where the status stands: in the headers when there is nothing else, in the trailers otherwise.
    pub(super) fn status(&self) -> Option<&HeaderMap> {
        [Some(&self.parts.headers), self.read.trailers.as_ref()]
            .into_iter()
            .flatten()
            .find(|headers| headers.contains_key(Status::GRPC_STATUS))
    }

    /// What tonic's server says when `grpc-timeout` is over (`tonic/src/status.rs`, `TimeoutExpired`): a moment before our
    /// own clock, and under the wrong code.
    pub(super) fn is_timeout(&self) -> bool {
        self.status()
            .and_then(|headers| headers.get(Status::GRPC_MESSAGE))
            .is_some_and(|message| message == "Timeout%20expired")
    }

    /// The status as far as it is known; a stream that goes on has none yet.
    pub(super) fn code(&self) -> Option<Code> {
        let value = self.status()?.get(Status::GRPC_STATUS)?;
        Some(Code::from_bytes(value.as_bytes()))
    }
}
