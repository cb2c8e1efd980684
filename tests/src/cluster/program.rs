//! The program under test, and room for its files.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use tempfile::TempDir;

/// The `bangban` that was built with this program, or the one that `BANGBAN_PROGRAM` names.
///
/// # Panics
/// When there is none.
pub(super) fn bangban() -> PathBuf {
    if let Some(named) = std::env::var_os("BANGBAN_PROGRAM") {
        return named.into();
    }
    let here = std::env::current_exe().expect("this program lies somewhere");
    // Tests lie in a folder below.
    let program = here
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("bangban"))
        .find(|program| program.is_file())
        .expect("no bangban lies here: build it with `cargo build -p bangban`");
    if is_stale(&program) {
        eprintln!(
            "{} is older than its sources: build it with `cargo build -p bangban`, or test the workspace",
            program.display()
        );
    }
    program
}

/// Whether a source has changed since: cargo writes them down beside the program.
fn is_stale(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let built = changed(program).unwrap_or(SystemTime::UNIX_EPOCH);
    let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = sources.split_whitespace().skip(1);
    sources
        .filter_map(|source| changed(Path::new(source)))
        .any(|source| source > built)
}

/// A folder of its own, not where files may be memory: what is written is to reach a disk.
///
/// # Panics
/// When there is no room.
pub(super) fn folder() -> TempDir {
    let base = std::env::var_os("TMPDIR").map_or_else(|| "/var/tmp".into(), PathBuf::from);
    tempfile::Builder::new()
        .prefix("bangban-cluster.")
        .tempdir_in(base)
        .expect("a folder")
}
