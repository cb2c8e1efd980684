//! Redis servers as processes: on free ports, in folders of their own, gone when dropped. For tests, which may stop them,
//! kill them, cut them off from each other and lie to them about the time. What is missing on the machine is installed;
//! a test without its server fails. Also what tests of several crates read alike.

mod cluster;
mod faketime;
mod installed;
mod looks;
pub mod metrics;
mod sentinels;
mod server;

use std::{
    collections::BTreeSet,
    sync::Mutex,
    time::{Duration, Instant},
};

pub use cluster::Cluster;
pub use faketime::Faketime;
pub use looks::Looks;
pub use sentinels::Sentinels;
pub use server::Server;

/// How long it is waited for what must come: a machine may stand still for seconds, at any moment.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Ports that were named by [`free_port`].
static NAMED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that nobody has, below those that the kernel gives to clients; none is named twice.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    let mut named = NAMED.lock().expect("not poisoned");
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..1000)
        .map(|_| rand::random_range(20000..32000))
        .find(|port| is_free(*port) && named.insert(*port))
        .expect("a free port")
}

/// Asks until there is an answer.
///
/// # Panics
/// When it takes too long.
pub fn eventually<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
