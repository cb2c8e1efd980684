//! Tokens of people.

use bangban_kit::identity::{MAX_TOKEN_SECONDS, Person};
use bangban_proto::bangban::options::v1::Role;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use crate::setting::{AUDIENCE, but, clerk, good, now, setting, without};

#[test]
fn a_token_of_the_issuer_tells_who_calls() {
    let s = setting();
    let token = s.token(&clerk());
    let caller = s.verifier.caller(&token).expect("a caller");
    assert_eq!(caller.subject, "li-na");
    assert_eq!(
        (caller.region.as_str(), caller.site.as_str()),
        ("330326", "station-1")
    );
    assert!(caller.has(Role::Agent) && !caller.has(Role::Service) && !caller.has(Role::Operator));
    assert_eq!(s.verifier.caller(&token).expect("remembered"), caller);
}

#[test]
fn tokens_that_a_real_issuer_may_send_are_accepted() {
    let s = setting();
    for (what, claims) in [
        ("as ours", good()),
        (
            "several audiences",
            but("aud", json!(["account", AUDIENCE])),
        ),
        ("valid since a while", but("nbf", now() - 100)),
        ("a clock that is ahead of ours", but("nbf", now() + 10)),
        ("a clock that is behind ours", but("exp", now() - 10)),
        ("claims that we do not know", but("acr", "2")),
        ("the whole country, said so", but("region", "")),
    ] {
        let caller = s.verifier.caller(&s.signed(&claims));
        assert_eq!(caller.expect(what).subject, "li-na");
    }
}

#[test]
fn times_are_checked() {
    let s = setting();
    for (claims, reason) in [
        (but("exp", now() - 31), "TOKEN_EXPIRED"),
        (but("exp", 0), "TOKEN_EXPIRED"),
        (but("nbf", now() + 100), "TOKEN_NOT_YET_VALID"),
        (but("iat", now() + 100), "TOKEN_NOT_YET_VALID"),
        (
            but("exp", now() + MAX_TOKEN_SECONDS + 5),
            "TOKEN_LIFE_TOO_LONG",
        ),
        (but("exp", u64::MAX), "TOKEN_LIFE_TOO_LONG"),
        (but("iat", 0), "TOKEN_LIFE_TOO_LONG"),
        // Of a wrong type: not taken for absent.
        (but("exp", "9999999999"), "TOKEN_UNREADABLE"),
        (but("exp", json!([1])), "TOKEN_UNREADABLE"),
        (but("exp", -1), "TOKEN_UNREADABLE"),
        (but("nbf", "9999999999"), "TOKEN_UNREADABLE"),
        (but("iat", json!({})), "TOKEN_UNREADABLE"),
    ] {
        assert_eq!(s.refused(&s.signed(&claims)), reason, "{claims}");
    }
}

#[test]
fn who_signed_for_whom_is_checked() {
    let s = setting();
    for (claims, reason) in [
        (but("iss", "https://elsewhere"), "TOKEN_ISSUER_WRONG"),
        (but("iss", "https://issuer/"), "TOKEN_ISSUER_WRONG"),
        (but("iss", ""), "TOKEN_ISSUER_WRONG"),
        (but("aud", "elsewhere"), "TOKEN_AUDIENCE_WRONG"),
        (
            but("aud", json!(["elsewhere", "account"])),
            "TOKEN_AUDIENCE_WRONG",
        ),
        (but("aud", json!([])), "TOKEN_AUDIENCE_WRONG"),
        // Only the context of a service may say this.
        (but("via", "casework"), "TOKEN_UNREADABLE"),
    ] {
        assert_eq!(s.refused(&s.signed(&claims)), reason, "{claims}");
    }
}

#[test]
fn what_is_missing_is_not_taken_for_everything() {
    let s = setting();
    for name in ["iss", "aud", "sub", "iat", "exp", "roles", "region"] {
        let token = s.signed(&without(name));
        assert_eq!(s.refused(&token), "TOKEN_INCOMPLETE", "{name}");
    }
    for claims in [
        but("roles", "agent"),
        but("roles", json!([1])),
        but("region", 330_326),
        but("region", json!(null)),
        but("sub", json!(null)),
        json!([]),
        json!("li-na"),
    ] {
        assert_eq!(
            s.refused(&s.signed(&claims)),
            "TOKEN_UNREADABLE",
            "{claims}"
        );
    }
}

