//! The key that checkpoints are signed with: Ed25519 (RFC 8032) over a checkpoint's hash.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use crate::Hash;

/// The public half of a key.
pub type PublicKey = [u8; 32];

/// A signature.
pub type Signature = [u8; 64];

/// The private half.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.id()).finish()
    }
}

impl SigningKey {
    /// Makes a key, as PKCS #8.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Vec<u8>, String> {
        let made = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new());
        Ok(made.map_err(|e| e.to_string())?.as_ref().to_vec())
    }

    /// Reads a key from PKCS #8.
    ///
    /// # Errors
    /// When it is no Ed25519 key.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, String> {
        Ed25519KeyPair::from_pkcs8(bytes)
            .map(Self)
            .map_err(|e| e.to_string())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut public = PublicKey::default();
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }

    /// See [`key_id`].
    #[must_use]
    pub fn id(&self) -> String {
        key_id(&self.public())
    }

    /// Signs a checkpoint's hash.
    #[must_use]
    pub fn sign(&self, hash: &Hash) -> Signature {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(hash).as_ref());
        signature
    }
}

/// The id of a key: the first 16 hexadecimal digits of the SHA-256 over its public half.
#[must_use]
pub fn key_id(key: &PublicKey) -> String {
    hex::encode(&Sha256::digest(key)[..8])
}

/// Whether the holder of `key` signed this hash.
#[must_use]
pub fn is_signed(key: &PublicKey, hash: &Hash, signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, key)
        .verify(hash, signature)
        .is_ok()
}
