//! The check before every handler: which method, who calls, may they. Outside of it stands the caller's deadline.
//!
//! What a method demands stands in the contract ([`bangban_proto::METHODS`]). A path that is in no contract is refused,
//! except health, which orchestrators ask without a token. Handlers find an [`Arc<Caller>`] in the request.

mod deadline;

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bangban_proto::{
    METHODS, Method,
    bangban::options::v1::{Role, Scope},
};
use http::{HeaderValue, Request, Response};
use tonic::{Code, Status, body::Body};

pub use self::deadline::{Bounded, Deadline, DeadlineLayer, MAX_DEADLINE, too_late};
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

/// Answers whether a region code exists, for tokens that name one.
pub trait Regions: Send + Sync {
    /// Whether the code is in the region tree in force; within what the caller has left, where it has to be asked for.
    fn exists(
        &self,
        code: String,
        deadline: Option<Deadline>,
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
            let deadline = request.extensions().get::<Deadline>().copied();
            let admitted = shared.admit(&path, authorization.as_ref(), &link, deadline);
            match admitted.await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                }
                Err(refusal) => return Ok(Status::from(refusal).into_http()),
            }
            inner.call(request).await.map(explain)
        })
    }
}

impl Shared {
    async fn admit(
        &self,
        path: &str,
        authorization: Option<&HeaderValue>,
        link: &Link,
        deadline: Option<Deadline>,
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
        let region = &caller.region;
        if !region.is_empty() && !self.regions.exists(region.clone(), deadline).await? {
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
