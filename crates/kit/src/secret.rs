//! Files that hold a secret: made once and whole, readable by their owner alone.

use std::{
    fs,
    io::{Error, ErrorKind, Result, Write as _},
    path::Path,
};

/// What a file holds; made, where it is not there. Of several who make it at the same time one is first, and all read what
/// that one has made.
///
/// # Errors
/// The file's, and what making comes to.
pub fn read_or_make(path: &Path, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read,
    }
    let content = make()?;
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let unique = format!(
        "{}.{}",
        name.to_string_lossy(),
        uuid::Uuid::now_v7().simple()
    );
    let making = path.with_file_name(unique);
    // A link is what makes "whole, and only where there is none" one step.
    let made = write(&making, &content).and_then(|()| match fs::hard_link(&making, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => fs::read(path),
    });
    // One that stays is only untidy.
    _ = fs::remove_file(&making);
    made
}

/// Writes a file that only the owner may read.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(path)?;
    out.write_all(content).and_then(|()| out.sync_all())
}

/// An error of making that is none of the file's.
pub fn unusable(what: impl ToString) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_who_make_it_at_the_same_time_read_the_same_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.key");
        let read: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..16_u8)
                .map(|n| {
                    let path = &path;
                    scope.spawn(move || read_or_make(path, || Ok(vec![n; 4096])))
                })
                .collect();
            let read = makers.into_iter().map(|maker| maker.join());
            read.map(|read| read.expect("made").expect("read"))
                .collect()
        });
        assert!(read.iter().all(|one| *one == read[0] && one.len() == 4096));
        assert_eq!(fs::read_dir(folder.path()).expect("files").count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_there_is_kept_and_what_cannot_be_made_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.key");
        let none = read_or_make(&path, || Err(unusable("no luck")));
        assert_eq!(none.expect_err("nothing").to_string(), "no luck");
        assert_eq!(fs::read_dir(folder.path()).expect("files").count(), 0);
        fs::write(&path, "mine").expect("written");
        let kept = read_or_make(&path, || Ok(b"another".to_vec()));
        assert_eq!(kept.expect("read"), b"mine");
    }
}
