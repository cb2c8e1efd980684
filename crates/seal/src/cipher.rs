//! The suites. Nonces are random: AES-GCM allows 2^32 of them per key (NIST SP 800-38D, 8.3), and a key here seals the
//! few fields of one person, or wraps the keys of some millions.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::{Aad, Error, random};

/// Suite 1: AES-256-GCM, 96-bit random nonce, 128-bit tag.
pub const AES_256_GCM: u8 = 1;
/// Suite 2: SM4-GCM. Reserved: this build neither seals nor opens it.
pub const SM4_GCM: u8 = 2;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// `header ‖ nonce ‖ ciphertext ‖ tag`; the header's first byte is the suite.
pub(crate) fn seal(
    key: &Secret,
    label: &str,
    header: &[u8],
    aad: &Aad<'_>,
    plain: &[u8],
) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    random::fill(&mut nonce);
    let aad = aad.bytes(label, header);
    let sealed = cipher(key)
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: plain,
                aad: &aad,
            },
        )
        .expect("a value in memory is below the 64 GiB that GCM can seal");
    [header, &nonce, &sealed].concat()
}

/// Opens `nonce ‖ ciphertext ‖ tag` that stood behind `header`.
pub(crate) fn open(
    key: &Secret,
    label: &str,
    header: &[u8],
    aad: &Aad<'_>,
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, sealed) = body
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(Error::Malformed)?;
    if sealed.len() < TAG_BYTES {
        return Err(Error::Malformed);
    }
    let aad = aad.bytes(label, header);
    cipher(key)
        .decrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: sealed,
                aad: &aad,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| Error::DoesNotOpen)
}

/// Splits off the suite, which must be one that this build has.
pub(crate) fn suite(sealed: &[u8]) -> Result<&[u8], Error> {
    match sealed.split_first() {
        Some((&AES_256_GCM, rest)) => Ok(rest),
        Some((&suite, _)) => Err(Error::UnknownSuite(suite)),
        None => Err(Error::Malformed),
    }
}

fn cipher(key: &Secret) -> Aes256Gcm {
    Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key.bytes()))
}
