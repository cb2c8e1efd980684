//! Runs the binary as people do.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How long starting, loading the sample and walking may take, unoptimised and on a busy machine.
const READY: Duration = Duration::from_secs(180);

/// How long an end may take.
const END: Duration = Duration::from_secs(30);

fn bangban(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bangban"));
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BANGBAN_")) {
        command.env_remove(name);
    }
    command
}

fn output(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    bangban(folder.path(), arguments)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn config_check_shows_what_applies_or_every_mistake() {
    let good = output(&["config", "check", "--listen", "127.0.0.1:9009"]);
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert!(
        text(&good.stdout).contains("listen = \"127.0.0.1:9009\""),
        "{}",
        text(&good.stdout)
    );
    let bad = output(&["config", "check", "--set", "database.url=mysql://x"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        text(&bad.stderr).contains("database.url"),
        "{}",
        text(&bad.stderr)
    );
}

#[test]
fn the_calendar_answers_with_reasons() {
    let holiday = output(&["calendar", "is-working-day", "2026-10-01"]);
    assert!(
        text(&holiday.stdout).contains("rest day"),
        "{}",
        text(&holiday.stdout)
    );
    let sum = output(&["calendar", "add", "2026-11-27", "1"]);
    assert!(
        text(&sum.stdout).starts_with("2026-11-30"),
        "{}",
        text(&sum.stdout)
    );
    let due = output(&[
        "calendar",
        "due",
        "--start",
        "2026-11-24",
        "--limit",
        "5",
        "--unit",
        "working-day",
    ]);
    let due = text(&due.stdout);
    assert!(
        due.contains("2026-11-28 Sat") && due.contains("due: 2026-12-02T00:00:00+08:00"),
        "{due}"
    );
    let wrong = output(&["calendar", "is-working-day", "1999-01-01"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong.stderr).contains("outside the calendar"),
        "{}",
        text(&wrong.stderr)
    );
}

#[test]
fn a_token_is_signed_for_known_roles_only() {
    let token = output(&[
        "token",
        "--subject",
        "hu-yulian",
        "--role",
        "agent",
        "--region",
        "420527106206",
    ]);
    assert!(token.status.success(), "{}", text(&token.stderr));
    assert_eq!(text(&token.stdout).trim().split('.').count(), 3);
    assert!(
        !output(&["token", "--subject", "x", "--role", "service"])
            .status
            .success()
    );
    let foreign = output(&[
        "token",
        "--subject",
        "x",
        "--role",
        "agent",
        "--set",
        "identity.jwks=/nowhere.json",
    ]);
    assert!(
        text(&foreign.stderr).contains("identity.jwks"),
        "{}",
        text(&foreign.stderr)
    );
}

#[test]
fn a_file_that_is_no_ledger_is_refused() {
    let wrong = output(&["ledger", "verify", "Cargo.toml"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong.stdout).contains("ledgers verified: 0"),
        "{}",
        text(&wrong.stdout)
    );
}

#[test]
fn run_loads_the_sample_walks_and_ends_when_told() {
    walks(&[]);
}

#[test]
fn run_walks_the_same_case_on_postgresql() {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
        return;
    };
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    let name = format!("bangban_walk_{}", std::process::id());
    let made = Command::new("psql")
        .args([&url, "-qc", &format!("CREATE DATABASE {name}")])
        .status()
        .expect("psql");
    assert!(made.success());
    walks(&["--set", &format!("database.url={server}/{name}")]);
}

fn walks(flags: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [&["run", "--listen", "127.0.0.1:0"], flags].concat();
    let mut child = Running(
        bangban(folder.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts"),
    );
    let stdout = child.0.stdout.take().expect("standard output");
    let mut stderr = child.0.stderr.take().expect("standard error");
    let complaints = thread::spawn(move || {
        let mut all = Vec::new();
        stderr
            .read_to_end(&mut all)
            .map(|_| text(&all))
            .unwrap_or_default()
    });
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| send.send(line))
    });

    let until = Instant::now() + READY;
    let mut told = Vec::new();
    let is_ready = loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let is_last = line.starts_with("ready:");
                told.push(line);
                if is_last {
                    break true;
                }
            }
            Err(_) => break false,
        }
    };
    let told = told.join("\n");
    if !is_ready {
        child.0.kill().expect("killed");
        panic!(
            "not ready\n{told}\n{}",
            complaints.join().unwrap_or_default()
        );
    }
    assert!(told.contains("ledgers verified: 2"), "{told}");

    let status = Command::new("kill")
        .args(["-TERM", &child.0.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success());
    let ended = child.ended(END);
    let complaints = complaints.join().unwrap_or_default();
    assert!(
        ended.is_some_and(|status| status.success()),
        "{ended:?}\n{told}\n{complaints}"
    );
}

/// A child that does not outlive its test.
struct Running(Child);

impl Running {
    fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.0.kill().expect("killed");
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
