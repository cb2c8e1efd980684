//! The key file: JSON, mode 0600, replaced whole or not at all. To lose a key is to lose what it sealed, so a new key
//! is on the disk before anything is sealed with it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ring::Ring;
use crate::{Error, random};

const FORMAT: &str = "bangban-keyring";
const VERSION: u32 = 1;
/// Thousands of keys. It is also the reserved capacity, since a buffer that grows leaves copies behind.
const MAX_FILE_BYTES: usize = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    format: String,
    version: u32,
    pub wrapping: Ring,
    pub indexing: Ring,
}

impl Keys {
    pub fn new() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            wrapping: Ring::new(),
            indexing: Ring::new(),
        }
    }

    /// Reads keys. The parser's own words are dropped, since they may quote a key.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let keys: Self =
            serde_json::from_slice(json).map_err(|_| Error::NotAKeyFile("not the JSON of one"))?;
        if keys.format != FORMAT || keys.version != VERSION {
            return Err(Error::NotAKeyFile("another format or version"));
        }
        keys.wrapping.check()?;
        keys.indexing.check()?;
        Ok(keys)
    }

    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(at(path))?;
        only_owner(path, &file)?;
        let mut json = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES + 1));
        file.take(MAX_FILE_BYTES as u64 + 1)
            .read_to_end(&mut json)
            .map_err(at(path))?;
        if json.len() > MAX_FILE_BYTES {
            return Err(Error::NotAKeyFile("larger than 1 MiB"));
        }
        Self::parse(&json)
    }

    /// Writes a file that is not there yet. A hard link is what makes "whole, and only if absent" one step.
    pub fn create(&self, path: &Path) -> Result<(), Error> {
        let temporary = self.write_beside(path)?;
        let linked = fs::hard_link(&temporary, path);
        let removed = fs::remove_file(&temporary);
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::Exists {
                    path: path.to_owned(),
                });
            }
            linked => linked.and(removed).map_err(at(path))?,
        }
        sync_parent(path)
    }

    pub fn replace(&self, path: &Path) -> Result<(), Error> {
        let temporary = self.write_beside(path)?;
        if let Err(error) = fs::rename(&temporary, path) {
            // The first error is the one to tell; a temporary file that stays is only untidy.
            let _ = fs::remove_file(&temporary);
            return Err(at(path)(error));
        }
        sync_parent(path)
    }

    fn write_beside(&self, path: &Path) -> Result<PathBuf, Error> {
        let mut json = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES));
        serde_json::to_writer_pretty(&mut *json, self).map_err(|error| at(path)(error.into()))?;
        if json.len() > MAX_FILE_BYTES {
            return Err(Error::NotAKeyFile("larger than 1 MiB"));
        }
        let mut unique = [0; 6];
        random::fill(&mut unique);
        let temporary = beside(path, &format!(".{}.tmp", URL_SAFE_NO_PAD.encode(unique)));
        let written = private(OpenOptions::new().write(true).create_new(true))
            .open(&temporary)
            .and_then(|mut file| file.write_all(&json).and_then(|()| file.sync_all()));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(at(&temporary)(error));
        }
        Ok(temporary)
    }
}

/// Held while a file is read, changed and replaced, so that two rotations at once do not lose a key. It is a file of
/// its own because the key file is replaced; it ends with the process.
pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    let path = beside(path, ".lock");
    let file = private(OpenOptions::new().write(true).create(true))
        .open(&path)
        .map_err(at(&path))?;
    file.lock().map_err(at(&path))?;
    Ok(file)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(unix)]
fn only_owner(path: &Path, file: &File) -> Result<(), Error> {
    let metadata = file.metadata().map_err(at(path))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(Error::NotOwnerOnly {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn only_owner(_path: &Path, _file: &File) -> Result<(), Error> {
    Ok(())
}

/// A new name is safe only when its directory is.
fn sync_parent(path: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(at(path))?;
    }
    Ok(())
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        path: path.clone(),
        source,
    }
}
