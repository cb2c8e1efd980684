//! The issuer of an installation that is tried out.

use std::{path::Path, time::Duration};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{AlgorithmParameters, Jwk},
};

use super::{Claims, Error, file, key, read_jwks, seconds_now};
use crate::secret;

/// Signs tokens with a key that it made itself.
pub struct Issuer {
    encoding: EncodingKey,
    kid: Option<String>,
    issuer: String,
    audience: String,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Issuer {
    /// Opens the key at `key_path`, or makes one there and writes its public half as a key set to `jwks_path`.
    ///
    /// # Errors
    /// When the files cannot be read or written, hold no Ed25519 key, or the key set is not that of the key.
    pub fn open_or_create(
        key_path: &Path,
        jwks_path: &Path,
        issuer: &str,
        audience: &str,
    ) -> Result<Self, Error> {
        let made = || {
            Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new())
                .map(|made| made.as_ref().to_vec())
                .map_err(secret::unusable)
        };
        let pkcs8 = secret::read_or_make(key_path, made).map_err(|e| file(key_path, e))?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|e| key(key_path, e))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        if !jwks_path.exists() {
            let set = serde_json::json!({"keys": [{
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid(&x), "x": x,
            }]});
            std::fs::write(jwks_path, format!("{set:#}\n")).map_err(|e| file(jwks_path, e))?;
        }
        let ours =
            |jwk: &Jwk| matches!(&jwk.algorithm, AlgorithmParameters::OctetKeyPair(k) if k.x == x);
        let set = read_jwks(jwks_path)?;
        let own = set.keys.into_iter().find(ours).ok_or_else(|| {
            let what = format!(
                "the public half of {} is not among these keys: remove the file that does not belong here",
                key_path.display()
            );
            key(jwks_path, what)
        })?;
        Ok(Self {
            encoding: EncodingKey::from_ed_der(&pkcs8),
            kid: own.common.key_id,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        })
    }

    /// Signs a token for a subject. `jwks_path` is where an error says that the key stands.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn token(&self, jwks_path: &Path, person: &Person, ttl: Duration) -> Result<String, Error> {
        let now = seconds_now();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: person.subject.clone(),
            iat: now,
            exp: now + ttl.as_secs(),
            roles: person.roles.clone(),
            region: person.region.clone(),
            site: person.site.clone(),
            department: person.department.clone(),
            case: person.case.clone(),
            via: String::new(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = self.kid.clone();
        header.typ = Some("at+jwt".to_owned());
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(|e| key(jwks_path, e))
    }
}

fn kid(x: &str) -> String {
    use sha2::Digest as _;
    URL_SAFE_NO_PAD.encode(&sha2::Sha256::digest(x.as_bytes())[..9])
}

/// For whom a token is signed.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// Subject.
    pub subject: String,
    /// Names of roles in lower case.
    pub roles: Vec<String>,
    /// Region code; empty for the whole country.
    pub region: String,
    /// Site.
    pub site: String,
    /// Department.
    pub department: String,
    /// Case.
    pub case: String,
}
