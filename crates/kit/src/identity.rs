//! Who calls: tokens of people, and the short-lived context that one service hands to another.
//!
//! People carry tokens of an OIDC issuer, checked against a key set (JWKS), issuer and audience. An installation
//! that is tried out makes its own issuer. Between services the person's token never travels: the calling service
//! signs a context that lives for a minute and names the person it acts for.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use bangban_codes::region::RegionCode;
use bangban_proto::bangban::options::v1::Role;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use serde::{Deserialize, Serialize};

use crate::refusal::{Kind, Refusal};

/// Longest life of a token that is accepted, in seconds: twelve hours, a working day with its evening.
pub const MAX_TOKEN_SECONDS: u64 = 12 * 3600;

/// Life of a context between services, in seconds.
const CONTEXT_SECONDS: u64 = 60;

/// Tolerated difference of clocks, in seconds.
const LEEWAY_SECONDS: u64 = 30;

/// Verified tokens that are remembered, so that the same one is not verified for every call.
const REMEMBERED_TOKENS: usize = 4096;

const CONTEXT_ISSUER: &str = "bangban/services";

/// What a token says. Names as in RFC 7519, ours beside them.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// Subject: a staff id, an operator's name, `citizen`.
    pub sub: String,
    /// Issued at, seconds since the epoch.
    pub iat: u64,
    /// Ends at, seconds since the epoch.
    pub exp: u64,
    /// Names of roles in lower case, for example `agent`.
    pub roles: Vec<String>,
    /// Region code that limits the authority; empty for the whole country.
    #[serde(default)]
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

/// Who calls, after everything about the token was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Writes a file that only the owner may read, never over one that is there.
fn write_secret(path: &Path, content: &[u8]) -> Result<(), Error> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(path).map_err(|e| file(path, e))?;
    out.write_all(content)
        .and_then(|()| out.sync_all())
        .map_err(|e| file(path, e))
}

/// The issuer of an installation that is tried out: signs tokens with a key that it made itself.
pub struct Issuer {
    encoding: EncodingKey,
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
    /// When the files cannot be read or written, or hold no Ed25519 key.
    pub fn open_or_create(
        key_path: &Path,
        jwks_path: &Path,
        issuer: &str,
        audience: &str,
    ) -> Result<Self, Error> {
        if !key_path.exists() {
            let made = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new())
                .map_err(|e| key(key_path, e))?;
            write_secret(key_path, made.as_ref())?;
        }
        let pkcs8 = std::fs::read(key_path).map_err(|e| file(key_path, e))?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|e| key(key_path, e))?;
        if !jwks_path.exists() {
            let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
            let set = serde_json::json!({"keys": [{
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid(&x), "x": x,
            }]});
            std::fs::write(jwks_path, format!("{set:#}\n")).map_err(|e| file(jwks_path, e))?;
        }
        Ok(Self {
            encoding: EncodingKey::from_ed_der(&pkcs8),
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        })
    }

    /// Signs a token for a subject.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn token(&self, jwks_path: &Path, person: &Person, ttl: Duration) -> Result<String, Error> {
        let set = read_jwks(jwks_path)?;
        let kid = set.keys.first().and_then(|k| k.common.key_id.clone());
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
        header.kid = kid;
        header.typ = Some("at+jwt".to_owned());
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(|e| key(jwks_path, e))
    }
}

fn kid(x: &str) -> String {
    use sha2::Digest as _;
    URL_SAFE_NO_PAD.encode(&sha2::Sha256::digest(x.as_bytes())[..9])
}

fn read_jwks(path: &Path) -> Result<JwkSet, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| file(path, e))?;
    serde_json::from_str(&text).map_err(|e| key(path, e))
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

