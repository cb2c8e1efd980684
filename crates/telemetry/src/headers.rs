//! The W3C trace context in the headers of a call. Baggage is neither read nor sent on: nobody knows what is in it.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::{SpanContext, TraceContextExt as _, TraceFlags, TraceState},
};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{IdGenerator as _, RandomIdGenerator},
};

struct Read<'a>(&'a HeaderMap);

impl Extractor for Read<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Write<'a>(&'a mut HeaderMap);

impl Injector for Write<'_> {
    fn set(&mut self, key: &str, value: String) {
        let pair = (key.parse::<HeaderName>(), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = pair {
            self.0.insert(name, value);
        }
    }
}

/// The caller's span, if it has one.
pub(crate) fn read(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Read(headers))
}

/// A context that log lines can name where nothing is recorded here: the caller's, or a new one. It says that it may be
/// recorded, so that whoever is called decides as if the trace began there.
pub(crate) fn known(caller: Context) -> Context {
    if caller.has_active_span() {
        return caller;
    }
    let ids = RandomIdGenerator::default();
    let (trace, span) = (ids.new_trace_id(), ids.new_span_id());
    let flags = TraceFlags::SAMPLED;
    caller.with_remote_span_context(SpanContext::new(trace, span, flags, true, TraceState::NONE))
}

/// Tells who is called which span calls.
pub(crate) fn write(headers: &mut HeaderMap, context: &Context) {
    TraceContextPropagator::new().inject_context(context, &mut Write(headers));
}
