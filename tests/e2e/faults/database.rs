//! A database that goes away and comes back.

use std::{collections::BTreeMap, time::Duration};

use bangban::cli::Service;
use bangban_kit::refusal;
use bangban_tests::{
    cluster::Cluster,
    load::{
        Caller, LOGS, Load, Outcome,
        command::{Command, Trace},
    },
    postgres::{Ending, Postgres},
};
use sea_orm::{ConnectionTrait as _, Statement};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use super::{PATIENCE, on_cluster};

/// How long everything may take to go on once the database answers again.
const RECOVERY: Duration = Duration::from_secs(10);

/// Commands and reads that are seen to fail while it is away, each.
const FAILURES: usize = 5;

/// How often each request stands in a log.
async fn request_counts(cluster: &Cluster, log: Service) -> BTreeMap<String, i64> {
    let db = cluster.database(log).await;
    let sql = "SELECT request_id, count(*) FROM acts WHERE request_id IS NOT NULL GROUP BY 1";
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .expect("counted");
    let count = |row: &sea_orm::QueryResult| {
        let id = row.try_get_by_index(0).expect("an id");
        (id, row.try_get_by_index(1).expect("a count"))
    };
    rows.iter().map(count).collect()
}

/// Whether who calls is told what is the matter, or that it cannot be known; both say to try again.
fn is_clear(status: &Status) -> bool {
    let reason = refusal::reason(status);
    match (status.code(), reason.as_str()) {
        // Who has waited for the database in vain may have found the doors full.
        (Code::DeadlineExceeded, _) | (Code::ResourceExhausted, "OVERLOADED") => true,
        // A process that did not answer in time when it was asked how it was is left for a while.
        (Code::Unavailable, "") => ["no endpoint of", "the connection was lost"]
            .iter()
            .any(|why| status.message().contains(why)),
        // Another service, or the gate of seats, could not do without its own.
        (Code::Unavailable, "SLOT_BUSY") => true,
        (Code::Unavailable, reason) => reason.ends_with("_UNAVAILABLE"),
        _ => false,
    }
}

/// What fails is clear, and enough of it names the database.
fn errors_are_clear(outcome: &Outcome) {
    let tally = &outcome.tally;
    let failed = tally.commands.failed.iter().chain(&tally.reads.failed);
    let mut told = 0;
    for (what, status) in failed {
        assert!(is_clear(status), "{what}: {status:?}\n{outcome}");
        told += usize::from(refusal::reason(status) == "DATABASE_UNAVAILABLE");
    }
    assert!(told >= 2 * FAILURES, "{outcome}");
}

/// Takes the database away and gives it back, and says how long everything takes to go on then.
async fn restarted(load: &Load, postgres: &Postgres, ending: Ending) -> Duration {
    postgres.stop(ending).await;
    load.fails(FAILURES, PATIENCE).await;
    postgres.start_again().await;
    let began = Instant::now();
    load.goes_on(20, PATIENCE).await;
    let took = began.elapsed();
    println!("{ending:?}: recovered in {} ms", took.as_millis());
    took
}

/// Sends a command again, as its refusals say, until it is done.
async fn done(caller: &Caller, command: &Command) -> Trace {
    let until = Instant::now() + PATIENCE;
    loop {
        match command.send(caller).await {
            Ok(trace) => return trace,
            Err(status) if is_clear(&status) && Instant::now() < until => {
                sleep(Duration::from_millis(100)).await;
            }
            Err(status) => panic!("{}: {status:?}", command.name()),
        }
    }
}

#[test]
fn a_database_that_is_restarted_costs_clear_errors_and_ten_seconds_and_loses_and_doubles_nothing() {
    on_cluster(1, |cluster, postgres| async move {
        let load = Load::start(&cluster).await;
        load.goes_on(20, PATIENCE).await;
        for ending in [Ending::Fast, Ending::Immediate] {
            // A machine may stand still for seconds, but not each time.
            let mut took = restarted(&load, &postgres, ending).await;
            for _ in 0..2 {
                if took >= RECOVERY {
                    took = restarted(&load, &postgres, ending).await;
                }
            }
            assert!(took < RECOVERY, "{ending:?}: {took:?}");
        }
        let outcome = load.end().await;
        println!("database restarted: {outcome}");
        errors_are_clear(&outcome);
        assert!(outcome.wrong.is_empty(), "{:?}", outcome.wrong);
        let answered = &outcome.tally.acknowledged;
        assert!(answered.len() >= 60, "{outcome}");

        // Of what failed nobody knows whether it was done: it is asked again, and done once.
        let mut traces: Vec<Trace> = answered.clone();
        for (caller, command) in &outcome.tally.unknown {
            traces.push(done(caller, command).await);
        }
        for log in LOGS {
            let counts = request_counts(&cluster, log).await;
            let asked = traces.iter().filter(|trace| trace.log == Some(log));
            for trace in asked {
                assert_eq!(counts.get(&trace.request_id), Some(&1), "{trace:?}");
            }
            assert!(counts.values().all(|count| *count == 1), "{counts:?}");
        }
        cluster.end().await;
    });
}
