//! A rolling restart is not felt.

use bangban::cli::Service;
use bangban_tests::load::{LOGS, Load, rolling};

use super::{nothing_failed, on_cluster};

/// Processes of each service.
const REPLICAS: u16 = 2;

#[test]
fn two_of_each_service_are_restarted_in_turn_and_no_request_fails() {
    on_cluster(REPLICAS, |mut cluster, _postgres| async move {
        let load = Load::start(&cluster).await;
        load.goes_on(rolling::BETWEEN, super::PATIENCE).await;
        let restarted = rolling::restart_each(&mut cluster, &load, REPLICAS).await;
        let outcome = load.end().await;
        println!("rolling restart: {restarted} processes restarted; {outcome}");
        assert_eq!(restarted, u64::from(REPLICAS) * Service::ALL.len() as u64);
        nothing_failed(&outcome);
        // Some between any two restarts.
        let least = restarted * rolling::BETWEEN;
        assert!(
            outcome.tally.commands.answered_count() >= least,
            "{outcome}"
        );
        assert!(outcome.tally.reads.answered_count() >= least, "{outcome}");
        // Each feed loses its process at least once: of two, both are restarted.
        assert!(outcome.resumed >= LOGS.len() as u64, "{outcome}");
        cluster.end().await;
    });
}
