//! The access layer: what stands before every handler.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use bangban_kit::{
    access::{AccessLayer, Deadline, Regions},
    identity::Person,
    refusal::{Refusal, reason, sentence},
};
use bangban_proto::{
    METHODS, Method,
    bangban::options::v1::{Role, Scope},
};
use http::{HeaderValue, Request, Response};
use tonic::{Code, Status, body::Body};
use tower::{Layer as _, ServiceExt as _};

use crate::setting::{Setting, clerk, setting};

/// A tree with one region and those above it.
struct One;

impl Regions for One {
    fn exists(
        &self,
        code: String,
        _: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(async move { Ok("330326".starts_with(&code)) })
    }
}

/// What a call is answered; `Ok` when it got to the handler.
async fn call(s: &Arc<Setting>, path: &str, header: Option<HeaderValue>) -> Result<(), Status> {
    let jwks = s.file("jwks.json");
    let verifier = bangban_kit::identity::Verifier::new(
        &jwks,
        crate::setting::ISSUER,
        crate::setting::AUDIENCE,
        s.context.clone(),
    )
    .expect("a verifier");
    let handler = tower::service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let layered = AccessLayer::new(Arc::new(verifier), Arc::new(One)).layer(handler);
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().expect("a path");
    if let Some(header) = header {
        request.headers_mut().insert("authorization", header);
    }
    let Ok(response) = layered.oneshot(request).await;
    match Status::from_header_map(response.headers()) {
        Some(status) => Err(status),
        None => Ok(()),
    }
}

fn method(is_wanted: impl Fn(&Method) -> bool) -> &'static str {
    METHODS.iter().find(|m| is_wanted(m)).expect("one").path
}

fn may(method: &Method, role: Role) -> bool {
    method.roles.contains(&(role as i32))
}

/// The reason, after a look at both sentences and the code.
fn refused(answer: Result<(), Status>, code: Code) -> String {
    let status = answer.expect_err("refused");
    assert_eq!(status.code(), code, "{status:?}");
    let is_chinese = |c: char| ('一'..='鿿').contains(&c);
    assert!(sentence(&status, "zh-CN").chars().any(is_chinese));
    assert!(!sentence(&status, "en").chars().any(is_chinese));
    reason(&status)
}

#[tokio::test]
async fn headers_that_carry_no_token_are_refused() {
    let s = Arc::new(setting());
    let path =
        method(|m| !m.is_public && may(m, Role::Agent) && m.scope != Scope::Installation as i32);
    for header in [
        None,
        Some(HeaderValue::from_static("")),
        Some(HeaderValue::from_static("Bearer")),
        Some(HeaderValue::from_static("Basic bGktbmE6eA==")),
        Some(HeaderValue::from_static("Bearer\tx")),
        Some(HeaderValue::from_bytes("Bearer 令牌".as_bytes()).expect("bytes")),
        Some(HeaderValue::from_bytes(b"Bearer \xff\xfe").expect("bytes")),
    ] {
        let answer = call(&s, path, header.clone()).await;
        assert_eq!(
            refused(answer, Code::Unauthenticated),
            "TOKEN_MISSING",
            "{header:?}"
        );
    }
    for header in ["Bearer ", "Bearer x", "bearer a.b.c", "Bearer Bearer x"] {
        let answer = call(&s, path, Some(HeaderValue::from_static(header))).await;
        assert_eq!(
            refused(answer, Code::Unauthenticated),
            "TOKEN_UNREADABLE",
            "{header:?}"
        );
    }
    let token = s.token(&clerk());
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        let header = HeaderValue::try_from(format!("{scheme} {token}")).expect("a header");
        call(&s, path, Some(header)).await.expect("admitted");
    }
}

#[tokio::test]
async fn who_may_not_is_refused() {
    let s = Arc::new(setting());
    let bearing = |person: &Person| {
        Some(HeaderValue::try_from(format!("Bearer {}", s.token(person))).expect("a header"))
    };
    let agents =
        method(|m| !m.is_public && may(m, Role::Agent) && m.scope != Scope::Installation as i32);
    let others = method(|m| !m.is_public && !may(m, Role::Agent));
    let operators =
        method(|m| !m.is_public && may(m, Role::Operator) && m.scope == Scope::Installation as i32);
    let answer = call(&s, others, bearing(&clerk())).await;
    assert_eq!(refused(answer, Code::PermissionDenied), "ROLE_NOT_ALLOWED");
    let nobody = Person {
        roles: Vec::new(),
        ..clerk()
    };
    let answer = call(&s, agents, bearing(&nobody)).await;
    assert_eq!(refused(answer, Code::PermissionDenied), "ROLE_NOT_ALLOWED");
    let local = Person {
        roles: vec!["operator".to_owned()],
        ..clerk()
    };
    let answer = call(&s, operators, bearing(&local)).await;
    assert_eq!(refused(answer, Code::PermissionDenied), "SCOPE_TOO_NARROW");
    let moved = Person {
        region: "330327".to_owned(),
        ..clerk()
    };
    let answer = call(&s, agents, bearing(&moved)).await;
    assert_eq!(
        refused(answer, Code::Unauthenticated),
        "TOKEN_REGION_UNKNOWN"
    );
    let answer = call(&s, "/nothing.v1.Nothing/Do", None).await;
    assert_eq!(refused(answer, Code::Unauthenticated), "TOKEN_MISSING");
    call(&s, method(|m| m.is_public), None)
        .await
        .expect("public");
    call(&s, "/grpc.health.v1.Health/Check", None)
        .await
        .expect("health");
}
