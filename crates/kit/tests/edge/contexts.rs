//! Contexts, by which a service says for whom it calls.

use bangban_kit::identity::{Caller, ContextKey};
use bangban_proto::bangban::options::v1::Role;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::setting::{Setting, clerk, now, setting};

fn good() -> Value {
    json!({
        "iss": "bangban/services", "aud": "bangban/services", "sub": "li-na", "iat": now(), "exp": now() + 60,
        "roles": ["agent"], "region": "330326", "via": "casework",
    })
}

fn but(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = good();
    claims[name] = value.into();
    claims
}

fn signed(s: &Setting, claims: &Value) -> String {
    let key = EncodingKey::from_secret(&s.secret());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("a context")
}

#[test]
fn a_context_names_the_service_and_the_person_behind_it() {
    let s = setting();
    let caller = s.verifier.caller(&s.token(&clerk())).expect("a caller");
    let context = s.context.context("casework", &caller).expect("a context");
    let behind = s.verifier.caller(&context).expect("a caller");
    assert_eq!(
        (behind.subject.as_str(), behind.via.as_str()),
        ("li-na", "casework")
    );
    assert!(behind.has(Role::Service) && behind.has(Role::Agent));
    assert!(s.verifier.caller(&signed(&s, &good())).is_ok());
}

#[test]
fn contexts_that_are_not_for_here_and_now_are_refused() {
    let s = setting();
    for (claims, reason) in [
        (but("exp", now() - 31), "TOKEN_EXPIRED"),
        (but("nbf", now() + 100), "TOKEN_NOT_YET_VALID"),
        (but("exp", now() + 3600), "TOKEN_UNREADABLE"),
        (but("iat", now() + 100), "TOKEN_UNREADABLE"),
        (but("exp", "9999999999"), "TOKEN_UNREADABLE"),
        (but("aud", "elsewhere/services"), "TOKEN_AUDIENCE_WRONG"),
        (but("iss", "https://issuer"), "TOKEN_ISSUER_WRONG"),
        (but("via", ""), "TOKEN_UNREADABLE"),
        (but("roles", json!(["service"])), "TOKEN_ROLE_UNKNOWN"),
        (but("region", "331"), "TOKEN_REGION_UNKNOWN"),
    ] {
        assert_eq!(s.refused(&signed(&s, &claims)), reason, "{claims}");
    }
}

#[test]
fn contexts_under_another_secret_are_refused() {
    let s = setting();
    let other = setting();
    let context = other
        .context
        .context("casework", &Caller::system("casework"))
        .expect("a context");
    assert_eq!(s.refused(&context), "TOKEN_UNREADABLE");
    // The installation's own issuer signs for people, not for services.
    assert_eq!(s.refused(&s.signed(&good())), "TOKEN_ISSUER_WRONG");
}

#[test]
fn the_contexts_of_two_callers_are_never_mixed_up() {
    let s = setting();
    let agent = Caller {
        subject: "li-na".to_owned(),
        roles: vec![Role::Agent],
        ..Caller::public()
    };
    let callers = [
        agent.clone(),
        Caller {
            roles: vec![Role::Agent, Role::Administrator],
            ..agent.clone()
        },
        Caller {
            department: "civil".to_owned(),
            ..agent.clone()
        },
        Caller {
            case: "c1".to_owned(),
            ..agent.clone()
        },
        Caller {
            subject: "li-na|42".to_owned(),
            ..agent.clone()
        },
        Caller {
            region: "42".to_owned(),
            ..agent
        },
    ];
    // Twice: the second time from memory.
    for _ in 0..2 {
        for caller in &callers {
            let context = s.context.context("casework", caller).expect("a context");
            let behind = s.verifier.caller(&context).expect("a caller");
            let expected = Caller {
                via: "casework".to_owned(),
                ..caller.clone()
            };
            assert_eq!(*behind, expected);
        }
    }
}

#[test]
fn a_secret_that_is_none_is_refused_with_its_file() {
    let s = setting();
    for content in ["", "short", "not base64!", "AAAA"] {
        let path = s.file("other.key");
        std::fs::write(&path, content).expect("written");
        let error = ContextKey::open_or_create(&path).expect_err("refused");
        assert!(error.to_string().contains("other.key"), "{error}");
    }
}
