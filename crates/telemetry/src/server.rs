//! Watches the calls that are answered: a layer outside of everything that may refuse one.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::Either;
use http::{Request, Response};
use opentelemetry::context::FutureExt as _;
use tonic::body::Body;

use crate::{
    body,
    call::{Call, Side},
    headers, signals,
};

/// The layer: a span that continues the caller's trace, and `rpc.server.call.duration` with the status wherever it stands.
/// Calls that ask for health are measured, and left out of traces. Where nothing is recorded the caller's trace is kept all
/// the same, or one made up, for log lines and for whoever is called from here.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLayer;

impl<S> tower::Layer<S> for CallLayer {
    type Service = Calls<S>;

    fn layer(&self, inner: S) -> Calls<S> {
        Calls(inner)
    }
}

/// The layer's service.
#[derive(Debug, Clone)]
pub struct Calls<S>(S);

impl<S> tower::Service<Request<Body>> for Calls<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future =
        Either<S::Future, Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let parent = || headers::read(request.headers());
        let begun = Call::begin(signals::get(), Side::Server, request.uri().path(), parent);
        let Some(call) = begun else {
            return Either::Left(self.0.call(request));
        };
        let entered = call.enter();
        let answer = self.0.call(request);
        drop(entered);
        Either::Right(match call.within().cloned() {
            Some(span) => Box::pin(answered(call, answer).with_context(span)),
            None => Box::pin(answered(call, answer)),
        })
    }
}

async fn answered<E>(
    call: Call,
    answer: impl Future<Output = Result<Response<Body>, E>>,
) -> Result<Response<Body>, E> {
    // An error here is a connection that ends: there is no status, and the call counts as cancelled.
    Ok(body::watched(call, answer.await?))
}
