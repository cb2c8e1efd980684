//! The layer.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bangban_kit::{
    access::{Deadline, bearer, too_late},
    identity::{Caller, Verifier},
    link::Link,
};
use http::{Request, Response, header::AUTHORIZATION};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};

use super::{
    Admission,
    body::Streamed,
    class::{self, Class, Rank},
    gate::{Ask, Asked, Gate, Kind},
    permit::{Ended, Permit},
    refused::overloaded,
    waiting::Line,
};

/// When an export that was refused may come again.
const EXPORT_AGAIN: Duration = Duration::from_secs(5);

/// When a feed that was refused may come again.
const FEED_AGAIN: Duration = Duration::from_secs(1);

/// Digits of a region code that name a district (county level; GB/T 2260).
const DISTRICT_DIGITS: usize = 6;

/// The layer: outside of the check of tokens, which is heavier; inside of [`bangban_kit::access::DeadlineLayer`], which says
/// how long a call may wait.
#[derive(Clone, Debug)]
pub struct AdmissionLayer {
    gate: Arc<Gate>,
    verifier: Arc<Verifier>,
}

impl AdmissionLayer {
    /// A layer that takes calls in by `admission`, one for a process, and knows those again whom `verifier` has checked.
    #[must_use]
    pub fn new(admission: &Admission, verifier: Arc<Verifier>) -> Self {
        Self {
            gate: admission.0.clone(),
            verifier,
        }
    }
}

impl<S> tower::Layer<S> for AdmissionLayer {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Admitted<S> {
        Admitted {
            inner,
            layer: self.clone(),
        }
    }
}

/// The layer's service.
#[derive(Clone, Debug)]
pub struct Admitted<S> {
    inner: S,
    layer: AdmissionLayer,
}

impl<S> tower::Service<Request<Body>> for Admitted<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let (class, method) = class::of(request.uri().path());
        let gate = self.layer.gate.clone();
        match class {
            Class::Free => Box::pin(inner.call(request)),
            Class::People(rank) => {
                let ask = self.layer.ask(rank, method, &request);
                Box::pin(async move {
                    let permit = match taken_in(&gate, ask).await {
                        Ok(permit) => permit,
                        Err(refused) => return Ok(refused.into_http()),
                    };
                    let response = inner.call(request).await?;
                    // The handler is done; what is left is sending, and who does not read must not hold a place.
                    permit.end(ended(&response));
                    Ok(response)
                })
            }
            Class::Feed => self.layer.stream(inner, request, Kind::Feed),
            Class::Export => self.layer.stream(inner, request, Kind::Export),
        }
    }
}

impl AdmissionLayer {
    /// Who calls, when this token was checked before and may come this way.
    fn known(&self, request: &Request<Body>) -> Option<Arc<Caller>> {
        let token = bearer(request.headers().get(AUTHORIZATION)).ok()?;
        let caller = self.verifier.remembered(token)?;
        let plain = Link::default();
        let link = request.extensions().get::<Link>().unwrap_or(&plain);
        link.carries(&caller).is_ok().then_some(caller)
    }

    fn ask(&self, rank: Rank, method: Option<usize>, request: &Request<Body>) -> Ask {
        let known = self.known(request);
        let line = match &known {
            Some(caller) => Line::District(
                caller
                    .region
                    .get(..DISTRICT_DIGITS)
                    .unwrap_or(&caller.region)
                    .to_owned(),
            ),
            None if request.headers().contains_key(AUTHORIZATION) => Line::Unknown,
            None => Line::Public,
        };
        // What a service asks on the way was taken in elsewhere: finishing it frees a place there.
        let is_begun = known.is_some_and(|caller| !caller.via.is_empty());
        let deadline = request.extensions().get::<Deadline>();
        Ask {
            rank: if is_begun { Rank::Ongoing } else { rank },
            line,
            method,
            deadline: deadline.map(|deadline| deadline.0),
        }
    }

    fn stream<S>(
        &self,
        mut inner: S,
        request: Request<Body>,
        kind: Kind,
    ) -> <Admitted<S> as tower::Service<Request<Body>>>::Future
    where
        S: tower::Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Send,
    {
        let known = self.known(&request);
        let whose = known.as_ref().map_or("", |caller| {
            if caller.via.is_empty() {
                &caller.subject
            } else {
                &caller.via
            }
        });
        let seat = self.gate.sit(Instant::now(), kind, whose);
        Box::pin(async move {
            let Some(seat) = seat else {
                let pause = match kind {
                    Kind::Feed => FEED_AGAIN,
                    Kind::Export => EXPORT_AGAIN,
                };
                return Ok(Status::from(overloaded(pause)).into_http());
            };
            let response = inner.call(request).await?;
            Ok(response.map(|body| Body::new(Streamed::new(body, seat))))
        })
    }
}

async fn taken_in(gate: &Arc<Gate>, ask: Ask) -> Result<Permit, Status> {
    let deadline = ask.deadline;
    let place = match gate.ask(Instant::now(), ask) {
        Asked::In(permit) => return Ok(permit),
        Asked::Wait(place) => place,
        Asked::TooLate => return Err(too_late().into()),
    };
    match place.wait().await {
        Some(permit) => Ok(permit),
        None if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
            gate.count(|counts| counts.people.too_late += 1);
            Err(too_late().into())
        }
        None => {
            gate.count(|counts| counts.people.refused += 1);
            Err(overloaded(gate.settings.queue).into())
        }
    }
}

fn ended(response: &Response<Body>) -> Ended {
    match Status::from_header_map(response.headers()) {
        None => Ended::Answered,
        Some(status) if status.code() == Code::Ok => Ended::Answered,
        Some(status) if status.code() == Code::DeadlineExceeded => Ended::CutOff,
        Some(_) => Ended::Refused,
    }
}
