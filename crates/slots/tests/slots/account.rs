//! The account that docs/operating.md gives the gate is enough for everything that it does, and has nothing that it does
//! not use.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bangban_rig::{Cluster, PATIENCE, Server};
use bangban_slots::Counts;

use crate::faults::gates;
use crate::server::settings;
use crate::truth::Truth;
use crate::workload::{Crowd, day, ready};

const OPERATING: &str = include_str!("../../../../docs/operating.md");

/// What stands between backticks from the account on: its command, what it needs besides in a Cluster, and with a database.
fn documented() -> [Vec<&'static str>; 3] {
    let (_, behind) = OPERATING.split_once("`ACL SETUSER").expect("an account");
    let mut spans = behind.split('`').step_by(2);
    let mut next = || spans.next().expect("a span").split_whitespace().collect();
    let told: [Vec<&str>; 3] = [next(), next(), next()];
    assert_eq!(told[0][..3], ["bangban", "on", ">PASSWORD"]);
    let besides = told[1..].iter().flatten();
    assert!(
        besides.clone().all(|rule| rule.starts_with('+')),
        "{told:?}"
    );
    told
}

/// The server takes the account, and nobody without one.
fn is_told(server: &Server, besides: &[&str]) {
    let [account, ..] = documented();
    let command = ["ACL", "SETUSER"].into_iter().chain(account);
    let command: Vec<_> = command.chain(besides.iter().copied()).collect();
    server.ask::<()>(&command);
}

/// Of a server that people were served by: the account was refused nothing, and used each of its commands.
fn was_enough(server: &Server, besides: &[&str], but_for: &[&str]) {
    let refused: Vec<redis::Value> = server.ask(&["ACL", "LOG"]);
    assert!(refused.is_empty(), "{refused:?}");
    let [account, ..] = documented();
    let stats: String = server.ask(&["INFO", "commandstats"]);
    for command in account.iter().chain(besides) {
        let Some(command) = command.strip_prefix('+') else {
            continue;
        };
        let [whole, part] = [":", "|"].map(|end| format!("cmdstat_{command}{end}"));
        assert!(
            but_for.contains(&command) || stats.contains(&whole) || stats.contains(&part),
            "{command} is not needed"
        );
    }
}

/// People are served by way of this address: seats are picked, kept and given back, days are rebuilt and audited, seats are
/// freed.
async fn serves(url: &str, days: u32) {
    let truth: Arc<Truth> = Arc::default();
    let gates = gates(2, &truth, &settings(url));
    for gate in &gates {
        ready(gate, PATIENCE).await;
    }
    let crowd = Crowd::start(truth, gates.clone(), days);
    crowd.gets(100, 50, PATIENCE).await;
    let all = |count: fn(Counts) -> u64| gates.iter().map(|gate| count(gate.counts())).sum::<u64>();
    let since = Instant::now();
    // Of those who die when a row is written, and give its seat back.
    while all(|counts| counts.drift_repaired) == 0 {
        assert!(since.elapsed() < PATIENCE, "the audit has done nothing");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // As when capacity has changed.
    for day in (0..days).map(day) {
        gates[0].forget(&day).await.unwrap();
    }
    crowd.gets(20, 20, PATIENCE).await;
    let seen = Arc::clone(&crowd.seen);
    crowd.end().await;
    assert!(all(|counts| counts.rebuilds) > 0);
    assert!(seen.released.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_account_that_is_documented_is_enough_for_one_server() {
    let server = Server::start(&[]);
    let [_, _, with_database] = documented();
    is_told(&server, &with_database);
    serves(
        &format!("redis://bangban:PASSWORD@127.0.0.1:{}/3", server.port),
        2,
    )
    .await;
    was_enough(&server, &with_database, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_account_that_is_documented_is_enough_for_a_cluster() {
    let cluster = Cluster::start();
    let [_, in_a_cluster, _] = documented();
    for server in cluster.masters.iter().chain([&cluster.replica]) {
        is_told(server, &in_a_cluster);
    }
    let url = cluster.url().replace("://", "://bangban:PASSWORD@");
    serves(&url, 12).await;
    for master in &cluster.masters {
        // Only while a day moves.
        was_enough(master, &in_a_cluster, &["asking", "cluster"]);
        let may: String = master.ask(&["ACL", "DRYRUN", "bangban", "ASKING"]);
        assert_eq!(may, "OK");
    }
}
