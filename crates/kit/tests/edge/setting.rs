//! An issuer, a verifier, and what signs anything.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bangban_kit::{
    identity::{ContextKey, Issuer, Person, Verifier},
    refusal::{Refusal, reason, sentence},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tonic::Status;

pub const ISSUER: &str = "https://issuer";
pub const AUDIENCE: &str = "bangban";

pub struct Setting {
    folder: tempfile::TempDir,
    pub issuer: Issuer,
    pub verifier: Verifier,
    pub context: ContextKey,
}

/// Everything new, in a folder of its own.
pub fn setting() -> Setting {
    let folder = tempfile::tempdir().expect("a folder");
    let jwks = folder.path().join("jwks.json");
    let issuer = Issuer::open_or_create(&folder.path().join("issuer.key"), &jwks, ISSUER, AUDIENCE)
        .expect("an issuer");
    let context = ContextKey::open_or_create(&folder.path().join("context.key")).expect("a key");
    let verifier = Verifier::new(&jwks, ISSUER, AUDIENCE, context.clone()).expect("a verifier");
    Setting {
        folder,
        issuer,
        verifier,
        context,
    }
}

impl Setting {
    /// A file of the installation.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The one public key, as the key set has it.
    pub fn public_key(&self) -> Value {
        let text = std::fs::read_to_string(self.file("jwks.json")).expect("a key set");
        let set: Value = serde_json::from_str(&text).expect("JSON");
        set["keys"][0].clone()
    }

    /// The name of the one key.
    pub fn kid(&self) -> String {
        self.public_key()["kid"]
            .as_str()
            .expect("a name")
            .to_owned()
    }

    /// A header as the issuer writes it.
    pub fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid());
        header
    }

    /// Any claims under the issuer's own key.
    pub fn signed(&self, claims: &Value) -> String {
        self.signed_with(&self.header(), claims)
    }

    /// Any claims and header under the issuer's own key.
    pub fn signed_with(&self, header: &Header, claims: &Value) -> String {
        let key = std::fs::read(self.file("issuer.key")).expect("a key");
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(&key)).expect("a token")
    }

    /// The secret for contexts.
    pub fn secret(&self) -> Vec<u8> {
        let text = std::fs::read_to_string(self.file("context.key")).expect("a secret");
        URL_SAFE_NO_PAD.decode(text).expect("base64")
    }

    /// A token as the issuer signs it.
    pub fn token(&self, person: &Person) -> String {
        self.issuer
            .token(&self.file("jwks.json"), person, Duration::from_secs(600))
            .expect("a token")
    }

    /// What the verifier says to a token that it must refuse; both sentences and the reason survive the wire.
    pub fn refused(&self, token: &str) -> &'static str {
        told(
            self.verifier.caller(token).expect_err("refused"),
            tonic::Code::Unauthenticated,
        )
    }
}

/// The reason of a refusal, after a look at everything else about it.
pub fn told(refusal: Refusal, code: tonic::Code) -> &'static str {
    let name = refusal.reason;
    let is_upper = |c: char| c.is_ascii_uppercase() || c == '_';
    assert!(!name.is_empty() && name.chars().all(is_upper), "{name:?}");
    assert!(
        refusal.zh.chars().any(|c| ('一'..='鿿').contains(&c)),
        "{name}"
    );
    assert!(refusal.en.is_ascii() && refusal.en.len() > 10, "{name}");
    let (zh, en) = (refusal.zh.clone(), refusal.en.clone());
    let status = Status::from(refusal);
    assert_eq!(status.code(), code, "{name}");
    assert_eq!(reason(&status), name);
    assert_eq!(sentence(&status, "zh-CN"), zh);
    assert_eq!(sentence(&status, "en"), en);
    name
}

/// Seconds since the epoch.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

/// Claims that are accepted.
pub fn good() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "li-na", "iat": now(), "exp": now() + 600,
        "roles": ["agent"], "region": "330326", "site": "station-1",
    })
}

/// Good claims with a change.
pub fn but(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = good();
    claims[name] = value.into();
    claims
}

/// Good claims without one.
pub fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().expect("claims").remove(name);
    claims
}

/// A clerk of a station.
pub fn clerk() -> Person {
    Person {
        subject: "li-na".to_owned(),
        roles: vec!["agent".to_owned()],
        region: "330326".to_owned(),
        site: "station-1".to_owned(),
        ..Person::default()
    }
}
