//! What tests find on the machine, or install.

use std::{path::PathBuf, process::Command};

fn installed<T>(package: &str, find: impl Fn() -> Option<T>) -> T {
    find().unwrap_or_else(|| {
        let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/scripts/packages");
        let status = Command::new(packages)
            .args(["tests on Redis", package])
            .status()
            .expect("the script runs");
        assert!(status.success(), "{package} is needed for tests on Redis");
        find().unwrap_or_else(|| panic!("{package} was installed, but is not where it should be"))
    })
}

pub(crate) fn redis_server() -> PathBuf {
    installed("redis-server", || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join("redis-server"))
            .find(|program| program.exists())
    })
}

/// A library in one of the folders that are named after the machine.
pub(crate) fn library(package: &str, name: &str) -> String {
    installed(package, || {
        let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
        folders
            .map(|folder| folder.path().join(name))
            .find(|file| file.exists())
    })
    .display()
    .to_string()
}
