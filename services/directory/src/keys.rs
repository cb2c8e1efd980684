//! The keyring in service: read again when its file has changed, because another process may have rotated it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use bangban_kit::refusal::Refusal;
use bangban_seal::{Error, Keyring};

/// What tells one state of the file from another: it is replaced whole, and a rotation makes it longer.
type Stamp = Option<(SystemTime, u64)>;

/// The keys of the installation as the file holds them now.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    held: RwLock<(Arc<Keyring>, Stamp)>,
}

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

impl Keys {
    /// Opens the key file, or makes one.
    ///
    /// # Errors
    /// The file's.
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        let ring = Keyring::load_or_create(&path)?;
        // Taken after reading, it could hide a rotation in between; without one the next use reads again.
        let held = RwLock::new((Arc::new(ring), None));
        Ok(Self { path, held })
    }

    /// The ring. What is sealed or indexed with it is so under the keys that are active everywhere.
    pub fn ring(&self) -> Arc<Keyring> {
        let now = stamp(&self.path);
        {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            if held.1 == now {
                return Arc::clone(&held.0);
            }
        }
        self.read_again(now)
    }

    /// Reads the file; keeps what there was when it cannot be read. `now` was taken before, so that a rotation meanwhile
    /// is seen at the next use.
    fn read_again(&self, now: Stamp) -> Arc<Keyring> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        match Keyring::open(&self.path) {
            Ok(ring) => *held = (Arc::new(ring), now),
            Err(error) => tracing::error!(%error, "the key file cannot be read again"),
        }
        Arc::clone(&held.0)
    }

    /// Opens something; when its key is not known, with what the file holds by then.
    ///
    /// # Errors
    /// INTERNAL when it does not open.
    pub fn opened<T>(&self, open: impl Fn(&Keyring) -> Result<T, Error>) -> Result<T, Refusal> {
        let opened = match open(&self.ring()) {
            Err(Error::UnknownKey { .. }) => open(&self.read_again(stamp(&self.path))),
            opened => opened,
        };
        opened.map_err(Refusal::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_by_another_process_is_seen_at_the_next_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let keys = Keys::open(path.clone()).expect("opened");
        let before = keys.ring();
        assert!(Arc::ptr_eq(&before, &keys.ring()), "nothing has changed");
        let mut other = Keyring::open(&path).expect("opened elsewhere");
        other.rotate().expect("rotated");
        other.rotate_index().expect("rotated");
        assert_eq!(keys.ring().active_kek_id(), other.active_kek_id());
        assert_eq!(keys.ring().active_index_id(), other.active_index_id());
    }

    #[test]
    fn a_file_that_is_gone_for_a_moment_ends_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let keys = Keys::open(path.clone()).expect("opened");
        let id = keys.ring().active_kek_id().to_owned();
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(keys.ring().active_kek_id(), id);
    }
}
