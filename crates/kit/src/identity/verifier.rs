//! Checks tokens of people, and contexts of services.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use bangban_codes::region::RegionCode;
use bangban_proto::bangban::options::v1::Role;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::{
    Caller, Claims, ContextKey, Error, LEEWAY_SECONDS, REMEMBERED_TOKENS, key, lock, read_jwks,
    seconds_now,
};
use crate::refusal::{Kind, Refusal};

/// Longest life of a token that is accepted, in seconds: twelve hours, a working day with its evening.
pub const MAX_TOKEN_SECONDS: u64 = 12 * 3600;

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
        if let Some(caller) = self.remembered(token) {
            return Ok(caller);
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

    /// Who holds this token, when it was checked before and has not ended: no signature is looked at.
    #[must_use]
    pub fn remembered(&self, token: &str) -> Option<Arc<Caller>> {
        let remembered = lock(&self.remembered);
        let (until, caller) = remembered.get(token)?;
        (*until > seconds_now()).then(|| Arc::clone(caller))
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
        if claims.iat > seconds_now() + LEEWAY_SECONDS {
            return Err(not_yet_valid());
        }
        if claims.exp.saturating_sub(claims.iat) > MAX_TOKEN_SECONDS {
            return Err(unauthenticated(
                "TOKEN_LIFE_TOO_LONG",
                "令牌有效期超过12小时，不予接受",
                "the token lives longer than twelve hours",
            ));
        }
        if !claims.via.is_empty() {
            return Err(unreadable());
        }
        Ok(claims)
    }
}

fn unauthenticated(reason: &'static str, zh: &str, en: &str) -> Refusal {
    Refusal::new(Kind::Unauthenticated, reason, "", zh, en)
}

pub(super) fn unreadable() -> Refusal {
    unauthenticated(
        "TOKEN_UNREADABLE",
        "令牌无法识别，请重新登录",
        "the token cannot be read: log in again",
    )
}

pub(super) fn wrong_token(error: &jsonwebtoken::errors::Error) -> Refusal {
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
        ErrorKind::ImmatureSignature => not_yet_valid(),
        ErrorKind::MissingRequiredClaim(_) => incomplete(),
        ErrorKind::Json(e) if e.to_string().starts_with("missing field") => incomplete(),
        _ => unreadable(),
    }
}

fn not_yet_valid() -> Refusal {
    unauthenticated(
        "TOKEN_NOT_YET_VALID",
        "令牌尚未生效，请检查时钟后重新登录",
        "the token is not valid yet: look at the clocks, then log in again",
    )
}

fn incomplete() -> Refusal {
    unauthenticated(
        "TOKEN_INCOMPLETE",
        "令牌缺少必需的内容（签发者、用途、主体、时间、角色、区划），请联系管理员",
        "the token lacks one of iss, aud, sub, iat, exp, roles and region: tell the administrator",
    )
}

fn region_unknown() -> Refusal {
    unauthenticated(
        "TOKEN_REGION_UNKNOWN",
        "令牌中的区划代码不存在，请联系管理员",
        "the token names a region that does not exist: tell the administrator",
    )
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
    let region = if claims.region.is_empty() {
        String::new()
    } else {
        // As we write it: full-width digits would be a prefix of nothing.
        RegionCode::parse(&claims.region)
            .map_err(|_| region_unknown())?
            .to_string()
    };
    Ok(Caller {
        subject: claims.sub.clone(),
        roles,
        region,
        site: claims.site.clone(),
        department: claims.department.clone(),
        case: claims.case.clone(),
        via: claims.via.clone(),
    })
}
