//! Codes made honest: what went wrong on the way, as a status and as certainty about whether a call was sent.
//!
//! tonic's own mapping calls a timeout CANCELLED, a connection that was closed CANCELLED, and a GOAWAY INTERNAL
//! (`tonic/src/status.rs`, `code_from_h2`, `from_hyper_error`, `find_status_in_source_chain`). Here a deadline is
//! DEADLINE_EXCEEDED and a lost connection UNAVAILABLE. What the server itself said never comes here.

use std::{error::Error, io};

use tonic::{Code, Status};

/// Whether the server can have acted on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Certainly not: any method may be sent again.
    Never,
    /// Perhaps: only what is repeatable may be.
    Perhaps,
}

/// A failure on the way.
#[derive(Debug)]
pub struct Failure {
    /// What the caller is told.
    pub status: Status,
    /// Whether the server can have acted.
    pub sent: Sent,
    /// Whether the connection is to blame, so that the endpoint has to be looked at.
    pub is_connection: bool,
}

impl Failure {
    fn lost(why: &dyn std::fmt::Display, sent: Sent) -> Self {
        Self {
            status: Status::unavailable(format!("the connection was lost ({why}); try again")),
            sent,
            is_connection: true,
        }
    }

    fn of(code: Code, why: &dyn std::fmt::Display) -> Self {
        Self {
            status: Status::new(code, why.to_string()),
            sent: Sent::Perhaps,
            is_connection: false,
        }
    }
}

/// The caller's time is over.
#[must_use]
pub fn deadline() -> Status {
    Status::deadline_exceeded(
        "no answer within the deadline; it may have taken effect: read, or repeat with the same request id",
    )
}

/// What an error means, from anywhere in its chain of sources.
#[must_use]
pub fn failure(error: &(dyn Error + 'static)) -> Failure {
    let mut fallback = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(status) = error.downcast_ref::<Status>() {
            return Failure {
                status: Status::with_details_and_metadata(
                    status.code(),
                    status.message(),
                    status.details().to_vec().into(),
                    status.metadata().clone(),
                ),
                sent: Sent::Perhaps,
                is_connection: false,
            };
        }
        if error.is::<tonic::TimeoutExpired>() {
            return Failure {
                status: deadline(),
                sent: Sent::Perhaps,
                is_connection: false,
            };
        }
        if error.is::<tonic::ConnectError>() {
            return Failure::lost(error, Sent::Never);
        }
        if let Some(h2) = error.downcast_ref::<h2::Error>() {
            return of_h2(h2);
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return of_io(io);
        }
        if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
            // A ping that was not answered (gRPC, keepalive: UNAVAILABLE).
            if hyper.is_timeout() {
                return Failure::lost(hyper, Sent::Perhaps);
            }
            // What h2 says below is more exact; hyper itself does not say whether a cancelled call was sent.
            if hyper.is_canceled() || hyper.is_closed() || hyper.is_incomplete_message() {
                fallback = Some(Failure::lost(hyper, Sent::Perhaps));
            }
        }
        next = error.source();
    }
    fallback.unwrap_or_else(|| Failure::of(Code::Unknown, error))
}

fn of_h2(error: &h2::Error) -> Failure {
    if error.is_go_away() {
        // A stream hears of the peer's GOAWAY only when it is above the last one that the peer took (RFC 9113, 6.8;
        // h2/src/proto/streams/streams.rs, `recv_go_away`). Those below go on, or break with an I/O error.
        let sent = if error.is_remote() {
            Sent::Never
        } else {
            Sent::Perhaps
        };
        return Failure::lost(error, sent);
    }
    if let Some(io) = error.get_io() {
        return of_io(io);
    }
    // "HTTP2 Transport Mapping, Errors" of gRPC.
    match error.reason() {
        Some(h2::Reason::REFUSED_STREAM) => Failure {
            status: Status::unavailable("the server took no more calls; try again"),
            // RFC 9113, 8.7: before any processing.
            sent: if error.is_remote() {
                Sent::Never
            } else {
                Sent::Perhaps
            },
            is_connection: false,
        },
        Some(h2::Reason::CANCEL) => Failure::of(Code::Cancelled, error),
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Failure::of(Code::ResourceExhausted, error),
        Some(h2::Reason::INADEQUATE_SECURITY) => Failure::of(Code::PermissionDenied, error),
        Some(_) => Failure::of(Code::Internal, error),
        None => Failure::of(Code::Unknown, error),
    }
}

fn of_io(error: &io::Error) -> Failure {
    let sent = match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::NotConnected
        | io::ErrorKind::AddrNotAvailable => Sent::Never,
        _ => Sent::Perhaps,
    };
    Failure::lost(error, sent)
}
