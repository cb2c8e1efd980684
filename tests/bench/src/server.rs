//! The program under test, as its operators run it: the release build in processes of its own, over TCP.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use bangban::failure::Failure;
use bangban_kit::config::Config;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::note;

/// How long a start may take before it counts as failed.
const START: Duration = Duration::from_secs(60);

/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(10);

/// A data folder and a database.
pub struct Installation {
    /// With `data` and `database.url` as the processes have them.
    pub config: Config,
    program: PathBuf,
    _folder: TempDir,
}

impl Installation {
    /// A new one; `url` is `sqlite`, or an empty database of PostgreSQL.
    pub fn new(url: &str) -> Result<Self, Failure> {
        let here = std::env::current_exe()
            .map_err(|e| Failure::of("this program does not know where it lies", &e))?;
        let program = here.with_file_name("bangban");
        if !program.is_file() {
            return Err(Failure::new(format!(
                "{} is not there: measure with `make bench`, which builds it.",
                program.display()
            )));
        }
        // Not where files may be memory: what is written is to reach a disk.
        let base = std::env::var_os("TMPDIR").map_or_else(|| "/var/tmp".into(), PathBuf::from);
        let folder = tempfile::Builder::new()
            .prefix("bangban-bench.")
            .tempdir_in(base)
            .map_err(|e| Failure::of("there is no room for a data folder", &e))?;
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        url.clone_into(&mut config.database.url);
        Ok(Self {
            config,
            program,
            _folder: folder,
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            // Not as a flag: the URL may hold a password.
            .env("BANGBAN_DATABASE__URL", &self.config.database.url)
            .env("BANGBAN_DATA", &self.config.data)
            .env("BANGBAN_REDIS__URL", &self.config.redis.url)
            .env("BANGBAN_LOG__LEVEL", "warn")
            .current_dir(&self.config.data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        command
    }

    /// Does one chore to its end.
    pub async fn run(&self, arguments: &[&str]) -> Result<Ended, Failure> {
        let began = Instant::now();
        let mut process = Process::of(self.command(arguments), arguments)?;
        let mut peak = 0.0;
        let status = loop {
            // The high-water mark only grows, so that little is missed between two looks.
            if let Some(memory) = process.memory("VmHWM:") {
                peak = memory;
            }
            if let Ok(status) = timeout(LOOK, process.child.wait()).await {
                break status.map_err(|e| Failure::of("a process cannot be waited for", &e))?;
            }
        };
        let took = began.elapsed();
        process.ended_well(status)?;
        Ok(Ended { took, peak })
    }

    /// Serves everything in one process, and waits until it says that it does.
    pub async fn serve(&self) -> Result<Serving, Failure> {
        let address = free_address()?;
        let text = address.to_string();
        let arguments = ["serve", "--all", "--listen", &text];
        let command = self.command(&arguments);
        let began = Instant::now();
        let process = Process::of(command, &arguments)?;
        let mut serving = Serving {
            process,
            address,
            started_in: Duration::ZERO,
        };
        loop {
            if serving.is_serving().await {
                serving.started_in = began.elapsed();
                return Ok(serving);
            }
            if let Ok(Some(status)) = serving.process.child.try_wait() {
                serving.process.ended_well(status)?;
            }
            if began.elapsed() > START {
                return Err(Failure::new(
                    "the server did not start within a minute; its log says why",
                ));
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// A chore that was done.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// From exec to exit.
    pub took: Duration,
    /// Most memory that was resident, in MB.
    pub peak: f64,
}

struct Process {
    child: Child,
    what: String,
}

impl Process {
    fn of(mut command: Command, arguments: &[&str]) -> Result<Self, Failure> {
        let what = format!("bangban {}", arguments.join(" "));
        let child = command
            .spawn()
            .map_err(|e| Failure::of(&format!("{what} cannot be started"), &e))?;
        Ok(Self { child, what })
    }

    fn ended_well(&self, status: ExitStatus) -> Result<(), Failure> {
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("{} ended with {status}", self.what)))
    }

    fn read(&self, file: &str) -> Option<String> {
        let id = self.child.id()?;
        std::fs::read_to_string(format!("/proc/{id}/{file}")).ok()
    }

    /// A line of the process's status, in MB of a million bytes.
    fn memory(&self, line: &str) -> Option<f64> {
        let status = self.read("status")?;
        let kib = status.lines().find_map(|l| l.strip_prefix(line))?;
        let kib: f64 = kib.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    }
}

/// A process that serves. It ends when this is dropped.
pub struct Serving {
    process: Process,
    /// Where.
    pub address: SocketAddr,
    /// From exec to the first health check that says SERVING.
    pub started_in: Duration,
}

impl Serving {
    async fn is_serving(&self) -> bool {
        let Ok(endpoint) = Endpoint::from_shared(format!("http://{}", self.address)) else {
            return false;
        };
        let Ok(channel) = endpoint.connect().await else {
            return false;
        };
        let request = HealthCheckRequest {
            service: String::new(),
        };
        let answer = HealthClient::new(channel).check(request).await;
        answer.is_ok_and(|a| a.into_inner().status() == ServingStatus::Serving)
    }

    /// What is resident now, in MB.
    pub fn resident(&self) -> Result<f64, Failure> {
        self.process
            .memory("VmRSS:")
            .ok_or_else(|| Failure::new("the server has gone away; its log says why"))
    }

    /// Seconds of processor time that it has used.
    pub fn processor(&self) -> Option<f64> {
        processor(&self.process.read("stat")?)
    }

    /// Ends it, and waits for that.
    pub async fn stop(mut self) {
        if let Err(error) = self.process.child.kill().await {
            note(format!("the server does not end: {error}"));
        }
    }
}

/// User and system time of a line of `/proc/PID/stat`, in seconds.
pub fn processor(stat: &str) -> Option<f64> {
    // Behind the name, which may hold anything, in brackets.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = |at: usize| -> Option<f64> { fields.split_whitespace().nth(at)?.parse().ok() };
    // A tick that programs see is a hundredth of a second on Linux.
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Processor time of this process so far, in seconds.
pub fn own() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").ok();
    stat.and_then(|stat| processor(&stat)).unwrap_or(f64::NAN)
}

fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|e| Failure::of("no port is free", &e))
}

#[cfg(test)]
mod tests {
    use super::processor;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "7 (a) b) S 1 1 1 0 -1 4 1 0 0 0 250 50 0 0 20 0 1 0 5 6 7";
        assert_eq!(processor(stat), Some(3.0));
    }
}
