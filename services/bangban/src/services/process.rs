//! One process: started, looked at, ended. It holds a pipe into the process, which ends when the pipe does
//! ([`super::child`]): nothing is left behind, whatever becomes of us.

use std::{
    fs,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use bangban_kit::config;
use tokio::{
    process::{Child, ChildStdin, Command},
    time::{Instant, sleep, timeout},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::plan::{Plan, Replica};
use crate::{client::Client, failure::Failure};

/// How long a process may take until it serves: it brings the tables up to date first.
const START: Duration = Duration::from_secs(120);

/// How long it may take to say so.
const HEALTH: Duration = Duration::from_secs(2);

/// Between two looks at its health.
const LOOK: Duration = Duration::from_millis(25);

/// What a drain may take beyond the seconds that are configured for it.
const MARGIN: Duration = Duration::from_secs(10);

/// How much of the end of a log is shown.
const TAIL_BYTES: u64 = 4000;

/// One process.
#[derive(Debug)]
pub struct Process {
    /// Which.
    pub replica: Replica,
    /// Its log.
    pub log: PathBuf,
    /// Whom to trust when it is asked whether it serves.
    tls: config::Tls,
    /// How long it gets to end by itself.
    drain: Duration,
    child: Child,
    /// Apart from the child, because waiting for that closes what is left in it.
    hold: Option<ChildStdin>,
}

impl Process {
    /// Starts it; it does not serve yet. Its log goes on where an earlier one of the same name ended.
    ///
    /// # Errors
    /// When the program cannot be started, or the log not be written.
    pub fn start(plan: &Plan, replica: &Replica) -> Result<Self, Failure> {
        let failed = |what: String| move |e: std::io::Error| Failure::of(&what, &e);
        let log = plan.log_of(replica);
        let unwritable = format!("{} cannot be written", log.display());
        let out = fs::OpenOptions::new().create(true).append(true).open(&log);
        let out = out.map_err(failed(unwritable.clone()))?;
        let error = out.try_clone().map_err(failed(unwritable))?;
        let mut command = Command::new(&plan.program);
        command
            .args(["serve", replica.service.name(), "--end-with-input"])
            .arg("--config")
            .arg(plan.file_of(replica.service))
            .args(plan.flags(replica))
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(error)
            // Ctrl-C at a terminal is ours to answer: we end the processes in order.
            .process_group(0)
            .kill_on_drop(true);
        // The file says everything; what we were told by the environment stands in it already.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BANGBAN_") {
                command.env_remove(name);
            }
        }
        let server = &plan.config.server;
        let mut child = command.spawn().map_err(failed(format!(
            "{} cannot be started as {}",
            plan.program.display(),
            replica.name()
        )))?;
        Ok(Self {
            replica: replica.clone(),
            log,
            tls: plan.config.tls.clone(),
            drain: Duration::from_secs(server.drain_notice_seconds + server.drain_seconds) + MARGIN,
            hold: child.stdin.take(),
            child,
        })
    }

    /// The number of the process; none when it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// When it ends instead, or takes longer than two minutes: with the end of its log.
    pub async fn serves(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + START;
        let name = self.replica.name();
        let client = Client::one(self.replica.service.name(), &self.replica.url(), &self.tls)?;
        loop {
            if is_serving(&client).await {
                return Ok(());
            }
            let ended = self
                .child
                .try_wait()
                .map_err(|e| Failure::of(&format!("{name} cannot be watched; start again"), &e))?;
            if let Some(status) = ended {
                let tail = self.tail();
                return Err(Failure::new(format!(
                    "{name} has not started ({status}); its log says why:\n{tail}"
                )));
            }
            if Instant::now() >= until {
                return Err(Failure::new(format!(
                    "{name} does not serve after {} s; its log may say why:\n{}",
                    START.as_secs(),
                    self.tail()
                )));
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends it: it drains, within the seconds that the configuration gives for that; then it is killed.
    pub async fn end(&mut self) {
        drop(self.hold.take());
        if timeout(self.drain, self.child.wait()).await.is_err() {
            let name = self.replica.name();
            tracing::warn!(name, "it did not end by itself, and was killed");
            if let Err(error) = self.child.kill().await {
                tracing::error!(name, %error, "it cannot be killed");
            }
        }
    }

    /// The end of its log.
    #[must_use]
    pub fn tail(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = fs::File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        };
        read().unwrap_or_else(|e| format!("{}: {e}", self.log.display()))
    }
}

async fn is_serving(client: &Client) -> bool {
    let mut request = client.request(HealthCheckRequest::default());
    request.set_timeout(HEALTH);
    let answer = HealthClient::new(client.channel()).check(request).await;
    answer.is_ok_and(|a| a.into_inner().status() == ServingStatus::Serving)
}
