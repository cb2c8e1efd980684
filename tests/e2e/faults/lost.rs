//! Processes that are gone without a word, or hang: of two of each service, one.

use std::time::Duration;

use bangban::cli::Service;
use bangban_tests::load::{DEADLINE, Load, RETRIES};
use tokio::time::sleep;

use super::{PATIENCE, nothing_failed, on_cluster};

/// How long a process hangs.
const STOPPED: Duration = Duration::from_secs(30);

/// Commands and reads that are answered at least while it does, each.
const MEANWHILE: u64 = 200;

/// Attempts for each call, at most, on the whole.
const AMPLIFICATION: f64 = 1.2;

#[test]
fn a_process_that_is_killed_or_hangs_costs_two_retries_at_most_and_no_request() {
    assert_eq!(RETRIES, 2);
    on_cluster(2, |mut cluster, _postgres| async move {
        let load = Load::start(&cluster).await;
        load.goes_on(20, PATIENCE).await;
        for service in [Service::Casework, Service::Directory] {
            cluster.member(service, 1).kill().await;
            load.goes_on(50, PATIENCE).await;
            cluster.member(service, 1).start_again().await;
            load.goes_on(20, PATIENCE).await;
        }
        // One that people call, and one that it calls in turn.
        for service in [Service::Casework, Service::Directory] {
            cluster.member(service, 2).stop();
        }
        let meanwhile = load.goes_on(MEANWHILE, STOPPED);
        tokio::join!(sleep(STOPPED), meanwhile);
        for service in [Service::Casework, Service::Directory] {
            cluster.member(service, 2).go_on();
        }
        load.goes_on(20, PATIENCE).await;
        let outcome = load.end().await;
        println!("killed and stopped: {outcome}");
        nothing_failed(&outcome);
        let tally = &outcome.tally;
        let slowest = tally.commands.slowest.max(tally.reads.slowest);
        assert!(slowest < DEADLINE, "{outcome}");
        assert!(outcome.counts.retries > 0, "nobody noticed: {outcome}");
        assert!(outcome.amplification() < AMPLIFICATION, "{outcome}");
        cluster.end().await;
    });
}
