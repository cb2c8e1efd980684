//! Commitments: what an act says about a person's data, so that the ledger proves them and does not hold them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random;

const LABEL: &[u8] = b"bangban-commitment-v1\0";
const SALT_BYTES: usize = 16;

/// The salt of one commitment. Kept sealed with the record, so that it dies with the subject's key; without it nobody
/// can try all identity numbers against the commitment. One value, one salt.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Salt([u8; SALT_BYTES]);

impl Salt {
    /// A new salt.
    ///
    /// # Panics
    /// If the operating system has no randomness.
    #[must_use]
    pub fn random() -> Self {
        let mut salt = Self([0; SALT_BYTES]);
        random::fill(&mut salt.0);
        salt
    }

    /// The salt that was kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; SALT_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to seal.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SALT_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// HMAC-SHA256 of the value under its salt. The value is normalised by whoever owns the field.
#[must_use]
pub fn commitment(salt: &Salt, value: &[u8]) -> [u8; 32] {
    mac(&salt.0, &[LABEL, value])
}

/// HMAC-SHA256 (RFC 2104) over the parts, one after the other.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
