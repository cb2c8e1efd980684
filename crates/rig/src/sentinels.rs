//! A master, its replica, and three Sentinels that watch them.

use crate::{PATIENCE, Server, eventually};

/// A group that Sentinels fail over.
pub struct Sentinels {
    /// The master at first.
    pub master: Server,
    /// Its replica.
    pub replica: Server,
    sentinels: Vec<Server>,
}

impl Sentinels {
    /// Starts them all; Sentinels know the replica and each other when this returns.
    ///
    /// # Panics
    /// When they do not find each other.
    #[must_use]
    pub fn start() -> Self {
        let master = Server::start(&["--repl-diskless-sync-delay", "0"]);
        let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", master.port)]);
        let sentinels: Vec<Server> = (0..3).map(|_| Server::sentinel(master.port, 2)).collect();
        for sentinel in &sentinels {
            // When the machine stood still they do nothing for half a minute, and what they missed they ask for again after ten
            // seconds: a second will do. One that does not know these words keeps to its own time.
            for period in ["TILT-PERIOD", "INFO-PERIOD"] {
                _ = sentinel.try_ask::<()>(&["SENTINEL", "DEBUG", period, "1000"]);
            }
        }
        eventually("Sentinels know replica and each other", PATIENCE, || {
            let knows = |sentinel: &Server| {
                let info: String = sentinel.ask(&["INFO", "sentinel"]);
                info.contains("slaves=1,sentinels=3")
            };
            sentinels.iter().all(knows).then_some(())
        });
        Self {
            master,
            replica,
            sentinels,
        }
    }

    /// The address by which Sentinels name the master.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .sentinels
            .iter()
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port))
            .collect();
        format!("redis-sentinel://{}/main", hosts.join(","))
    }

    /// A failover though nothing is wrong: the replica becomes the master, and the master, which lives on, its replica. It is
    /// told so at once, before Sentinels name the other, and closes nobody's connection, as Sentinels would in time.
    ///
    /// # Panics
    /// When the replica is not promoted.
    pub fn change_places(&self) {
        eventually("a failover begins", PATIENCE, || {
            let begun = self.sentinels[0].try_ask::<()>(&["SENTINEL", "FAILOVER", "main"]);
            begun.ok()
        });
        self.replica.is_promoted();
        let port = self.replica.port.to_string();
        self.master.ask::<()>(&["REPLICAOF", "127.0.0.1", &port]);
    }

    /// How many writes the master refused because it is a replica now.
    ///
    /// # Panics
    /// When it refused none.
    #[must_use]
    pub fn refused_by_the_old_master(&self) -> String {
        self.master.info("errorstats", "errorstat_READONLY")
    }
}
