//! The secrets that sign links: a file that is made when it is not there, readable by its owner alone (docs/operating.md).

use std::path::Path;

use bangban_kit::{refusal::Refusal, secret::read_or_make};

use crate::domain::link::Keys;

/// Bytes of a secret that we make.
const BYTES: usize = 32;

/// Opens the secrets, or makes one: a line for each, its id and the secret in hexadecimal. The first signs, all verify.
///
/// # Errors
/// LINK_KEY_UNUSABLE (BB-9.2b): the file cannot be read or made, or a line of it is no secret.
pub fn open_or_create(path: &Path) -> Result<Keys, Refusal> {
    keys(path).map_err(|what| {
        Refusal::precondition(
            "LINK_KEY_UNUSABLE",
            "BB-9.2b",
            format!("预约链接密钥 {} 不可用：{what}", path.display()),
            format!("the key of links {} cannot be used: {what}", path.display()),
        )
    })
}

fn keys(path: &Path) -> Result<Keys, String> {
    let made = || {
        let (id, secret): ([u8; 4], [u8; BYTES]) = rand::random();
        Ok(format!("{} {}\n", hex::encode(id), hex::encode(secret)).into())
    };
    let bytes = read_or_make(path, made).map_err(|e| e.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no text")?;
    let mut keys = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (id, secret) = line
            .trim()
            .split_once(' ')
            .ok_or("a line is no ID SECRET")?;
        let secret = hex::decode(secret).map_err(|_| "a secret is not hexadecimal")?;
        keys.push((id.to_owned(), secret));
    }
    let mut keys = keys.into_iter();
    let active = keys.next().ok_or("it is empty")?;
    Keys::new(active, keys).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bb_9_2b_what_is_no_key_is_refused_with_its_place_and_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("link.key");
        open_or_create(&path).expect("made");
        open_or_create(&path).expect("read");
        for (text, why) in [
            ("", "it is empty"),
            ("one\n", "a line is no ID SECRET"),
            ("1a 2z\n", "a secret is not hexadecimal"),
        ] {
            std::fs::write(&path, text).expect("written");
            let refusal = open_or_create(&path).expect_err("no key").to_string();
            assert!(
                refusal.contains(why) && refusal.contains("link.key"),
                "{refusal}"
            );
        }
    }
}
