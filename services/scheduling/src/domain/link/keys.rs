//! The secrets by which links are signed, by id: one signs, the others still open what they have signed.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Keeps codes for links apart from any others under the same secret.
const LABEL: &[u8] = b"bangban-link-v1\0";

/// Bytes of a code: 128 bits, half of what HMAC-SHA256 gives (RFC 2104, section 5), so that a link fits in a message.
pub(super) const CODE_BYTES: usize = 16;

/// Fewest bytes of a secret: as many as the hash gives (RFC 2104, section 3).
pub const MIN_SECRET_BYTES: usize = 32;

/// Secrets by id. `Debug` shows ids, never secrets.
pub struct Keys {
    active: (String, Zeroizing<Vec<u8>>),
    former: Vec<(String, Zeroizing<Vec<u8>>)>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let former: Vec<_> = self.former.iter().map(|(id, _)| id).collect();
        f.debug_struct("Keys")
            .field("active", &self.active.0)
            .field("former", &former)
            .finish()
    }
}

/// Why secrets cannot serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// An id goes into a URL.
    #[error("the key id {0:?} is not 1 to 32 letters, digits, - or _")]
    Id(String),
    /// Two keys of one name.
    #[error("two keys have the id {0:?}")]
    Twice(String),
    /// Too short to be safe.
    #[error("the secret of key {0:?} has fewer than {MIN_SECRET_BYTES} bytes")]
    Short(String),
}

impl Keys {
    /// Secrets: the first signs, all open. A key is taken out of the list when the last link that it signed has ended.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn new(
        active: (String, Vec<u8>),
        former: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Self, KeysError> {
        let mut keys = Self {
            active: checked(active)?,
            former: Vec::new(),
        };
        for key in former {
            let key = checked(key)?;
            if keys.secret(&key.0).is_some() {
                return Err(KeysError::Twice(key.0));
            }
            keys.former.push(key);
        }
        Ok(keys)
    }

    fn secret(&self, id: &str) -> Option<&[u8]> {
        std::iter::once(&self.active)
            .chain(&self.former)
            .find(|key| key.0 == id)
            .map(|key| key.1.as_slice())
    }

    /// The id of the active key and its code for the payload.
    pub(super) fn sign(&self, payload: &[u8]) -> (&str, [u8; CODE_BYTES]) {
        let (id, secret) = &self.active;
        let whole = mac(secret, id, payload).finalize().into_bytes();
        let mut code = [0; CODE_BYTES];
        code.copy_from_slice(&whole[..CODE_BYTES]);
        (id, code)
    }

    /// Whether the key has made this code for the payload. Takes the same time whatever is wrong with a code.
    pub(super) fn has_signed(&self, id: &str, payload: &[u8], code: &[u8]) -> bool {
        code.len() == CODE_BYTES
            && self
                .secret(id)
                .is_some_and(|secret| mac(secret, id, payload).verify_truncated_left(code).is_ok())
    }
}

fn checked((id, secret): (String, Vec<u8>)) -> Result<(String, Zeroizing<Vec<u8>>), KeysError> {
    let secret = Zeroizing::new(secret);
    let is_id = (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_id {
        return Err(KeysError::Id(id));
    }
    if secret.len() < MIN_SECRET_BYTES {
        return Err(KeysError::Short(id));
    }
    Ok((id, secret))
}

fn mac(secret: &[u8], id: &str, payload: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(LABEL);
    // An id holds no NUL, so the two cannot be cut elsewhere.
    mac.update(id.as_bytes());
    mac.update(&[0]);
    mac.update(payload);
    mac
}
