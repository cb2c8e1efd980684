//! A rolling restart: every process in turn, as an orchestrator does it, while the load goes on.

use std::time::Duration;

use bangban::cli::Service;

use super::Load;
use crate::cluster::Cluster;

/// How many commands and reads are answered between two restarts, at least.
pub const BETWEEN: u64 = 20;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Restarts every process (SIGTERM, drain, start): the first of each service, then the second, and so on. Answers how many
/// that were.
///
/// # Panics
/// When a process does not end well or does not start, or when the load does not go on.
pub async fn restart_each(cluster: &mut Cluster, load: &Load, replicas: u16) -> u64 {
    let mut restarted = 0;
    for number in 1..=replicas {
        for service in Service::ALL {
            cluster.member(service, number).restart().await;
            restarted += 1;
            load.goes_on(BETWEEN, PATIENCE).await;
        }
    }
    restarted
}
