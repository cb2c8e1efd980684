//! One process of a cluster, and what may happen to it.

use std::{
    process::{Command, ExitStatus},
    sync::Arc,
};

use bangban::services::{Plan, Process, Replica};

use super::metrics;

/// One process.
pub struct Member {
    plan: Arc<Plan>,
    process: Process,
    is_stopped: bool,
}

impl Member {
    pub(super) fn new(plan: Arc<Plan>, process: Process) -> Self {
        Self {
            plan,
            process,
            is_stopped: false,
        }
    }

    /// Which service, which number, where.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.process.replica
    }

    /// The number of the process; none when it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The end of its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.tail()
    }

    /// Its page for Prometheus, where the configuration gives it one.
    ///
    /// # Panics
    /// When it has none, or has ended.
    pub async fn metrics(&self) -> String {
        metrics::page(&self.process.log).await
    }

    /// Waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn serves(&mut self) {
        if let Err(failure) = self.process.serves().await {
            panic!("{failure}");
        }
    }

    /// Asks it to end (SIGTERM), and waits until it has: it drains first.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// Ends it at once (SIGKILL).
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub async fn kill(&mut self) {
        self.signal("KILL");
        self.ended().await;
    }

    /// Stops it (SIGSTOP): it keeps its connections and answers nothing.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn stop(&mut self) {
        self.signal("STOP");
        self.is_stopped = true;
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn go_on(&mut self) {
        self.signal("CONT");
        self.is_stopped = false;
    }

    /// Starts it again, on the same port, when it has ended; it serves when this returns.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        self.process = Process::start(&self.plan, &self.process.replica).expect("a process");
        self.is_stopped = false;
        self.serves().await;
    }

    /// SIGTERM, and when it has drained another one in its place.
    ///
    /// # Panics
    /// When it ends badly, or the other does not start.
    pub async fn restart(&mut self) {
        let status = self.terminate().await;
        assert!(status.success(), "{status}\n{}", self.log());
        self.start_again().await;
    }

    /// Ends it, by itself or by force.
    pub async fn end(&mut self) {
        self.process.end().await;
    }

    /// What it keeps resident now, in MB of a million bytes.
    ///
    /// # Panics
    /// When it has gone away.
    #[must_use]
    pub fn resident(&self) -> f64 {
        let id = self.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let kib = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib = kib.and_then(|kib| kib.trim().strip_suffix("kB"));
        let kib: f64 = kib.and_then(|kib| kib.trim().parse().ok()).expect("kB");
        kib * 1024.0 / 1e6
    }

    pub(super) fn continue_if_stopped(&mut self) {
        if self.is_stopped && self.id().is_some() {
            self.go_on();
        }
    }

    async fn ended(&mut self) -> ExitStatus {
        self.process.ended().await.expect("it ends")
    }

    fn signal(&self, signal: &str) {
        let id = self.id().expect("it runs");
        let sent = Command::new("kill")
            .args([format!("-{signal}"), id.to_string()])
            .status()
            .expect("kill runs");
        assert!(
            sent.success(),
            "{} cannot be signalled",
            self.replica().name()
        );
    }
}