#[test]
fn roles_and_regions_that_do_not_exist_are_refused() {
    let s = setting();
    for role in [
        "emperor",
        "service",
        "unspecified",
        "",
        "ROLE_AGENT",
        "agent ",
    ] {
        let token = s.signed(&but("roles", json!(["agent", role])));
        assert_eq!(s.refused(&token), "TOKEN_ROLE_UNKNOWN", "{role:?}");
    }
    for region in ["331", "33032", "x", "-1", "330326; --", "33%", "990000"] {
        let token = s.signed(&but("region", region));
        assert_eq!(s.refused(&token), "TOKEN_REGION_UNKNOWN", "{region:?}");
    }
}

#[test]
fn a_region_is_told_as_we_write_it() {
    let s = setting();
    for region in ["３３０３２６", " 330326 "] {
        let caller = s.verifier.caller(&s.signed(&but("region", region)));
        assert_eq!(caller.expect("a caller").region, "330326");
    }
}

#[test]
fn the_header_does_not_choose_how_a_token_is_checked() {
    let s = setting();
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = part(&good());
    for none in ["none", "None", "NONE", "nOnE"] {
        for signature in ["", "AAAA"] {
            for header in [json!({"alg": none}), json!({"alg": none, "kid": s.kid()})] {
                let token = format!("{}.{claims}.{signature}", part(&header));
                assert_eq!(s.refused(&token), "TOKEN_UNREADABLE", "{header}");
            }
        }
    }
    // The public key as the secret of a symmetric signature.
    let public = s.public_key();
    let x = public["x"].as_str().expect("a key");
    let set = std::fs::read(s.file("jwks.json")).expect("a key set");
    for secret in [
        x.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(x).expect("base64"),
        public.to_string().into_bytes(),
        set,
        Vec::new(),
    ] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            for kid in [None, Some(s.kid())] {
                let mut header = Header::new(algorithm);
                let is_named = kid.is_some();
                header.kid = kid;
                let key = EncodingKey::from_secret(&secret);
                let token = jsonwebtoken::encode(&header, &good(), &key).expect("a token");
                let reason = s.refused(&token);
                if is_named || algorithm == Algorithm::HS256 {
                    assert_eq!(reason, "TOKEN_UNREADABLE", "{algorithm:?}");
                } else {
                    assert_eq!(reason, "TOKEN_KEY_UNKNOWN", "{algorithm:?}");
                }
            }
        }
    }
    // A key that the token brings along is not looked at.
    let mut header = s.header();
    header.jku = Some("https://elsewhere/jwks.json".to_owned());
    header.kid = Some("mine".to_owned());
    assert_eq!(
        s.refused(&s.signed_with(&header, &good())),
        "TOKEN_KEY_UNKNOWN"
    );
}

#[test]
fn keys_that_are_not_the_issuer_s_are_refused() {
    let s = setting();
    let other = setting();
    assert_eq!(s.refused(&other.token(&clerk())), "TOKEN_KEY_UNKNOWN");
    // Under our key's name.
    let forged = other.signed_with(&s.header(), &good());
    assert_eq!(s.refused(&forged), "TOKEN_UNREADABLE");
    for kid in [None, Some(String::new()), Some("../issuer.key".to_owned())] {
        let mut header = s.header();
        header.kid = kid;
        assert_eq!(
            s.refused(&s.signed_with(&header, &good())),
            "TOKEN_KEY_UNKNOWN"
        );
    }
}

#[test]
fn text_that_is_no_token_is_refused() {
    let s = setting();
    let long = "a".repeat(100_000);
    let dots = ".".repeat(1000);
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "nonsense",
        "e30.e30.e30",
        "{}",
        "\u{0}",
        "令牌",
        "=.=.=",
        &long,
        &dots,
    ] {
        assert_eq!(s.refused(text), "TOKEN_UNREADABLE", "{:.20}", text);
    }
}

#[test]
fn a_token_that_is_bent_anywhere_is_refused() {
    let s = setting();
    let token = s.token(&clerk());
    assert!(s.verifier.caller(&token).is_ok());
    for index in 0..token.len() {
        let mut bent = token.clone().into_bytes();
        bent[index] = if bent[index] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).expect("ASCII");
        s.refused(&bent);
        s.refused(&token[..index]);
    }
}

#[test]
fn the_issuer_signs_what_it_is_told_and_the_verifier_judges() {
    let s = setting();
    let odd = |change: fn(&mut Person)| {
        let mut person = clerk();
        change(&mut person);
        s.refused(&s.token(&person))
    };
    assert_eq!(
        odd(|p| p.roles.push("emperor".to_owned())),
        "TOKEN_ROLE_UNKNOWN"
    );
    assert_eq!(odd(|p| p.region = "331".to_owned()), "TOKEN_REGION_UNKNOWN");
}
