//! What breaks in a data centre, under load: processes that are restarted, killed or stopped, a database that goes away,
//! transactions that stay open, readers that do not read, strangers with certificates.
//!
//! Each on a PostgreSQL of its own: what hangs here would hold the feeds of all others on the same server back. One at a
//! time, because their figures are about a machine that has something left.

mod certificates;
mod database;
mod feeds;
mod lost;
mod rolling;

use std::{future::Future, sync::Arc};

use bangban_kit::config::Config;
use bangban_tests::{PATIENCE, block_on, cluster::Cluster, load::Outcome, postgres::Postgres};
use tokio::sync::Mutex;

static TURN: Mutex<()> = Mutex::const_new(());

/// Runs a test on so many processes of each service, alone.
fn on_cluster<F>(replicas: u16, test: impl FnOnce(Cluster, Arc<Postgres>) -> F)
where
    F: Future<Output = ()>,
{
    on_cluster_with(replicas, |_| (), test);
}

/// The same with a changed configuration.
fn on_cluster_with<F>(
    replicas: u16,
    change: impl FnOnce(&mut Config),
    test: impl FnOnce(Cluster, Arc<Postgres>) -> F,
) where
    F: Future<Output = ()>,
{
    block_on(async {
        let _turn = TURN.lock().await;
        let Some(postgres) = Postgres::start().map(Arc::new) else {
            return;
        };
        let cluster = Cluster::start_on(postgres.url.clone(), replicas, change).await;
        // The server outlives the test, which may have no use for it.
        test(cluster, postgres.clone()).await;
    });
}

/// Nothing failed, and no feed has a gap or a double.
#[track_caller]
fn nothing_failed(outcome: &Outcome) {
    assert_eq!(outcome.tally.failure_count(), 0, "{outcome}");
    assert!(outcome.wrong.is_empty(), "{:?}", outcome.wrong);
}
