//! A Cluster of three masters, the first of which has a replica.

use std::process::Command;

use crate::{Faketime, PATIENCE, Server, eventually, free_port};

/// Three masters, and a replica of the first, which takes its place only where it may ([`Server::may_take_over`]), and then
/// however long it was cut off before.
pub struct Cluster {
    /// The masters at first.
    pub masters: Vec<Server>,
    /// The replica of the first.
    pub replica: Server,
}

fn node(clock: Option<&Faketime>) -> Server {
    let port = free_port().to_string();
    let args = [
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &port,
        "--cluster-node-timeout",
        "1000",
        "--cluster-require-full-coverage",
        "no",
        "--cluster-replica-no-failover",
        "yes",
        "--cluster-replica-validity-factor",
        "0",
        "--repl-diskless-sync-delay",
        "0",
    ];
    match clock {
        Some(clock) => clock.server(&args),
        None => Server::start(&args),
    }
}

impl Cluster {
    /// Starts it; all nodes agree when this returns.
    ///
    /// # Panics
    /// When they do not.
    #[must_use]
    pub fn start() -> Self {
        Self::of([None; 3])
    }

    /// The same with masters that go by these clocks.
    ///
    /// # Panics
    /// When they do not agree.
    #[must_use]
    pub fn of(clocks: [Option<&Faketime>; 3]) -> Self {
        let masters: Vec<Server> = clocks.map(node).into();
        let hosts = hosts(&masters);
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(&hosts)
            .arg("--cluster-yes")
            .output()
            .expect("redis-cli runs");
        let told = String::from_utf8_lossy(&made.stdout);
        assert!(made.status.success(), "{told}");
        let replica = node(None);
        let first: String = masters[0].ask(&["CLUSTER", "MYID"]);
        // Until the masters agree, they take nobody in.
        eventually("the replica is taken in", PATIENCE, || {
            let join = Command::new("redis-cli")
                .args(["--cluster", "add-node"])
                .args([&format!("127.0.0.1:{}", replica.port), &hosts[0]])
                .args(["--cluster-slave", "--cluster-master-id", &first])
                .output();
            join.expect("redis-cli runs").status.success().then_some(())
        });
        let cluster = Self { masters, replica };
        cluster.is_one();
        cluster
    }

    /// Waits until all nodes agree that all of them are well, the replica of the first as well.
    ///
    /// # Panics
    /// When they do not.
    pub fn is_one(&self) {
        eventually("the Cluster is one", PATIENCE, || {
            let mut nodes = self.masters.iter().chain([&self.replica]);
            let agree = nodes.all(|node| {
                let info: String = node.try_ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                info.contains("cluster_state:ok")
                    && info.contains("cluster_known_nodes:4")
                    && info.contains("cluster_slots_pfail:0")
                    && info.contains("cluster_slots_fail:0")
            });
            let replication = self.replica.try_ask::<String>(&["INFO", "replication"]);
            let is_up = replication.is_ok_and(|info| info.contains("master_link_status:up"));
            (agree && is_up).then_some(())
        });
    }

    /// Which of the first masters serves a key, by their own word.
    ///
    /// # Panics
    /// When none of them does.
    #[must_use]
    pub fn whose(&self, key: &str) -> usize {
        let serves = |master: &Server| master.try_ask::<u32>(&["EXISTS", key]).is_ok();
        let whose = self.masters.iter().position(serves);
        whose.expect("a master that serves the key")
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis-cluster://{}", hosts(&self.masters).join(","))
    }
}

fn hosts(masters: &[Server]) -> Vec<String> {
    masters
        .iter()
        .map(|master| format!("127.0.0.1:{}", master.port))
        .collect()
}
