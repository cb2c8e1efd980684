//! A rolling restart is not felt.

use bangban_tests::load::{Load, rolling};

use super::{nothing_failed, on_cluster};

/// Commands and reads that were answered at least, each: some between any two of eight restarts.
const LEAST: u64 = 8 * rolling::BETWEEN;

#[test]
fn two_of_each_service_are_restarted_in_turn_and_no_request_fails() {
    on_cluster(2, |mut cluster, _postgres| async move {
        let load = Load::start(&cluster).await;
        load.goes_on(rolling::BETWEEN, super::PATIENCE).await;
        rolling::restart_each(&mut cluster, &load, 2).await;
        let outcome = load.end().await;
        println!("rolling restart: {outcome}");
        nothing_failed(&outcome);
        assert!(outcome.tally.commands.answered >= LEAST, "{outcome}");
        assert!(outcome.tally.reads.answered >= LEAST, "{outcome}");
        // Each feed loses its process at least once: of two, both are restarted.
        assert!(outcome.resumed >= 3, "{outcome}");
        cluster.end().await;
    });
}
