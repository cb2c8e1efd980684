//! One call, from its beginning to its status, as a span and a measurement.

use std::{sync::Arc, time::Instant};

use http::HeaderMap;
use opentelemetry::{
    Context, ContextGuard, KeyValue,
    trace::{SpanKind, Status as Outcome, TraceContextExt as _, Tracer as _},
};
use tonic::{Code, Status};

use crate::{methods, signals::Signals};

/// Who we are in the call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// We are called.
    Server,
    /// We call.
    Client,
}

/// A call on its way. One that is dropped before its status is known was cancelled.
pub(crate) struct Call {
    side: Side,
    method: &'static str,
    started: Instant,
    signals: Arc<Signals>,
    span: Option<Context>,
    is_ended: bool,
}

impl Call {
    /// Begins; nothing when nobody listens. `parent` is asked for when traces are recorded.
    pub(crate) fn begin(
        signals: Option<Arc<Signals>>,
        side: Side,
        path: &str,
        parent: impl FnOnce() -> Context,
    ) -> Option<Self> {
        let signals = signals?;
        let method = methods::name(path);
        let tracer = signals.tracer.as_ref();
        let span = tracer.filter(|_| !methods::is_health(path)).map(|tracer| {
            let parent = parent();
            // An unknown method gives no name: the conventions have that of the system instead.
            let name = if method == methods::OTHER {
                "grpc"
            } else {
                method
            };
            let kind = match side {
                Side::Server => SpanKind::Server,
                Side::Client => SpanKind::Client,
            };
            let span = tracer
                .span_builder(name)
                .with_kind(kind)
                .with_attributes([system(), KeyValue::new("rpc.method", method)])
                .start_with_context(tracer, &parent);
            parent.with_span(span)
        });
        Some(Self {
            side,
            method,
            started: Instant::now(),
            signals,
            span,
            is_ended: false,
        })
    }

    /// Its span.
    pub(crate) fn span(&self) -> Option<&Context> {
        self.span.as_ref()
    }

    /// Makes its span the current one, for as long as the guard lives.
    pub(crate) fn enter(&self) -> Option<ContextGuard> {
        self.span.clone().map(Context::attach)
    }

    /// Ends with the status in these headers or trailers, if there is one.
    pub(crate) fn end_with(&mut self, headers: &HeaderMap) -> bool {
        let status = headers.get(Status::GRPC_STATUS);
        if let Some(status) = status {
            self.end(Code::from_bytes(status.as_bytes()));
        }
        status.is_some()
    }

    /// Ends with a status; the first one counts.
    pub(crate) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.is_ended, true) {
            return;
        }
        let name = name(code);
        let is_error = match self.side {
            Side::Server => is_our_fault(code),
            Side::Client => code != Code::Ok,
        };
        if let Some(meters) = &self.signals.meters {
            let duration = match self.side {
                Side::Server => &meters.served,
                Side::Client => &meters.called,
            };
            let attributes = [
                system(),
                KeyValue::new("rpc.method", self.method),
                KeyValue::new("rpc.response.status_code", name),
                KeyValue::new("error.type", name),
            ];
            let all = if is_error { 4 } else { 3 };
            duration.record(self.started.elapsed().as_secs_f64(), &attributes[..all]);
        }
        if let Some(span) = &self.span {
            let span = span.span();
            span.set_attribute(KeyValue::new("rpc.response.status_code", name));
            if is_error {
                span.set_attribute(KeyValue::new("error.type", name));
                // The code alone: a message is written for people, about people.
                span.set_status(Outcome::error(name));
            }
            span.end();
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

fn system() -> KeyValue {
    KeyValue::new("rpc.system.name", "grpc")
}

/// Whether a status is the server's failure and not the caller's, as the conventions divide them.
fn is_our_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// A code as gRPC writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
