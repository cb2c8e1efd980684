//! One person's key, and what it seals.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

use crate::cipher::{self, AES_256_GCM};
use crate::secret::Secret;
use crate::{Aad, Error};

const LABEL: &str = "bangban-seal-v1";

/// A person's data key. Made by [`Keyring::new_subject_key`](crate::Keyring::new_subject_key), stored only wrapped.
///
/// Whoever caches one keeps it for minutes at most, or a person who was forgotten is remembered.
#[derive(Debug)]
pub struct SubjectKey(pub(crate) Secret);

impl SubjectKey {
    /// Seals a value for its place: one byte of suite, 12 of nonce, the ciphertext, 16 of tag.
    ///
    /// # Panics
    /// If the operating system has no randomness, or the value is larger than 64 GiB.
    #[must_use]
    pub fn seal(&self, plain: &[u8], aad: &Aad<'_>) -> Vec<u8> {
        cipher::seal(&self.0, LABEL, &[AES_256_GCM], aad, plain)
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::UnknownSuite`], [`Error::DoesNotOpen`].
    pub fn open(&self, sealed: &[u8], aad: &Aad<'_>) -> Result<Plain, Error> {
        let body = cipher::suite(sealed)?;
        cipher::open(&self.0, LABEL, &[AES_256_GCM], aad, body).map(Plain)
    }
}

/// An opened value: zeroized when dropped, not shown by `Debug`.
pub struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    /// The value as text.
    ///
    /// # Errors
    /// [`Error::NotText`] if it is not UTF-8.
    pub fn as_str(&self) -> Result<&str, Error> {
        str::from_utf8(&self.0).map_err(|_| Error::NotText)
    }
}

impl Deref for Plain {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}
