//! A process of the binary that serves.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// How long starting, loading the sample and walking may take, unoptimised and on a busy machine.
const READY: Duration = Duration::from_secs(180);

/// How long an end may take.
const END: Duration = Duration::from_secs(40);

/// Between two looks at something that tells no one.
const LOOK: Duration = Duration::from_millis(50);

/// A child that does not outlive its test.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    complaints: Receiver<String>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = read(child.stdout.take().expect("standard output"));
        let complaints = read(child.stderr.take().expect("standard error"));
        Self {
            child,
            lines,
            complaints,
        }
    }

    /// What it told until it was ready.
    pub fn until_ready(&mut self) -> String {
        let mut told = Vec::new();
        while let Some(line) = within(&self.lines, READY) {
            let is_last = line.starts_with("ready:");
            told.push(line);
            if is_last {
                return told.join("\n");
            }
        }
        let _ = self.child.kill();
        panic!("not ready\n{}\n{}", told.join("\n"), self.complaints());
    }

    /// Waits until it complains of something, and says in which line.
    pub fn complains(&self, of: &str) -> String {
        let mut seen = Vec::new();
        while let Some(line) = within(&self.complaints, END) {
            if line.contains(of) {
                return line;
            }
            seen.push(line);
        }
        panic!("it does not complain of {of:?} but\n{}", seen.join("\n"));
    }

    pub fn signal(&self, signal: &str) {
        send(signal, self.child.id());
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        eventually(|| self.child.try_wait().expect("a child"))
    }

    /// All that it complained of so far, or when it has ended all.
    pub fn complaints(&self) -> String {
        let mut all = Vec::new();
        while let Some(line) = within(&self.complaints, Duration::from_secs(1)) {
            all.push(line);
        }
        all.join("\n")
    }

    /// The processes that it started and that still run.
    pub fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).expect("its threads");
        let children = tasks.filter_map(|task| {
            let file = task.ok()?.path().join("children");
            std::fs::read_to_string(file).ok()
        });
        children
            .flat_map(|ids| {
                let ids: Vec<u32> = ids.split_whitespace().flat_map(str::parse).collect();
                ids
            })
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(from)
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| send.send(line))
    });
    lines
}

fn within(lines: &Receiver<String>, bound: Duration) -> Option<String> {
    lines.recv_timeout(bound).ok()
}

pub fn send(signal: &str, process: u32) {
    let status = Command::new("kill")
        .args([&format!("-{signal}"), &process.to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success());
}

/// Whether a process runs; one that has ended and waits to be reaped does not.
pub fn runs(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|s| s.starts_with(" Z")))
}

/// What a look finds, within a bound.
pub fn eventually<T>(look: impl FnMut() -> Option<T>) -> Option<T> {
    eventually_within(END, look)
}

/// What a look finds, within the time that a start and a walk may take.
pub fn walked<T>(look: impl FnMut() -> Option<T>) -> Option<T> {
    eventually_within(READY, look)
}

fn eventually_within<T>(bound: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + bound;
    while Instant::now() < until {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(LOOK);
    }
    None
}
