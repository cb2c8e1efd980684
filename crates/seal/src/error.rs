//! What can go wrong. No error carries a plain value or any part of a key.

use std::path::PathBuf;

/// An error of sealing or of the key file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key file could not be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key file is there already and is never overwritten: what it sealed would be lost.
    #[error("key file {path} exists already; it is never overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read or write the key file.
    #[error("key file {path} has mode {mode:04o}: only its owner may have access; run chmod 600")]
    NotOwnerOnly {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file is not one. What it holds instead is not quoted, as it may be a key.
    #[error("not a usable key file: {0}")]
    NotAKeyFile(&'static str),
    /// The ring was not opened from a file, so a new key would be lost.
    #[error("this key ring has no file that a new key could be saved in")]
    NoFile,
    /// The ring has no key of this id: it was rotated elsewhere (open the file again), or the key is gone.
    #[error("the key ring has no key {id}")]
    UnknownKey {
        /// The id in the wrapped key's header.
        id: String,
    },
    /// Sealed with a suite that this build does not have.
    #[error("unknown suite {0}")]
    UnknownSuite(u8),
    /// Shorter than a sealed value can be, or with a header that is none.
    #[error("not a sealed value, or cut short")]
    Malformed,
    /// The wrong key, the wrong place, or a changed value; which of them cannot be told.
    #[error("the value does not open: wrong key, wrong place, or changed")]
    DoesNotOpen,
    /// Opened, but not UTF-8.
    #[error("the opened value is not text")]
    NotText,
}
