//! The process of the empty service, from both ends.

use std::{io::Read as _, net::SocketAddr, path::Path, process::Stdio};

use bangban::failure::Failure;
use bangban_kit::config::Config;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use tokio_util::sync::CancellationToken;

use super::{ARGUMENT, Around};
use crate::server::processor;

/// A process that serves. It ends when this is dropped.
pub struct Process {
    /// Where.
    pub address: SocketAddr,
    child: Child,
}

/// What it is configured by: a file, or a folder and the defaults.
pub enum By<'a> {
    /// The file of a service.
    File(&'a Path),
    /// The data folder.
    Folder(&'a Path),
}

impl Process {
    /// Starts one.
    pub async fn start(around: Around, by: By<'_>) -> Result<Self, Failure> {
        let failed = |e| Failure::of("the empty service cannot be started", &e);
        let (flag, path) = match by {
            By::File(path) => ("file", path),
            By::Folder(path) => ("folder", path),
        };
        let program = std::env::current_exe().map_err(failed)?;
        let mut child = Command::new(program)
            .args([ARGUMENT, around.name(), flag])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let out = child.stdout.take().ok_or_else(nothing)?;
        let line = BufReader::new(out).lines().next_line().await;
        let address = line.map_err(failed)?.and_then(|line| line.parse().ok());
        Ok(Self {
            address: address.ok_or_else(nothing)?,
            child,
        })
    }

    /// Seconds of processor time that it has used.
    pub fn processor(&self) -> f64 {
        let id = self.child.id().unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok();
        stat.and_then(|stat| processor(&stat)).unwrap_or(f64::NAN)
    }
}

fn nothing() -> Failure {
    Failure::new("the empty service did not start: it said why")
}

/// The configuration that the arguments of the process name.
pub(super) fn config(flags: &[String]) -> Result<Config, Failure> {
    let free = ("server.listen".to_owned(), "127.0.0.1:0".to_owned());
    let loaded = match flags {
        [flag, path] if flag == "file" => Config::load(Some(Path::new(path)), &[free]),
        [_, path] => Config::load(None, &[("data".to_owned(), path.clone()), free]),
        _ => return Err(Failure::new("where is the configuration?")),
    };
    loaded.map_err(|e| Failure::new(e.to_string()))
}

/// A thread of its own: a read that waits would hold the runtime's end up.
pub(super) fn cancel_with_input(stop: CancellationToken) {
    std::thread::spawn(move || {
        let mut dropped = [0; 64];
        let mut input = std::io::stdin().lock();
        while input.read(&mut dropped).is_ok_and(|count| count > 0) {}
        stop.cancel();
    });
}
