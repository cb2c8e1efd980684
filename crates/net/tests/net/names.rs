//! A name in DNS whose addresses change, as those of a headless Service do when its pods are replaced.
//!
//! The system's own resolver is asked: the test runs once more as a process whose `/etc/hosts` is a file of the test's, in
//! a mount namespace of its own.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use bangban_net::client::{Channel, Endpoints, Settings, Tcp};

use crate::server::{Callers, PATIENCE, Server, load, ready, region, settings};

/// Set where the test is the process with hosts of its own: where they stand.
const HOSTS: &str = "BANGBAN_TESTS_HOSTS";

/// No registry gives a name under `test` to anybody (RFC 6761).
const NAME: &str = "pods.bangban.test";

/// What gives a process mounts of its own: anybody, where the system lets anybody; else root alone.
const WAYS: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];

const MOUNTED: &str = "mount --bind \"$BANGBAN_TESTS_HOSTS\" /etc/hosts && exec \"$0\" \"$@\"";

fn with_hosts(way: &[&str], hosts: &PathBuf, program: &str) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(way)
        .args(["sh", "-c", MOUNTED, program])
        .env(HOSTS, hosts);
    command
}

/// Runs a test as a process whose name has the addresses that the test says; `false` in that process, which goes on.
fn is_run_elsewhere(test: &str) -> bool {
    if std::env::var_os(HOSTS).is_some() {
        return false;
    }
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    let works = |way: &&&[&str]| {
        let tried = with_hosts(way, &hosts, "true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(way) = WAYS.iter().find(works) else {
        eprintln!("not run: no process may have mounts of its own here (unshare --mount)");
        return true;
    };
    let program = std::env::current_exe().unwrap();
    let output = with_hosts(way, &hosts, program.to_str().unwrap())
        .args(["--exact", "--nocapture", test])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{wrong}");
    assert!(said.contains("1 passed"), "{said}\n{wrong}");
    true
}

/// From now on the name has these addresses and no others.
fn has_addresses(of: &[&Server]) {
    let mut text = "127.0.0.1 localhost\n".to_owned();
    for server in of {
        writeln!(text, "{} {NAME}", server.address.ip()).unwrap();
    }
    // In place: another file under this name would not be the one that is mounted.
    std::fs::write(std::env::var_os(HOSTS).unwrap(), text).unwrap();
}

/// Pods: addresses of their own, one port.
fn pods<const N: usize>() -> [Server; N] {
    let first = Server::start("pod 1");
    let port = first.address.port();
    let mut first = Some(first);
    std::array::from_fn(|n| {
        first.take().unwrap_or_else(|| {
            let ip = Ipv4Addr::new(127, 0, 0, n as u8 + 1);
            Server::start_at(
                &format!("pod {}", n + 1),
                SocketAddr::new(IpAddr::V4(ip), port),
            )
        })
    })
}

fn channel(of: &Server, resolve_every: Duration) -> Channel {
    let text = format!("dns://{NAME}:{}", of.address.port());
    let settings = Settings {
        resolve_every,
        ..settings()
    };
    Channel::balanced(Endpoints::parse(&text, false).unwrap(), Tcp, settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_followed_to_the_pods_that_replace_others_and_no_call_fails() {
    if is_run_elsewhere(
        "names::a_name_is_followed_to_the_pods_that_replace_others_and_no_call_fails",
    ) {
        return;
    }
    let [mut one, mut two, three, four] = pods();
    has_addresses(&[&one, &two]);
    let channel = channel(&one, Duration::from_millis(300));
    ready(&channel, 2).await;
    let callers = Callers::start(&channel, 8);
    one.plan.until_called(1).await;
    two.plan.until_called(1).await;
    assert_eq!(three.plan.calls() + four.plan.calls(), 0);

    // As a rolling update does: the next is there before the last one goes.
    has_addresses(&[&two, &three]);
    leaves(&channel, &mut one, &three).await;
    has_addresses(&[&three, &four]);
    leaves(&channel, &mut two, &four).await;

    let (count, failures) = callers.stop().await;
    assert!(failures.is_empty(), "of {count}: {:?}", failures.first());
    ready(&channel, 2).await;
}

/// The name has one in place of another, which ends once nobody calls it any more.
async fn leaves(channel: &Channel, leaving: &mut Server, coming: &Server) {
    coming.plan.until_called(1).await;
    ready(channel, 2).await;
    leaving.plan.until_in_work(0).await;
    let before = leaving.plan.calls();
    load(channel, 8, 20).await;
    let late = leaving.plan.calls() - before;
    // Who had chosen it just before it left may still come.
    assert!(late <= 8, "{late} calls to a pod that the name has no more");
    leaving.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_asked_for_at_once_when_a_pod_dies_and_not_left_when_it_does_not_resolve() {
    if is_run_elsewhere(
        "names::a_name_is_asked_for_at_once_when_a_pod_dies_and_not_left_when_it_does_not_resolve",
    ) {
        return;
    }
    let [mut one, two] = pods();
    has_addresses(&[&one]);
    // So rarely that what follows is not seen by it.
    let channel = channel(&one, Duration::from_secs(3600));
    ready(&channel, 1).await;
    region(&channel).await.unwrap();
    has_addresses(&[&two]);
    one.kill();
    called_by(&channel, &two).await;

    // Asked for again and again, a name without addresses leaves the last ones in use.
    let often = self::channel(&two, Duration::from_millis(100));
    ready(&often, 1).await;
    has_addresses(&[]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (succeeded, failures) = load(&often, 4, 25).await;
    assert_eq!((succeeded, failures.len()), (100, 0), "{failures:?}");
}

/// Calls until a pod answers.
async fn called_by(channel: &Channel, pod: &Server) {
    let calling = async {
        loop {
            let answer = region(channel).await;
            if answer.is_ok_and(|a| a.get_ref().name == pod.plan.name) {
                return;
            }
        }
    };
    let within = tokio::time::timeout(PATIENCE, calling);
    within.await.expect("the name is not asked for again");
}
