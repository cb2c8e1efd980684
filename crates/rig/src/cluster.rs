//! A Cluster of three masters, the first of which has a replica.

use std::{process::Command, time::Duration};

use crate::{Server, eventually, free_port};

const SECONDS: Duration = Duration::from_secs(20);

/// Three masters, and a replica of the first.
pub struct Cluster {
    /// The masters at first.
    pub masters: Vec<Server>,
    /// The replica of the first.
    pub replica: Server,
}

fn node() -> Server {
    Server::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &free_port().to_string(),
        "--cluster-node-timeout",
        "1000",
        "--cluster-require-full-coverage",
        "no",
        "--repl-diskless-sync-delay",
        "0",
    ])
}

impl Cluster {
    /// Starts it; all nodes agree when this returns.
    ///
    /// # Panics
    /// When they do not.
    #[must_use]
    pub fn start() -> Self {
        let masters: Vec<Server> = (0..3).map(|_| node()).collect();
        let hosts = hosts(&masters);
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(&hosts)
            .arg("--cluster-yes")
            .output()
            .expect("redis-cli runs");
        let told = String::from_utf8_lossy(&made.stdout);
        assert!(made.status.success(), "{told}");
        let replica = node();
        let first: String = masters[0].ask(&["CLUSTER", "MYID"]);
        // Until the masters agree, they take nobody in.
        eventually("the replica is taken in", SECONDS, || {
            let join = Command::new("redis-cli")
                .args(["--cluster", "add-node"])
                .args([&format!("127.0.0.1:{}", replica.port), &hosts[0]])
                .args(["--cluster-slave", "--cluster-master-id", &first])
                .output();
            join.expect("redis-cli runs").status.success().then_some(())
        });
        let cluster = Self { masters, replica };
        eventually("the Cluster is one", SECONDS, || {
            let mut nodes = cluster.masters.iter().chain([&cluster.replica]);
            let agree = nodes.all(|node| {
                let info: String = node.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")
            });
            let is_up = || cluster.replica.info("replication", "master_link_status") == "up";
            (agree && is_up()).then_some(())
        });
        cluster
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
