//! Files that only their owner may read.

use std::{fs, io::Write as _, path::Path};

use crate::failure::Failure;

/// Writes a file whole, in place of the one that may be there, readable by its owner alone.
///
/// # Errors
/// The file system's.
pub(super) fn write_secret(path: &Path, content: &str) -> Result<(), Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let making = Path::new(&name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(making)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .and_then(|()| fs::rename(making, path));
    written.map_err(|e| {
        Failure::of(
            &format!(
                "{} cannot be written; choose another folder with --data",
                path.display()
            ),
            &e,
        )
    })
}
