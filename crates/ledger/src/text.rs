//! Bytes as text: lower-case hexadecimal only, so that one value has one text.

use crate::{Hash, Signature};

pub(crate) fn hash(text: &str) -> Option<Hash> {
    fixed(text)
}

pub(crate) fn signature(text: &str) -> Option<Signature> {
    fixed(text)
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}
