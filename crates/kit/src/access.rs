//! The check before every handler: which method, who calls, may they; and the deadline that the caller set.
//!
//! What a method demands stands in the contract ([`bangban_proto::METHODS`]). A path that is in no contract is refused,
//! except health, which orchestrators ask without a token. Handlers find an [`Arc<Caller>`] in the request.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bangban_proto::{
    METHODS, Method,
    bangban::options::v1::{Role, Scope},
};
use http::{HeaderValue, Request, Response};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};

use crate::{
    identity::{Caller, Verifier},
    link::Link,
    refusal::{Kind, Refusal},
};

/// Who calls, by when, and what: how a handler takes a request.
#[must_use]
pub fn taken<T>(request: tonic::Request<T>) -> (Arc<Caller>, Option<Deadline>, T) {
    let caller = request
        .extensions()
        .get::<Arc<Caller>>()
        .cloned()
        .unwrap_or_else(|| Arc::new(Caller::public()));
    let deadline = request.extensions().get::<Deadline>().copied();
    (caller, deadline, request.into_inner())
}

/// Longest deadline that a unary call may ask for; what asks for none gets it.
pub const MAX_DEADLINE: Duration = Duration::from_secs(60);

/// By when the caller wants its answer. In the extensions of every request; calls made on its behalf take it over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

/// Answers whether a region code exists, for tokens that name one.
pub trait Regions: Send + Sync {
    /// Whether the code is in the region tree in force.
    fn exists(
        &self,
        code: String,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>>;
}

/// The layer.
#[derive(Clone)]
pub struct AccessLayer {
    shared: Arc<Shared>,
}

struct Shared {
    methods: HashMap<&'static str, &'static Method>,
    verifier: Arc<Verifier>,
    regions: Arc<dyn Regions>,
}

impl AccessLayer {
    /// A layer that checks tokens with `verifier` and regions with `regions`.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, regions: Arc<dyn Regions>) -> Self {
        let methods = METHODS.iter().map(|m| (m.path, m)).collect();
        Self {
            shared: Arc::new(Shared {
                methods,
                verifier,
                regions,
            }),
        }
    }
}

impl<S> tower::Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// The layer's service.
#[derive(Clone)]
pub struct Access<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> tower::Service<Request<Body>> for Access<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            // The body is not Sync: what admission reads is taken out before it waits.
            let path = request.uri().path().to_owned();
            let authorization = request.headers().get(http::header::AUTHORIZATION).cloned();
            let link = request.extensions().get::<Link>().cloned();
            let link = link.unwrap_or_default();
            match shared.admit(&path, authorization.as_ref(), &link).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                }
                Err(refusal) => return Ok(Status::from(refusal).into_http()),
            }
            let deadline = deadline(&request);
            if let Some(deadline) = deadline {
                request.extensions_mut().insert(Deadline(deadline));
                match tokio::time::timeout_at(deadline, inner.call(request)).await {
                    Ok(answer) => answer.map(explain),
                    Err(_) => Ok(Status::from(too_late()).into_http()),
                }
            } else {
                inner.call(request).await.map(explain)
            }
        })
    }
}

impl Shared {
    async fn admit(
        &self,
        path: &str,
        authorization: Option<&HeaderValue>,
        link: &Link,
    ) -> Result<Arc<Caller>, Refusal> {
        if path.starts_with("/grpc.health.v1.Health/") {
            return Ok(Arc::new(Caller::public()));
        }
        let method = self.methods.get(path);
        if method.is_some_and(|m| m.is_public) {
            return Ok(Arc::new(Caller::public()));
        }
        let caller = self.verifier.caller(bearer(authorization)?)?;
        link.carries(&caller)?;
        let Some(method) = method else {
            // Reflection, and paths that are in no contract: the router behind answers those.
            return Ok(caller);
        };
        if !method
            .roles
            .iter()
            .any(|r| Role::try_from(*r).is_ok_and(|r| caller.has(r)))
        {
            return Err(Refusal::forbidden(
                "ROLE_NOT_ALLOWED",
                "BB-5.2",
                "您的角色不能执行此操作",
                format!("none of your roles may call {path}"),
            ));
        }
        if method.scope == Scope::Installation as i32
            && !caller.region.is_empty()
            && caller.via.is_empty()
        {
            return Err(Refusal::forbidden(
                "SCOPE_TOO_NARROW",
                "BB-1",
                "此操作需要全局权限",
                "this needs authority over the whole installation",
            ));
        }
        if !caller.region.is_empty() && !self.regions.exists(caller.region.clone()).await? {
            return Err(Refusal::new(
                Kind::Unauthenticated,
                "TOKEN_REGION_UNKNOWN",
                "BB-1",
                "令牌中的区划代码不存在，请联系管理员",
                "the token names a region that does not exist: tell the administrator",
            ));
        }
        Ok(caller)
    }
}

/// The token that a request carries.
///
/// # Errors
/// UNAUTHENTICATED when there is none, or in a scheme other than `Bearer`.
pub fn bearer(authorization: Option<&HeaderValue>) -> Result<&str, Refusal> {
    authorization
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            Refusal::new(
                Kind::Unauthenticated,
                "TOKEN_MISSING",
                "",
                "请先登录：请求缺少令牌（authorization: Bearer …）",
                "log in first: the request carries no token (authorization: Bearer …)",
            )
        })
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

/// When the answer is due: what `grpc-timeout` says, a little earlier than tonic would cut the call off, so that the
/// code is honest. Streams have none unless they ask for one.
fn deadline(request: &Request<Body>) -> Option<Instant> {
    let asked = request
        .headers()
        .get("grpc-timeout")
        .and_then(|v| v.to_str().ok())
        .and_then(timeout);
    let is_stream =
        request.uri().path().ends_with("/Tail") || request.uri().path().ends_with("/ExportLedger");
    let budget = match asked {
        Some(asked) if is_stream => asked,
        Some(asked) => asked.min(MAX_DEADLINE),
        None if is_stream || request.uri().path().starts_with("/grpc.") => return None,
        None => MAX_DEADLINE,
    };
    Some(Instant::now() + budget - (budget / 20).min(Duration::from_millis(20)))
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

/// Gives the refusals that the transport makes by itself the same shape as ours.
fn explain(response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    if !headers.contains_key("grpc-status") || headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let Some(status) = Status::from_header_map(headers) else {
        return response;
    };
    let refusal = match status.code() {
        Code::Ok => return response,
        Code::OutOfRange => Refusal::invalid(
            "MESSAGE_TOO_LARGE",
            "",
            "请求内容超过大小限制，请缩短或分次提交",
            format!(
                "the message is over the size limit: shorten it or send it in parts ({})",
                status.message()
            ),
        ),
        Code::Unimplemented => Refusal::not_found(
            "METHOD_UNKNOWN",
            "",
            "没有此接口",
            "there is no such method in this process",
        ),
        Code::Cancelled => too_late(),
        _ => return response,
    };
    Status::from(refusal).into_http()
}

#[cfg(test)]
mod tests {
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
    fn every_method_declares_roles_and_scope_or_is_public() {
        assert!(METHODS.len() > 70);
        for method in METHODS {
            assert!(
                method.is_public || (!method.roles.is_empty() && method.scope != 0),
                "{}",
                method.path
            );
        }
    }
}
