//! Keys of issuers.

use bangban_kit::identity::{Issuer, Verifier};
use serde_json::{Value, json};

use crate::setting::{AUDIENCE, ISSUER, clerk, setting};

#[test]
fn a_key_set_that_cannot_be_trusted_is_refused_with_its_file() {
    let s = setting();
    let good = s.public_key();
    let but = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        json!({"keys": [key]}).to_string()
    };
    let symmetric = json!({"keys": [{"kty": "oct", "alg": "HS256", "kid": "a", "k": "AAAA"}]});
    let mut nameless = good.clone();
    nameless.as_object_mut().expect("a key").remove("alg");
    for (content, what) in [
        (String::new(), ""),
        ("[]".to_owned(), ""),
        (json!({"keys": []}).to_string(), "empty"),
        (symmetric.to_string(), "symmetric"),
        (json!({"keys": [nameless]}).to_string(), "alg"),
        (but("x", json!("!")), ""),
    ] {
        let path = s.file("other.json");
        std::fs::write(&path, &content).expect("written");
        let error = Verifier::new(&path, ISSUER, AUDIENCE, s.context.clone()).expect_err("refused");
        let error = error.to_string();
        assert!(
            error.contains("other.json") && error.contains(what),
            "{content}: {error}"
        );
    }
    let nowhere = s.file("nowhere.json");
    let error = Verifier::new(&nowhere, ISSUER, AUDIENCE, s.context.clone()).expect_err("refused");
    assert!(error.to_string().contains("nowhere.json"), "{error}");
}

#[test]
fn the_issuer_knows_the_name_of_its_key_without_reading_it_again() {
    let s = setting();
    let kid = s.kid();
    let set = s.file("jwks.json");
    std::fs::remove_file(&set).expect("removed");
    let header = jsonwebtoken::decode_header(s.token(&clerk())).expect("a header");
    assert_eq!(header.kid, Some(kid));
    assert!(s.verifier.caller(&s.token(&clerk())).is_ok());
}

#[test]
fn the_issuer_finds_its_own_key_among_others_and_refuses_a_set_without_it() {
    let s = setting();
    let stranger = setting().public_key();
    let open = |keys: Value| {
        std::fs::write(s.file("jwks.json"), json!({"keys": keys}).to_string()).expect("written");
        Issuer::open_or_create(
            &s.file("issuer.key"),
            &s.file("jwks.json"),
            ISSUER,
            AUDIENCE,
        )
    };
    let own = s.public_key();
    let issuer = open(json!([stranger, own])).expect("an issuer");
    let hour = std::time::Duration::from_secs(3600);
    let token = issuer
        .token(&s.file("jwks.json"), &clerk(), hour)
        .expect("a token");
    assert!(s.verifier.caller(&token).is_ok());
    let error = open(json!([stranger])).expect_err("refused").to_string();
    assert!(
        error.contains("jwks.json") && error.contains("issuer.key"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_secrets() {
    use std::os::unix::fs::PermissionsExt as _;
    let s = setting();
    for name in ["issuer.key", "context.key"] {
        let mode = std::fs::metadata(s.file(name))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}
