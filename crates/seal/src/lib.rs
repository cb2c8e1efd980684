//! Seals personal data (PIPL arts. 47 and 51), finds it again without opening it, and forgets it.
//!
//! It knows no database, no clock and no service. An envelope has three layers:
//!
//! 1. A [`Keyring`] holds key-encryption keys and index keys, by id, in a file that only its owner can read.
//! 2. Every person has a [`SubjectKey`], stored wrapped under a key of the ring. Destroying all copies of the wrapped
//!    key, backups too, makes whatever it sealed unreadable for ever: the person is forgotten.
//! 3. Every value is sealed under its person's key, bound by [`Aad`] to its district, table, row and field, so that it
//!    opens nowhere else.
//!
//! Sealed values are found by [`Keyring::blind_index`], and an act of the ledger holds a [`commitment`] in their
//! place. A sealed value is as long as the plain one plus 29 bytes: lengths are not hidden.
//!
//! The first byte of everything sealed names its suite: 1 is AES-256-GCM (NIST SP 800-38D), 2 is kept for SM4-GCM
//! (GB/T 32907), which is to come with a certified module. To add one: an arm in `cipher.rs`.

mod aad;
mod cipher;
mod commitment;
mod error;
mod file;
mod keyring;
mod random;
mod ring;
mod secret;
mod subject;

pub use aad::Aad;
pub use cipher::{AES_256_GCM, SM4_GCM};
pub use commitment::{Salt, commitment};
pub use error::Error;
pub use keyring::{Keyring, kek_id};
pub use subject::{Plain, SubjectKey};
