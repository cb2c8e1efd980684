//! A database that goes away and comes back.

use std::{collections::BTreeMap, time::Duration};

use bangban::cli::Service;
use bangban_kit::refusal;
use bangban_tests::{
    cluster::Cluster,
    load::{LOGS, Load, Outcome, command::Trace},
    postgres::Ending,
};
use sea_orm::{ConnectionTrait as _, Statement};
use tokio::time::Instant;
use tonic::Code;

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

/// Who calls is told what is the matter, or that the time was over before that was known; both say to try again.
fn errors_are_clear(outcome: &Outcome) {
    let tally = &outcome.tally;
    let failed = tally.commands.failed.iter().chain(&tally.reads.failed);
    let mut told = 0;
    for (what, status) in failed {
        match (status.code(), refusal::reason(status).as_str()) {
            (Code::Unavailable, "DATABASE_UNAVAILABLE") => told += 1,
            // A lookup of directory's was the first to miss it: of its own database a service says nothing then.
            (Code::Unavailable, "DIRECTORY_UNAVAILABLE") => told += 1,
            (Code::DeadlineExceeded, "DEADLINE_EXCEEDED") => {}
            _ => panic!("{what}: {status:?}\n{outcome}"),
        }
    }
    assert!(told >= 2 * FAILURES, "{outcome}");
}

#[test]
fn a_database_that_is_restarted_costs_clear_errors_and_ten_seconds_and_loses_and_doubles_nothing() {
    on_cluster(1, |cluster, postgres| async move {
        let load = Load::start(&cluster).await;
        load.goes_on(20, PATIENCE).await;
        for ending in [Ending::Fast, Ending::Immediate] {
            postgres.stop(ending).await;
            load.fails(FAILURES, PATIENCE).await;
            postgres.start_again().await;
            let began = Instant::now();
            load.goes_on(20, RECOVERY).await;
            println!(
                "{ending:?}: recovered in {} ms",
                began.elapsed().as_millis()
            );
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
            traces.push(command.send(caller).await.expect("done now"));
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
