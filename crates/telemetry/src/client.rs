//! Watches the calls to other services: a span for a call with all its attempts, `rpc.client.call.duration`, and the trace
//! context in the request's headers.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use futures::future::Either;
use http::{Request, Response};
use opentelemetry::{KeyValue, context::FutureExt as _, trace::TraceContextExt as _};
use tonic::{Code, Status, body::Body, transport};

use crate::{
    body,
    call::{Call, Side},
    headers, signals,
};

/// A call that fails without an answer.
pub trait Failed {
    /// The code that it counts with.
    fn code(&self) -> Code;
}

impl Failed for Status {
    fn code(&self) -> Code {
        Self::code(self)
    }
}

impl Failed for transport::Error {
    fn code(&self) -> Code {
        Code::Unavailable
    }
}

/// A call that is watched.
pub struct Watched(Call);

/// Begins to watch a call, before it is made, to the servers of this name; nothing when nobody listens. The trace that it
/// belongs to is passed on either way.
#[must_use]
pub fn begin(request: &mut Request<Body>, server: Option<Arc<str>>) -> Option<Watched> {
    let signals = signals::get();
    let path = request.uri().path();
    let side = Side::Client(server);
    let call = Call::begin(signals, side, path, opentelemetry::Context::current)?;
    if let Some(within) = call.within() {
        headers::write(request.headers_mut(), within);
    }
    call.is_told().then_some(Watched(call))
}

impl Watched {
    /// Watches the call to the end of its answer.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn watch<E: Failed>(
        self,
        answer: impl Future<Output = Result<Response<Body>, E>>,
    ) -> Result<Response<Body>, E> {
        let Self(mut call) = self;
        let answered = match call.within().cloned() {
            Some(span) => answer.with_context(span).await,
            None => answer.await,
        };
        match answered {
            Ok(answer) => Ok(body::watched(call, answer)),
            Err(error) => {
                call.end(error.code());
                Err(error)
            }
        }
    }
}

/// Tells that the call that is being made is sent again.
pub fn retried(attempt: u32) {
    if let Some(meters) = signals::get().as_ref().and_then(|s| s.meters.as_ref()) {
        meters.retries.fetch_add(1, Ordering::Relaxed);
    }
    opentelemetry::Context::map_current(|cx| {
        let attempt = KeyValue::new("attempt", i64::from(attempt));
        cx.span().add_event("retry", vec![attempt]);
    });
}

/// A channel whose calls are watched.
#[derive(Debug, Clone)]
pub struct Channel<C>(pub C);

impl<C> tower::Service<Request<Body>> for Channel<C>
where
    C: tower::Service<Request<Body>, Response = Response<Body>>,
    C::Future: Send + 'static,
    C::Error: Failed + Send + 'static,
{
    type Response = Response<Body>;
    type Error = C::Error;
    type Future =
        Either<C::Future, Pin<Box<dyn Future<Output = Result<Response<Body>, C::Error>> + Send>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match begin(&mut request, None) {
            None => Either::Left(self.0.call(request)),
            Some(call) => Either::Right(Box::pin(call.watch(self.0.call(request)))),
        }
    }
}
