//! A clock that reads its offset from a file, as often as it is asked.

use tempfile::TempDir;

use crate::{Server, installed::library};

/// The clock of servers that are started with it: the machine's, shifted.
pub struct Faketime(TempDir);

impl Faketime {
    /// A clock that is right yet.
    ///
    /// # Panics
    /// When its file cannot be written.
    #[must_use]
    pub fn right() -> Self {
        let clock = Self(tempfile::tempdir().expect("a folder"));
        clock.shift("+0");
        clock
    }

    /// Shifts it against the machine's: `+700d`, `-3600`.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn shift(&self, offset: &str) {
        std::fs::write(self.0.path().join("now"), offset).expect("written");
    }

    /// A Redis that goes by it.
    #[must_use]
    pub fn server(&self, args: &[&str]) -> Server {
        // Debian's Redis allocates with jemalloc, which asks for the time before libfaketime can tell it.
        let allocator = library("libtcmalloc-minimal4", "libtcmalloc_minimal.so.4");
        let faketime = library("libfaketime", "faketime/libfaketime.so.1");
        let file = self.0.path().join("now");
        let env = [
            ("LD_PRELOAD", format!("{allocator} {faketime}")),
            ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value));
        Server::start_with(args, env.to_vec())
    }
}
