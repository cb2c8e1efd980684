//! Processes that are gone without a word, or hang: of two of each service, one.

use std::time::Duration;

use bangban::cli::Service;
use bangban_kit::config::Config;
use bangban_tests::{
    cluster::{Cluster, metrics},
    load::{DEADLINE, Load, RETRIES},
};
use tokio::time::sleep;

use super::{PATIENCE, nothing_failed, on_cluster_with};

/// Of which services: two that people call, and one that they call in turn.
const LOST: [Service; 3] = [Service::Casework, Service::Scheduling, Service::Directory];

/// How long a process hangs.
const STOPPED: Duration = Duration::from_secs(30);

/// Commands and reads that are answered at least while it does, each.
const MEANWHILE: u64 = 200;

/// Attempts for each call, at most: of who calls from outside, of each service that calls others, and of all of them
/// together, each of which sends what the one before it has sent.
const AMPLIFICATION: f64 = 1.2;

/// The services that call others while somebody waits for them. Supervision follows feeds alone, directory calls nobody.
const CALLERS: [Service; 3] = [
    Service::Consultation,
    Service::Casework,
    Service::Scheduling,
];

/// Attempts for each call of a service to others, as its processes that live have counted.
async fn amplification(cluster: &mut Cluster, service: Service) -> f64 {
    let (mut calls, mut retries) = (0.0, 0.0);
    for number in 1..=2 {
        let page = cluster.member(service, number).metrics().await;
        // What never happened has no line; retries have one from the start.
        calls += metrics::sum(&page, "rpc_client_call_duration_seconds_count").unwrap_or(0.0);
        retries += metrics::sum(&page, "bangban_client_retries_total").expect("a line");
    }
    println!("{}: {calls} calls, {retries} retries", service.name());
    (calls + retries) / calls
}

fn with_metrics(config: &mut Config) {
    "127.0.0.1:0".clone_into(&mut config.telemetry.prometheus_listen);
}

#[test]
fn a_process_that_is_killed_or_hangs_costs_two_retries_at_most_and_no_request() {
    assert_eq!(RETRIES, 2);
    on_cluster_with(2, with_metrics, |mut cluster, _postgres| async move {
        let load = Load::start(&cluster).await;
        load.goes_on(20, PATIENCE).await;
        for service in LOST {
            cluster.member(service, 1).kill().await;
            load.goes_on(50, PATIENCE).await;
            cluster.member(service, 1).start_again().await;
            load.goes_on(20, PATIENCE).await;
        }
        for service in LOST {
            cluster.member(service, 2).stop();
        }
        let meanwhile = load.goes_on(MEANWHILE, STOPPED);
        tokio::join!(sleep(STOPPED), meanwhile);
        for service in LOST {
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
        let mut whole = outcome.amplification();
        for service in CALLERS {
            let tier = amplification(&mut cluster, service).await;
            assert!(tier < AMPLIFICATION, "{}: {tier}", service.name());
            whole *= tier;
        }
        println!("amplification over all tiers: {whole:.3}");
        assert!(whole < AMPLIFICATION, "{whole}");
        cluster.end().await;
    });
}