/// Checks tokens and contexts.
pub struct Verifier {
    keys: HashMap<String, (DecodingKey, Algorithm)>,
    people: Validation,
    context: ContextKey,
    remembered: Mutex<HashMap<String, (u64, Arc<Caller>)>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier for tokens of one issuer and audience, by its key set, and for contexts under the installation's key.
    ///
    /// # Errors
    /// When the key set cannot be read, is empty, or holds a key of an algorithm that is not asymmetric.
    pub fn new(
        jwks_path: &Path,
        issuer: &str,
        audience: &str,
        context: ContextKey,
    ) -> Result<Self, Error> {
        let set = read_jwks(jwks_path)?;
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            let name = jwk.common.key_id.clone().unwrap_or_default();
            let algorithm = jwk
                .common
                .key_algorithm
                .and_then(|a| a.to_string().parse::<Algorithm>().ok())
                .ok_or_else(|| key(jwks_path, format!("key {name:?} names no algorithm (alg)")))?;
            if matches!(
                algorithm,
                Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
            ) {
                return Err(key(
                    jwks_path,
                    format!("key {name:?} is symmetric; a key set must be public"),
                ));
            }
            keys.insert(
                name,
                (
                    DecodingKey::from_jwk(jwk).map_err(|e| key(jwks_path, e))?,
                    algorithm,
                ),
            );
        }
        if keys.is_empty() {
            return Err(key(jwks_path, "the key set is empty"));
        }
        let mut people = Validation::new(Algorithm::EdDSA);
        people.set_issuer(&[issuer]);
        people.set_audience(&[audience]);
        people.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        people.validate_nbf = true;
        people.leeway = LEEWAY_SECONDS;
        Ok(Self {
            keys,
            people,
            context,
            remembered: Mutex::default(),
        })
    }

    /// Who holds this token.
    ///
    /// # Errors
    /// UNAUTHENTICATED with the reason: expired, unknown key, wrong issuer, unknown role, region of impossible form.
    pub fn caller(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        let now = seconds_now();
        if let Some((until, caller)) = lock(&self.remembered).get(token)
            && *until > now
        {
            return Ok(Arc::clone(caller));
        }
        let claims = self.claims(token)?;
        let caller = Arc::new(caller(&claims)?);
        let mut remembered = lock(&self.remembered);
        if remembered.len() >= REMEMBERED_TOKENS {
            remembered.clear();
        }
        remembered.insert(token.to_owned(), (claims.exp, Arc::clone(&caller)));
        Ok(caller)
    }

    fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| unreadable())?;
        if header.alg == Algorithm::HS256 && header.kid.is_none() {
            return self.context.claims(token);
        }
        let (decoding, algorithm) = header
            .kid
            .as_ref()
            .and_then(|kid| self.keys.get(kid))
            .ok_or_else(|| {
                unauthenticated(
                    "TOKEN_KEY_UNKNOWN",
                    "令牌的签名密钥未知，请重新登录",
                    "the token's key is unknown: log in again",
                )
            })?;
        if header.alg != *algorithm {
            return Err(unreadable());
        }
        let mut validation = self.people.clone();
        validation.algorithms = vec![*algorithm];
        let claims = jsonwebtoken::decode::<Claims>(token, decoding, &validation)
            .map_err(|e| wrong_token(&e))?
            .claims;
        if claims.exp.saturating_sub(claims.iat) > MAX_TOKEN_SECONDS
            || claims.iat > seconds_now() + LEEWAY_SECONDS
        {
            return Err(unauthenticated(
                "TOKEN_LIFE_TOO_LONG",
                "令牌有效期超过12小时，不予接受",
                "the token lives longer than twelve hours, or begins in the future",
            ));
        }
        if !claims.via.is_empty() {
            return Err(unreadable());
        }
        Ok(claims)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn unauthenticated(reason: &'static str, zh: &str, en: &str) -> Refusal {
    Refusal::new(Kind::Unauthenticated, reason, "", zh, en)
}

fn unreadable() -> Refusal {
    unauthenticated(
        "TOKEN_UNREADABLE",
        "令牌无法识别，请重新登录",
        "the token cannot be read: log in again",
    )
}

