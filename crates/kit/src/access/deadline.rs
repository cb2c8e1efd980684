//! By when a call has to be answered: counted from its arrival, before it waits for anything, and over everything.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bangban_proto::Method;
use http::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body};

use crate::refusal::{Kind, Refusal};

/// Longest deadline that a unary call may ask for; what asks for none gets it.
pub const MAX_DEADLINE: Duration = Duration::from_secs(60);

/// How much earlier than the caller's own clock, and than tonic's, which would say CANCELLED: a twentieth of what the
/// caller gave, and no more than this.
const EARLIER: Duration = Duration::from_millis(20);

/// By when the caller wants its answer. In the extensions of every request; calls made on its behalf take it over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// What is left of it.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// What is told to those whose time is over, or cannot suffice.
#[must_use]
pub fn too_late() -> Refusal {
    Refusal::new(
        Kind::TooLate,
        "DEADLINE_EXCEEDED",
        "",
        "未能在期限内完成，请重试（同一请求号不会重复办理）",
        "not done within the deadline: try again with the same request id, nothing happens twice",
    )
}

/// The layer that notes the deadline of each call and answers when it has passed. Outside of everything that a call may
/// wait for, so that waiting is part of its time, and what passes there is DEADLINE_EXCEEDED on the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeadlineLayer;

impl<S> tower::Layer<S> for DeadlineLayer {
    type Service = Bounded<S>;

    fn layer(&self, inner: S) -> Bounded<S> {
        Bounded(inner)
    }
}

/// The layer's service.
#[derive(Debug, Clone)]
pub struct Bounded<S>(S);

impl<S> tower::Service<Request<Body>> for Bounded<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(budget) = budget(&request) else {
            return Box::pin(self.0.call(request));
        };
        let deadline = Instant::now() + budget - (budget / 20).min(EARLIER);
        request.extensions_mut().insert(Deadline(deadline));
        let answer = self.0.call(request);
        Box::pin(async move {
            match timeout_at(deadline, answer).await {
                Ok(answer) => answer,
                Err(_) => Ok(Status::from(too_late()).into_http()),
            }
        })
    }
}

/// How long the answer may take, for a stream its beginning: what `grpc-timeout` says. Streams, and what is not ours, have
/// no bound unless they ask for one.
fn budget(request: &Request<Body>) -> Option<Duration> {
    let path = request.uri().path();
    let asked = request
        .headers()
        .get("grpc-timeout")
        .and_then(|v| v.to_str().ok())
        .and_then(timeout);
    let is_stream = Method::at(path).is_some_and(|method| method.is_stream);
    match asked {
        Some(asked) if is_stream => Some(asked),
        Some(asked) => Some(asked.min(MAX_DEADLINE)),
        None if is_stream || path.starts_with("/grpc.") => None,
        None => Some(MAX_DEADLINE),
    }
}

/// The value of `grpc-timeout`: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use bangban_proto::METHODS;

    use super::*;

    #[test]
    fn grpc_timeouts_are_read_in_every_unit() {
        assert_eq!(timeout("5S"), Some(Duration::from_secs(5)));
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("1H"), Some(Duration::from_secs(3600)));
        for wrong in ["", "S", "5", "5x", "123456789S", "-1S"] {
            assert_eq!(timeout(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn streams_alone_may_go_on_for_ever() {
        let of = |path: &str, given: Option<&str>| {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = path.parse().expect("a path");
            if let Some(given) = given {
                let given = given.parse().expect("a header");
                request.headers_mut().insert("grpc-timeout", given);
            }
            budget(&request)
        };
        for method in METHODS {
            let most = Some(MAX_DEADLINE).filter(|_| !method.is_stream);
            assert_eq!(of(method.path, None), most, "{}", method.path);
            let long = of(method.path, Some("2H"));
            assert_eq!(long.is_some_and(|l| l > MAX_DEADLINE), method.is_stream);
        }
        assert_eq!(of("/grpc.health.v1.Health/Watch", None), None);
        assert_eq!(of("/nobody.Knows/This", None), Some(MAX_DEADLINE));
    }
}
