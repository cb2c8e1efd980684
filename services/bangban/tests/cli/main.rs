//! Runs the binary as people do.

mod appointment;
mod certificates;
mod ending;
mod example;
mod first_call;
mod running;
mod services;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use running::Running;

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
    if let Some(url) = database("walk") {
        walks(&["--set", &format!("database.url={url}")]);
    }
}

/// A database of this test's own, by its URL.
fn database(what: &str) -> Option<String> {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
        return None;
    };
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    let name = format!("bangban_{what}_{}", std::process::id());
    let made = Command::new("psql")
        .args([&url, "-qc", &format!("CREATE DATABASE {name}")])
        .status()
        .expect("psql");
    assert!(made.success());
    Some(format!("{server}/{name}"))
}

fn walks(flags: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [&["run", "--listen", "127.0.0.1:0"], flags].concat();
    let mut running = Running::start(bangban(folder.path(), &arguments));
    let told = running.until_ready();
    assert!(told.contains("ledgers verified: 2"), "{told}");
    appointment::was_told(&told);
    let (_, ready) = told.rsplit_once("ready: grpc ").expect("an address");
    let address = ready.split(' ').next().unwrap_or_default();
    appointment::was_kept_in_one(folder.path(), address);
    running.signal("TERM");
    let ended = running.ended();
    assert!(
        ended.is_some_and(|status| status.success()),
        "{ended:?}\n{told}\n{}",
        running.complaints()
    );
}
