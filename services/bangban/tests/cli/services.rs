//! Every service as processes of its own.

use std::{net::TcpListener, path::Path, process::Command};

use bangban_rig::Server;

use crate::{
    appointment, bangban, database, example, first_call,
    running::{Running, eventually, runs, send, walked},
    text,
};

fn services(folder: &Path, url: &str, replicas: &str) -> Command {
    let flags = ["services", "--port-base", "0", "--replicas", replicas];
    let mut command = bangban(folder, &flags);
    command.env("DATABASE_URL", url);
    command
}

fn are_gone(children: &[u32]) {
    let left = || children.iter().copied().filter(|id| runs(*id)).count();
    let gone = eventually(|| (left() == 0).then_some(()));
    assert!(gone.is_some(), "{} processes are left", left());
}

/// On a database and a Redis that were walked on before by as many as there were fewer replicas.
fn walk_and_end(url: &str, redis: &Server, replicas: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = services(folder.path(), url, &replicas.to_string());
    command.env("REDIS_URL", redis.url());
    let mut running = Running::start(command);
    let told = running.until_ready();
    assert!(told.contains("ledgers verified: 2"), "{told}");
    appointment::was_told(&told);
    appointment::was_kept(folder.path(), redis, replicas);
    let ready = told.lines().last().unwrap_or_default();
    assert_eq!(ready.matches("127.0.0.1:").count(), 5 * replicas, "{ready}");
    if replicas == 1 {
        example::walks_through(folder.path(), ready);
        first_call::lists_what_casework_serves(folder.path(), ready);
    }
    let children = running.children();
    assert_eq!(children.len(), 5 * replicas);
    running.signal("TERM");
    let ended = running.ended();
    are_gone(&children);
    assert!(
        ended.is_some_and(|status| status.success()),
        "{ended:?}\n{told}\n{}",
        running.complaints()
    );
}

#[test]
fn services_walk_as_processes_of_their_own_and_end_when_told() {
    if let Some(url) = database("services") {
        let redis = Server::start(&[]);
        walk_and_end(&url, &redis, 1);
        // The same databases, by processes that know nothing of the first.
        walk_and_end(&url, &redis, 2);
    }
}

#[test]
fn services_that_die_are_started_again_and_none_outlives_its_parent() {
    let Some(url) = database("kept") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(services(folder.path(), &url, "1"));
    running.until_ready();
    let before = running.children();
    assert_eq!(before.len(), 5);
    before.iter().for_each(|id| send("KILL", *id));
    for service in ["directory", "casework", "consultation", "supervision"] {
        assert!(folder.path().join(format!("logs/{service}-1.log")).exists());
    }
    running.complains("is started again");
    let config = folder.path().join("bangban.toml");
    let walked = walked(|| {
        let walk = ["walk", "--config", &config.to_string_lossy()];
        let done = bangban(folder.path(), &walk).output().expect("it runs");
        text(&done.stdout)
            .contains("ledgers verified: 2")
            .then_some(())
    });
    assert!(walked.is_some(), "{}", running.complaints());
    let after = eventually(|| Some(running.children()).filter(|ids| ids.len() == 5));
    let after = after.expect("all five run again");
    running.signal("KILL");
    assert!(running.ended().is_some());
    are_gone(&after);
}

#[test]
fn services_say_what_they_lack() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = bangban(folder.path(), &["services"]);
    let without = command
        .env_remove("DATABASE_URL")
        .output()
        .expect("it runs");
    assert!(!without.status.success());
    assert!(text(&without.stderr).contains("make services"));
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = held.local_addr().expect("an address").port().to_string();
    let taken = bangban(folder.path(), &["services", "--port-base", &port])
        .env("DATABASE_URL", "postgres://127.0.0.1/nothing")
        .output()
        .expect("it runs");
    let told = text(&taken.stderr);
    assert!(
        told.contains(&port) && told.contains("--port-base"),
        "{told}"
    );
}
