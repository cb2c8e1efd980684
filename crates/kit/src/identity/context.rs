//! What one service hands to another: for whom it calls.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

use super::{
    Caller, Claims, Error, LEEWAY_SECONDS, REMEMBERED_TOKENS, file, key, lock, seconds_now,
    verifier::{unreadable, wrong_token},
};
use crate::{refusal::Refusal, secret::read_or_make};

/// Life of a context between services, in seconds.
const CONTEXT_SECONDS: u64 = 60;

/// Issuer and audience of contexts: the services of an installation.
const CONTEXT_ISSUER: &str = "bangban/services";

/// Signed contexts by service and caller, and until when they are used again, in seconds since the epoch.
type Signed = HashMap<(String, Caller), (u64, String)>;

/// The installation's secret for contexts between services.
#[derive(Clone)]
pub struct ContextKey {
    encoding: Arc<EncodingKey>,
    decoding: Arc<DecodingKey>,
    signed: Arc<Mutex<Signed>>,
}

impl std::fmt::Debug for ContextKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContextKey")
    }
}

impl ContextKey {
    /// Opens the secret at `path`, or makes one there.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is too short.
    pub fn open_or_create(path: &Path) -> Result<Self, Error> {
        let made = || Ok(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into());
        let text = read_or_make(path, made).map_err(|e| file(path, e))?;
        let secret = URL_SAFE_NO_PAD
            .decode(text.trim_ascii())
            .map_err(|e| key(path, e))?;
        if secret.len() < 32 {
            return Err(key(path, "the secret has fewer than 32 bytes"));
        }
        Ok(Self::from_secret(&secret))
    }

    fn from_secret(secret: &[u8]) -> Self {
        Self {
            encoding: Arc::new(EncodingKey::from_secret(secret)),
            decoding: Arc::new(DecodingKey::from_secret(secret)),
            signed: Arc::default(),
        }
    }

    /// A context in which `service` acts for a caller. The same one serves for half its life.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn context(&self, service: &str, caller: &Caller) -> Result<String, Refusal> {
        let now = seconds_now();
        let name = (service.to_owned(), caller.clone());
        if let Some((until, token)) = lock(&self.signed).get(&name)
            && *until > now
        {
            return Ok(token.clone());
        }
        let claims = Claims {
            iss: CONTEXT_ISSUER.to_owned(),
            aud: CONTEXT_ISSUER.to_owned(),
            sub: caller.subject.clone(),
            iat: now,
            exp: now + CONTEXT_SECONDS,
            roles: caller
                .roles
                .iter()
                .map(|r| r.as_str_name().trim_start_matches("ROLE_").to_lowercase())
                .collect(),
            region: caller.region.clone(),
            site: caller.site.clone(),
            department: caller.department.clone(),
            case: caller.case.clone(),
            via: service.to_owned(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(Refusal::internal)?;
        let mut signed = lock(&self.signed);
        if signed.len() >= REMEMBERED_TOKENS {
            signed.clear();
        }
        signed.insert(name, (now + CONTEXT_SECONDS / 2, token.clone()));
        Ok(token)
    }

    /// What a context says.
    pub(super) fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[CONTEXT_ISSUER]);
        validation.set_audience(&[CONTEXT_ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|e| wrong_token(&e))?
            .claims;
        let is_short = claims.exp.saturating_sub(claims.iat) <= CONTEXT_SECONDS
            && claims.iat <= seconds_now() + LEEWAY_SECONDS;
        if claims.via.is_empty() || !is_short {
            return Err(unreadable());
        }
        Ok(claims)
    }
}
