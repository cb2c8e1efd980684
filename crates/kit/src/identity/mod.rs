//! Who calls: tokens of people, and the short-lived context that one service hands to another.
//!
//! People carry tokens of an OIDC issuer, checked against a key set (JWKS), issuer and audience: [`Verifier`]. An
//! installation that is tried out makes its own issuer: [`Issuer`]. Between services the person's token never travels:
//! the calling service signs a context that lives for a minute and names the person it acts for: [`ContextKey`].

mod context;
mod issuer;
mod verifier;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use bangban_proto::bangban::{options::v1::Role, types::v1::Actor};
use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Deserializer, Serialize};

pub use context::ContextKey;
pub use issuer::{Issuer, Person};
pub use verifier::{MAX_TOKEN_SECONDS, Verifier};

/// Tolerated difference of clocks, in seconds.
const LEEWAY_SECONDS: u64 = 30;

/// Tokens that are remembered, so that the same one is not verified or signed for every call.
const REMEMBERED_TOKENS: usize = 4096;

/// What a token says. Names as in RFC 7519, ours beside them.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Audience; of several the first.
    #[serde(deserialize_with = "first")]
    pub aud: String,
    /// Subject: a staff id, an operator's name, `citizen`.
    pub sub: String,
    /// Issued at, seconds since the epoch.
    pub iat: u64,
    /// Ends at, seconds since the epoch.
    pub exp: u64,
    /// Names of roles in lower case, for example `agent`.
    pub roles: Vec<String>,
    /// Region code that limits the authority; empty for the whole country, which an issuer must say.
    pub region: String,
    /// Site at which the person serves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// Department, for its clerks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// The one case of a citizen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    /// The service that calls in the name of the subject; only in contexts between services.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub via: String,
}

/// RFC 7519 lets an audience be a text or a list.
fn first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(one) => one,
        Audience::Many(many) => many.into_iter().next().unwrap_or_default(),
    })
}

/// Who calls, after everything about the token was checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Subject: a staff id, an operator's name, `citizen`, `system/NAME`.
    pub subject: String,
    /// Roles of the person.
    pub roles: Vec<Role>,
    /// Region code that limits the authority; empty for the whole country.
    pub region: String,
    /// Site at which the person serves; empty for those who serve at none.
    pub site: String,
    /// Department, for its clerks; else empty.
    pub department: String,
    /// The one case of a citizen; else empty.
    pub case: String,
    /// The service that calls in the person's name; empty for a call from outside.
    pub via: String,
}

impl Caller {
    /// What a service does unasked: sweeps and feeds.
    #[must_use]
    pub fn system(service: &str) -> Self {
        Self {
            subject: format!("system/{service}"),
            roles: Vec::new(),
            region: String::new(),
            site: String::new(),
            department: String::new(),
            case: String::new(),
            via: service.to_owned(),
        }
    }

    /// Nobody in particular: public methods.
    #[must_use]
    pub fn public() -> Self {
        Self {
            subject: "public".to_owned(),
            roles: Vec::new(),
            region: String::new(),
            site: String::new(),
            department: String::new(),
            case: String::new(),
            via: String::new(),
        }
    }

    /// The caller as one who acts, as the contract writes it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            subject: self.subject.clone(),
            site: self.site.clone(),
        }
    }

    /// Whether the caller has this role. A call by a service has the role SERVICE beside the person's.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        if role == Role::Service {
            !self.via.is_empty()
        } else {
            self.roles.contains(&role)
        }
    }
}

fn seconds_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Why keys or tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What happened.
        source: std::io::Error,
    },
    /// A key is not what it should be.
    #[error("{path}: {what}")]
    Key {
        /// Which file.
        path: String,
        /// What is wrong.
        what: String,
    },
}

fn file(path: &Path, source: std::io::Error) -> Error {
    Error::File {
        path: path.display().to_string(),
        source,
    }
}

fn key(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::Key {
        path: path.display().to_string(),
        what: what.to_string(),
    }
}

fn read_jwks(path: &Path) -> Result<JwkSet, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| file(path, e))?;
    serde_json::from_str(&text).map_err(|e| key(path, e))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
