//! One call, from its beginning to its status, as a span and a measurement, or without either as what its log lines name.

use std::{sync::Arc, time::Instant};

use http::HeaderMap;
use opentelemetry::{
    Context, ContextGuard, KeyValue,
    trace::{SpanKind, Status as Outcome, TraceContextExt as _, Tracer as _},
};
use tonic::{Code, Status};

use crate::{headers, methods, signals::Signals};

/// Who we are in the call.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Side {
    /// We are called.
    Server,
    /// We call, where known whom.
    Client(Option<Arc<str>>),
}

/// A call on its way. One that is dropped before its status is known was cancelled.
pub(crate) struct Call {
    side: Side,
    method: &'static str,
    started: Instant,
    signals: Option<Arc<Signals>>,
    /// Its span; where nobody records, that of who calls.
    within: Option<Context>,
    is_ours: bool,
    is_ended: bool,
}

impl Call {
    /// Begins; nothing when nobody listens and no log line can belong to it. `parent` is asked for unless the call asks
    /// for health.
    pub(crate) fn begin(
        signals: Option<Arc<Signals>>,
        side: Side,
        path: &str,
        parent: impl FnOnce() -> Context,
    ) -> Option<Self> {
        let method = methods::name(path);
        let parent = (!methods::is_health(path)).then(parent);
        let tracer = signals.as_ref().and_then(|s| s.tracer.as_ref());
        let is_ours = tracer.is_some() && parent.is_some();
        let within = match (parent, tracer) {
            (None, _) => None,
            (Some(parent), Some(tracer)) => {
                // An unknown method gives no name: the conventions have that of the system instead.
                let name = if method == methods::OTHER {
                    "grpc"
                } else {
                    method
                };
                let mut attributes = vec![system(), KeyValue::new("rpc.method", method)];
                if method == methods::OTHER {
                    let original = methods::original(path);
                    attributes.push(KeyValue::new("rpc.method_original", original));
                }
                attributes.extend(side.server());
                let kind = match side {
                    Side::Server => SpanKind::Server,
                    Side::Client(_) => SpanKind::Client,
                };
                let span = tracer
                    .span_builder(name)
                    .with_kind(kind)
                    .with_attributes(attributes)
                    .start_with_context(tracer, &parent);
                Some(parent.with_span(span))
            }
            (Some(parent), None) => match side {
                Side::Server => Some(headers::known(parent)),
                Side::Client(_) => parent.has_active_span().then_some(parent),
            },
        };
        (signals.is_some() || within.is_some()).then(|| Self {
            side,
            method,
            started: Instant::now(),
            signals,
            within,
            is_ours,
            is_ended: false,
        })
    }

    /// The span that what happens in it belongs to.
    pub(crate) fn within(&self) -> Option<&Context> {
        self.within.as_ref()
    }

    /// Whether anything is told of it when it ends.
    pub(crate) fn is_told(&self) -> bool {
        self.signals.is_some()
    }

    /// Makes its span the current one, for as long as the guard lives.
    pub(crate) fn enter(&self) -> Option<ContextGuard> {
        self.within.clone().map(Context::attach)
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
            Side::Client(_) => code != Code::Ok,
        };
        if let Some(meters) = self.signals.as_ref().and_then(|s| s.meters.as_ref()) {
            let duration = match self.side {
                Side::Server => &meters.served,
                Side::Client(_) => &meters.called,
            };
            let mut attributes = vec![
                system(),
                KeyValue::new("rpc.method", self.method),
                KeyValue::new("rpc.response.status_code", name),
            ];
            attributes.extend(self.side.server());
            if is_error {
                attributes.push(KeyValue::new("error.type", name));
            }
            duration.record(self.started.elapsed().as_secs_f64(), &attributes);
        }
        if let Some(within) = self.within.as_ref().filter(|_| self.is_ours) {
            let span = within.span();
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

impl Side {
    /// Which group of servers is called, by the name of their service.
    fn server(&self) -> Option<KeyValue> {
        match self {
            Self::Client(Some(server)) => Some(KeyValue::new("server.address", server.clone())),
            _ => None,
        }
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
