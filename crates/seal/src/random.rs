//! Randomness from the operating system, for every key, nonce and salt: never an argument, because a repeated nonce
//! breaks GCM.

use rand::TryRng;
use rand::rngs::SysRng;

/// Fills `bytes`.
///
/// # Panics
/// If the operating system has no randomness. Nothing may be sealed then.
pub(crate) fn fill(bytes: &mut [u8]) {
    SysRng
        .try_fill_bytes(bytes)
        .expect("the operating system gives random bytes");
}