fn wrong_token(error: &jsonwebtoken::errors::Error) -> Refusal {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::ExpiredSignature => unauthenticated(
            "TOKEN_EXPIRED",
            "令牌已过期，请重新登录",
            "the token has expired: log in again",
        ),
        ErrorKind::InvalidIssuer => unauthenticated(
            "TOKEN_ISSUER_WRONG",
            "令牌的签发者不被信任",
            "the token's issuer is not the one that is trusted here",
        ),
        ErrorKind::InvalidAudience => unauthenticated(
            "TOKEN_AUDIENCE_WRONG",
            "令牌不是为本系统签发的",
            "the token was not made for this system",
        ),
        _ => unreadable(),
    }
}

fn caller(claims: &Claims) -> Result<Caller, Refusal> {
    let mut roles = Vec::with_capacity(claims.roles.len());
    for name in &claims.roles {
        let role = Role::from_str_name(&format!("ROLE_{}", name.to_uppercase()))
            .filter(|r| !matches!(r, Role::Unspecified | Role::Service))
            .ok_or_else(|| {
                unauthenticated(
                    "TOKEN_ROLE_UNKNOWN",
                    "令牌包含未知角色，请联系管理员",
                    "the token names a role that does not exist: tell the administrator",
                )
            })?;
        roles.push(role);
    }
    if !claims.region.is_empty() && RegionCode::parse(&claims.region).is_err() {
        return Err(unauthenticated(
            "TOKEN_REGION_UNKNOWN",
            "令牌中的区划代码不存在，请联系管理员",
            "the token names a region that does not exist: tell the administrator",
        ));
    }
    Ok(Caller {
        subject: claims.sub.clone(),
        roles,
        region: claims.region.clone(),
        site: claims.site.clone(),
        department: claims.department.clone(),
        case: claims.case.clone(),
        via: claims.via.clone(),
    })
}

/// The installation's secret for contexts between services.
#[derive(Clone)]
pub struct ContextKey {
    encoding: Arc<EncodingKey>,
    decoding: Arc<DecodingKey>,
    signed: Arc<Mutex<HashMap<String, (u64, String)>>>,
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
        if !path.exists() {
            let made: [u8; 32] = rand::random();
            write_secret(path, URL_SAFE_NO_PAD.encode(made).as_bytes())?;
        }
        let text = std::fs::read_to_string(path).map_err(|e| file(path, e))?;
        let secret = URL_SAFE_NO_PAD
            .decode(text.trim())
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
        let name = format!(
            "{service}|{}|{}|{}|{}",
            caller.subject, caller.region, caller.site, caller.case
        );
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

    fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[CONTEXT_ISSUER]);
        validation.set_audience(&[CONTEXT_ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY_SECONDS;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|e| wrong_token(&e))?
            .claims;
        if claims.via.is_empty() {
            Err(unreadable())
        } else {
            Ok(claims)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Setting {
        folder: tempfile::TempDir,
        issuer: Issuer,
        verifier: Verifier,
        context: ContextKey,
    }

    fn setting() -> Setting {
        let folder = tempfile::tempdir().expect("a folder");
        let jwks = folder.path().join("jwks.json");
        let issuer = Issuer::open_or_create(
            &folder.path().join("issuer.key"),
            &jwks,
            "https://issuer",
            "bangban",
        )
        .expect("an issuer");
        let context =
            ContextKey::open_or_create(&folder.path().join("context.key")).expect("a key");
        let verifier =
            Verifier::new(&jwks, "https://issuer", "bangban", context.clone()).expect("a verifier");
        Setting {
            folder,
            issuer,
            verifier,
            context,
        }
    }

    fn clerk() -> Person {
        Person {
            subject: "li-na".to_owned(),
            roles: vec!["agent".to_owned()],
            region: "330326".to_owned(),
            site: "station-1".to_owned(),
            ..Person::default()
        }
    }

    #[test]
    fn a_token_of_the_issuer_tells_who_calls() {
        let s = setting();
        let jwks = s.folder.path().join("jwks.json");
        let token = s
            .issuer
            .token(&jwks, &clerk(), Duration::from_secs(600))
            .expect("a token");
        let caller = s.verifier.caller(&token).expect("a caller");
        assert_eq!(caller.subject, "li-na");
        assert!(
            caller.has(Role::Agent) && !caller.has(Role::Service) && !caller.has(Role::Operator)
        );
        assert_eq!(s.verifier.caller(&token).expect("remembered"), caller);
    }

    #[test]
    fn wrong_tokens_are_refused_each_with_its_reason() {
        let s = setting();
        let jwks = s.folder.path().join("jwks.json");
        let refused = |token: &str| s.verifier.caller(token).expect_err("refused").reason;
        assert_eq!(refused("nonsense"), "TOKEN_UNREADABLE");
        let long = s
            .issuer
            .token(&jwks, &clerk(), Duration::from_secs(13 * 3600))
            .expect("a token");
        assert_eq!(refused(&long), "TOKEN_LIFE_TOO_LONG");
        let odd = Person {
            roles: vec!["emperor".to_owned()],
            ..clerk()
        };
        let odd = s
            .issuer
            .token(&jwks, &odd, Duration::from_secs(60))
            .expect("a token");
        assert_eq!(refused(&odd), "TOKEN_ROLE_UNKNOWN");
        let service = Person {
            roles: vec!["service".to_owned()],
            ..clerk()
        };
        let service = s
            .issuer
            .token(&jwks, &service, Duration::from_secs(60))
            .expect("a token");
        assert_eq!(refused(&service), "TOKEN_ROLE_UNKNOWN");
        let nowhere = Person {
            region: "331".to_owned(),
            ..clerk()
        };
        let nowhere = s
            .issuer
            .token(&jwks, &nowhere, Duration::from_secs(60))
            .expect("a token");
        assert_eq!(refused(&nowhere), "TOKEN_REGION_UNKNOWN");
        let other = setting();
        let forged = other
            .issuer
            .token(
                &other.folder.path().join("jwks.json"),
                &clerk(),
                Duration::from_secs(60),
            )
            .expect("a token");
        assert_eq!(refused(&forged), "TOKEN_KEY_UNKNOWN");
    }

    #[test]
    fn an_expired_token_is_refused() {
        let s = setting();
        let past = Claims {
            iss: "https://issuer".to_owned(),
            aud: "bangban".to_owned(),
            sub: "li-na".to_owned(),
            iat: seconds_now() - 1000,
            exp: seconds_now() - 500,
            roles: vec!["agent".to_owned()],
            region: String::new(),
            site: String::new(),
            department: String::new(),
            case: String::new(),
            via: String::new(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = s.verifier.keys.keys().next().cloned();
        let token = jsonwebtoken::encode(&header, &past, &s.issuer.encoding).expect("a token");
        assert_eq!(
            s.verifier.caller(&token).expect_err("refused").reason,
            "TOKEN_EXPIRED"
        );
    }

    #[test]
    fn a_context_names_the_service_and_the_person_behind_it() {
        let s = setting();
        let jwks = s.folder.path().join("jwks.json");
        let token = s
            .issuer
            .token(&jwks, &clerk(), Duration::from_secs(60))
            .expect("a token");
        let caller = s.verifier.caller(&token).expect("a caller");
        let context = s.context.context("casework", &caller).expect("a context");
        let behind = s.verifier.caller(&context).expect("a caller");
        assert_eq!(
            (behind.subject.as_str(), behind.via.as_str()),
            ("li-na", "casework")
        );
        assert!(behind.has(Role::Service) && behind.has(Role::Agent));
        let stranger = ContextKey::from_secret(&[7; 32])
            .context("casework", &caller)
            .expect("a context");
        assert_eq!(
            s.verifier.caller(&stranger).expect_err("refused").reason,
            "TOKEN_UNREADABLE"
        );
    }
}
