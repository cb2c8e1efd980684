//! A 256-bit secret: zeroized when dropped, never shown, base64 in the key file and nowhere else.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random;

pub(crate) const SECRET_BYTES: usize = 32;
/// Base64 of 32 bytes, and a decoder's estimate of how much that may give.
const TEXT_BYTES: usize = 44;
const ESTIMATE_BYTES: usize = 33;

#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret([u8; SECRET_BYTES]);

impl Secret {
    pub fn random() -> Self {
        let mut secret = Self([0; SECRET_BYTES]);
        random::fill(&mut secret.0);
        secret
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self([0; SECRET_BYTES]);
        (bytes.len() == SECRET_BYTES).then(|| secret.0.copy_from_slice(bytes))?;
        Some(secret)
    }

    pub fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new([0; TEXT_BYTES]);
        STANDARD
            .encode_slice(self.0, &mut *text)
            .map_err(|_| ser::Error::custom("secret"))?;
        serializer.serialize_str(str::from_utf8(&*text).map_err(|_| ser::Error::custom("secret"))?)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                let mut bytes = Zeroizing::new([0; ESTIMATE_BYTES]);
                let length = (text.len() == TEXT_BYTES)
                    .then(|| STANDARD.decode_slice(text, &mut *bytes).ok())
                    .flatten()
                    .ok_or_else(|| E::custom("secret"))?;
                Secret::from_slice(&bytes[..length]).ok_or_else(|| E::custom("secret"))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}
