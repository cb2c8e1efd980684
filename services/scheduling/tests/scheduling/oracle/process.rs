//! The service as a process that can be killed: this very test program, started to serve and nothing else.

use std::{
    io::Read as _,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bangban_kit::config::Config;
use bangban_rig::{eventually, free_port};

use super::stage::Stage;
use crate::served::{double::Directory, server::Served};

/// What a process is told: data folder, database, Redis and address, a line each.
const TOLD: &str = "ORACLE_SERVES";

/// A process.
pub struct Process {
    told: String,
    pub address: SocketAddr,
    process: Option<Child>,
}

impl Process {
    /// Starts one on what the stage's servers are on.
    pub fn start(stage: &Stage) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = &stage.world.config;
        let told = format!(
            "{}\n{}\n{}\n{address}",
            config.data.display(),
            config.database.url,
            config.redis.url
        );
        let mut process = Self {
            told,
            address,
            process: None,
        };
        process.run();
        process
    }

    /// Starts it, again.
    pub fn run(&mut self) {
        let address = self.address;
        eventually("a process serves", Duration::from_secs(90), || {
            if !self.goes_on() {
                self.begins();
            }
            std::net::TcpStream::connect(address).ok()
        });
    }

    /// Whether there is one: it may have ended, where the machine stood still when it began.
    fn goes_on(&mut self) -> bool {
        let state = self.process.as_mut().map(|process| process.try_wait());
        state.is_some_and(|ended| ended.expect("a state").is_none())
    }

    fn begins(&mut self) {
        let this = std::env::current_exe().expect("a program");
        let process = Command::new(this)
            .args(["--exact", "oracle::process::serves", "--ignored"])
            .env(TOLD, &self.told)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(process.expect("a process"));
    }

    /// SIGSTOP: it does nothing more, and keeps its connections.
    pub fn stop(&self) {
        let id = self.process.as_ref().expect("it runs").id();
        let sent = Command::new("kill")
            .args(["-s", "STOP", &id.to_string()])
            .status();
        assert!(sent.expect("kill runs").success(), "it was not stopped");
        eventually("all its threads stand", Duration::from_secs(30), || {
            let mut threads = std::fs::read_dir(format!("/proc/{id}/task")).expect("threads");
            let stands = threads.all(|thread| is_stopped(&thread.expect("a thread").path()));
            stands.then_some(())
        });
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("killed");
            process.wait().expect("gone");
        }
    }
}

/// Whether a thread is stopped: its state stands behind its name, which is in brackets.
fn is_stopped(thread: &Path) -> bool {
    let stat = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, state)| state.starts_with('T'))
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What such a process does, until it is killed or its parent is gone.
#[test]
#[ignore = "a process that other tests start and kill"]
fn serves() {
    let Ok(told) = std::env::var(TOLD) else {
        return;
    };
    let told: Vec<&str> = told.lines().collect();
    let [data, database, redis, address] = told[..] else {
        panic!("told {told:?}");
    };
    let mut config = Config {
        data: data.into(),
        ..Config::default()
    };
    config.database.url = database.to_owned();
    config.database.max_connections = 8;
    config.database.acquire_seconds = 60;
    config.database.migrate = false;
    config.redis.url = redis.to_owned();
    config.server.listen = address.parse().expect("an address");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _served = runtime.block_on(async {
        let directory = Directory::default().knows_everybody();
        let served = Served::start(&config, directory).await;
        served.works_unasked();
        served
    });
    // Nobody writes: it ends with its parent.
    _ = std::io::stdin().read(&mut [0]);
}
