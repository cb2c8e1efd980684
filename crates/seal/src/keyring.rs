//! The ring: wraps subjects' keys and makes blind indexes.

use std::io;
use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::cipher::{self, AES_256_GCM};
use crate::commitment::mac;
use crate::file::{self, Keys};
use crate::ring::{self, Key};
use crate::secret::Secret;
use crate::{Aad, Error, SubjectKey};

const WRAP: &str = "bangban-wrap-v1";
const INDEX: &[u8] = b"bangban-index-v1\0";
/// 128 bits: no two of a country's people collide, and an index column stays short.
const INDEX_BYTES: usize = 16;

/// The keys of an installation. `Debug` shows ids, never keys.
///
/// All processes of an installation share one ring. A process that meets [`Error::UnknownKey`] opens the file again,
/// because another one rotated it. The file is backed up apart from the database: either alone opens nothing.
#[derive(Debug)]
pub struct Keyring {
    keys: Keys,
    path: Option<PathBuf>,
}

impl Keyring {
    /// Opens a key file.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotOwnerOnly`] (on Unix, when anyone but the owner has access),
    /// [`Error::NotAKeyFile`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Ok(Self {
            keys: Keys::open(path)?,
            path: Some(path.to_owned()),
        })
    }

    /// Makes a new ring and its file, readable by the owner only (mode 0600).
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Io`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let keys = Keys::new();
        keys.create(path)?;
        Ok(Self {
            keys,
            path: Some(path.to_owned()),
        })
    }

    /// Opens the file, or creates it if it is not there. Of several processes that start at once, one creates it.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) and [`create`](Self::create), but not [`Error::Exists`].
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        match Self::open(path) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                match Self::create(path) {
                    Err(Error::Exists { .. }) => Self::open(path),
                    created => created,
                }
            }
            opened => opened,
        }
    }

    /// A ring from the content of a key file that came another way: it cannot rotate.
    ///
    /// # Errors
    /// [`Error::NotAKeyFile`].
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            keys: Keys::parse(json)?,
            path: None,
        })
    }

    /// Adds a new active key-encryption key and saves it. The old ones go on opening; [`rewrap`](Self::rewrap) moves
    /// subjects' keys over.
    ///
    /// # Errors
    /// [`Error::NoFile`], and those of [`open`](Self::open); the ring is then as before.
    pub fn rotate(&mut self) -> Result<(), Error> {
        self.change(|keys| keys.wrapping.rotate())
    }

    /// Adds a new active index key and saves it. Until every row has its new index, rows are found by
    /// [`blind_indexes`](Self::blind_indexes).
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub fn rotate_index(&mut self) -> Result<(), Error> {
        self.change(|keys| keys.indexing.rotate())
    }

    /// Changes what the file holds now, which another process may have changed since it was opened.
    fn change(&mut self, change: impl FnOnce(&mut Keys)) -> Result<(), Error> {
        let path = self.path.as_deref().ok_or(Error::NoFile)?;
        let _lock = file::lock(path)?;
        let mut keys = Keys::open(path)?;
        change(&mut keys);
        keys.replace(path)?;
        self.keys = keys;
        Ok(())
    }

    /// The id of the key that wraps now.
    #[must_use]
    pub fn active_kek_id(&self) -> &str {
        &self.keys.wrapping.active
    }

    /// The id of the key that indexes now.
    #[must_use]
    pub fn active_index_id(&self) -> &str {
        &self.keys.indexing.active
    }

    /// A new data key for one person.
    ///
    /// # Panics
    /// If the operating system has no randomness.
    #[must_use]
    pub fn new_subject_key(&self) -> SubjectKey {
        SubjectKey(Secret::random())
    }

    /// Wraps a person's key for its place: suite, length of the id, id, nonce, ciphertext, tag.
    ///
    /// # Panics
    /// If the operating system has no randomness.
    #[must_use]
    pub fn wrap(&self, key: &SubjectKey, aad: &Aad<'_>) -> Vec<u8> {
        let kek = self.keys.wrapping.active();
        let length = u8::try_from(kek.id.len()).expect("an id has at most 32 bytes");
        let header = [&[AES_256_GCM, length], kek.id.as_bytes()].concat();
        cipher::seal(&kek.secret, WRAP, &header, aad, key.0.bytes())
    }

    /// Unwraps a person's key.
    ///
    /// # Errors
    /// [`Error::UnknownKey`], [`Error::Malformed`], [`Error::UnknownSuite`], [`Error::DoesNotOpen`].
    pub fn unwrap(&self, wrapped: &[u8], aad: &Aad<'_>) -> Result<SubjectKey, Error> {
        let id = kek_id(wrapped)?;
        let kek = self
            .keys
            .wrapping
            .get(id)
            .ok_or_else(|| Error::UnknownKey { id: id.to_owned() })?;
        let (header, body) = wrapped.split_at(2 + id.len());
        let key = cipher::open(&kek.secret, WRAP, header, aad, body)?;
        Secret::from_slice(&key)
            .map(SubjectKey)
            .ok_or(Error::Malformed)
    }

    /// The same key, wrapped under the active key. What it sealed stays as it is.
    ///
    /// # Errors
    /// Those of [`unwrap`](Self::unwrap).
    pub fn rewrap(&self, wrapped: &[u8], aad: &Aad<'_>) -> Result<Vec<u8>, Error> {
        Ok(self.wrap(&self.unwrap(wrapped, aad)?, aad))
    }

    /// What a sealed value is found by: `<index key id>.<base64url of 128 bits>`.
    ///
    /// Equal values of one field in one district have equal indexes; whoever reads the table sees that, and how often,
    /// and who has the index key can try all identity numbers. So normalise before, and never index what has few
    /// values.
    #[must_use]
    pub fn blind_index(&self, district: &str, field: &str, normalised_value: &str) -> String {
        index(
            self.keys.indexing.active(),
            district,
            field,
            normalised_value,
        )
    }

    /// The indexes under all keys, the active one first: any of them may be the row's while keys rotate.
    #[must_use]
    pub fn blind_indexes(
        &self,
        district: &str,
        field: &str,
        normalised_value: &str,
    ) -> Vec<String> {
        let ring = &self.keys.indexing;
        let others = ring.keys.iter().rev().filter(|key| key.id != ring.active);
        std::iter::once(ring.active())
            .chain(others)
            .map(|key| index(key, district, field, normalised_value))
            .collect()
    }
}

/// The id of the key that a subject's key is wrapped under. Rows with another id than the active one want rewrapping.
///
/// # Errors
/// [`Error::Malformed`], [`Error::UnknownSuite`].
pub fn kek_id(wrapped: &[u8]) -> Result<&str, Error> {
    let (&length, rest) = cipher::suite(wrapped)?
        .split_first()
        .ok_or(Error::Malformed)?;
    let id = rest.get(..usize::from(length)).ok_or(Error::Malformed)?;
    str::from_utf8(id)
        .ok()
        .filter(|id| ring::is_id(id))
        .ok_or(Error::Malformed)
}

fn index(key: &Key, district: &str, field: &str, value: &str) -> String {
    let length = (district.len() as u64).to_be_bytes();
    let derived = Zeroizing::new(mac(
        key.secret.bytes(),
        &[INDEX, &length, district.as_bytes(), field.as_bytes()],
    ));
    let digest = mac(&*derived, &[value.as_bytes()]);
    format!(
        "{}.{}",
        key.id,
        URL_SAFE_NO_PAD.encode(&digest[..INDEX_BYTES])
    )
}
