//! Keeps a process: what it complains about is told at the terminal, and when it dies it is started again.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::{Plan, Process};
use crate::tell;

/// Pause before a process that has died is started again; it doubles while it dies soon.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Who has run for so long had no trouble starting.
const STEADY: Duration = Duration::from_secs(60);

/// Between two looks at a log.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps a process until `stop`, and ends it then.
pub(super) async fn keep(plan: Arc<Plan>, mut process: Process, stop: CancellationToken) {
    let mut errors = Errors::of(&process.log);
    let mut looks = interval(LOOK);
    let mut pause = FIRST_PAUSE;
    let mut began = Instant::now();
    let name = process.replica.name();
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => {
                process.end().await;
                return;
            }
            _ = looks.tick() => {
                errors.tell(&name);
                continue;
            }
            ended = process.ended() => ended,
        };
        if began.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        let status = ended.map_or_else(|e| e.to_string(), |status| status.to_string());
        tell::complain(format!(
            "{name} has ended ({status}) and is started again in {} s. The end of its log {}:\n{}",
            pause.as_secs(),
            process.log.display(),
            process.tail()
        ));
        errors.skip();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            match Process::start(&plan, &process.replica) {
                Ok(started) => {
                    process = started;
                    began = Instant::now();
                    break;
                }
                Err(failure) => tell::complain(format!("{name}: {failure}")),
            }
        }
    }
}

/// The errors in a log, from now on.
struct Errors {
    file: Option<File>,
    /// The beginning of a line whose end is not written yet.
    begun: String,
}

impl Errors {
    fn of(log: &Path) -> Self {
        let mut errors = Self {
            file: File::open(log).ok(),
            begun: String::new(),
        };
        errors.skip();
        errors
    }

    /// Leaves out what was told otherwise.
    fn skip(&mut self) {
        self.begun.clear();
        if let Some(file) = &mut self.file
            && file.seek(SeekFrom::End(0)).is_err()
        {
            self.file = None;
        }
    }

    fn tell(&mut self, name: &str) {
        let Some(file) = &mut self.file else { return };
        let mut bytes = Vec::new();
        // What was read before an error is read; the next look goes on.
        let _ = file.read_to_end(&mut bytes);
        self.begun.push_str(&String::from_utf8_lossy(&bytes));
        while let Some((line, rest)) = self.begun.split_once('\n') {
            if is_error(line) {
                tell::complain(format!("{name}: {line}"));
            }
            self.begun = rest.to_owned();
        }
    }
}

/// In either shape of logs, or a panic.
fn is_error(line: &str) -> bool {
    line.contains(" ERROR ")
        || line.contains("\"level\":\"ERROR\"")
        || line.contains(" panicked at ")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_line_is_looked_at_when_it_is_whole() {
        let mut log = tempfile::NamedTempFile::new().expect("a file");
        writeln!(log, "2026-11-24T08:00:00Z ERROR before").expect("written");
        let mut errors = Errors::of(log.path());
        write!(log, "2026-11-24T08:00:01Z ERROR beg").expect("written");
        errors.tell("casework-1");
        assert_eq!(errors.begun, "2026-11-24T08:00:01Z ERROR beg");
        writeln!(log, "un").expect("written");
        errors.tell("casework-1");
        assert_eq!(errors.begun, "");
        assert!(is_error("{\"level\":\"ERROR\",\"message\":\"x\"}") && !is_error("INFO fine"));
    }
}
