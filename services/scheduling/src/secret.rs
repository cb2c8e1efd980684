//! The secrets that sign links: a file that is made when it is not there, readable by its owner alone (docs/operating.md).

use std::{io::Write as _, path::Path};

use crate::domain::link::Keys;

/// Bytes of a secret that we make.
const BYTES: usize = 32;

/// Opens the secrets, or makes one: a line for each, its id and the secret in hexadecimal. The first signs, all verify.
///
/// # Errors
/// The file's; a line that is no secret.
pub fn open_or_create(path: &Path) -> std::io::Result<Keys> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(path)?,
        Err(error) => return Err(error),
    };
    let broken = |what: String| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let mut keys = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (id, secret) = line
            .trim()
            .split_once(' ')
            .ok_or_else(|| broken("a line of the link key is no ID SECRET".to_owned()))?;
        let secret = hex::decode(secret)
            .map_err(|_| broken("a secret of the link key is not hexadecimal".to_owned()))?;
        keys.push((id.to_owned(), secret));
    }
    let mut keys = keys.into_iter();
    let active = keys
        .next()
        .ok_or_else(|| broken("the link key is empty".to_owned()))?;
    Keys::new(active, keys).map_err(|e| broken(e.to_string()))
}

fn create(path: &Path) -> std::io::Result<String> {
    let secret: [u8; BYTES] = rand::random();
    let id: [u8; 4] = rand::random();
    let text = format!("{} {}\n", hex::encode(id), hex::encode(secret));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(text)
        }
        // Another process was faster: its secret is the one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::read_to_string(path)
        }
        Err(error) => Err(error),
    }
}
