//! `rolling_restart_failures`: requests that fail while two processes of each service are restarted in turn, under a steady
//! load of commands, reads and open feeds.

use std::time::Duration;

use bangban::failure::Failure;
use bangban_tests::load::{Load, rolling};

use crate::{figure::Figure, note, services};

/// Processes of each service.
const REPLICAS: u16 = 2;

/// How long the load may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures. A feed that has a gap or a double counts as a failure.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let mut cluster = services::with_sample(REPLICAS).await?;
    let load = Load::start(&cluster).await;
    load.goes_on(rolling::BETWEEN, PATIENCE).await;
    let restarted = rolling::restart_each(&mut cluster, &load, REPLICAS).await;
    let outcome = load.end().await;
    cluster.end().await;
    note(format!(
        "rolling_restart_failures: {restarted} processes restarted; {outcome}"
    ));
    for wrong in &outcome.wrong {
        note(format!("rolling_restart_failures: {wrong}"));
    }
    let failures = outcome.tally.failure_count() + outcome.wrong.len();
    Ok(vec![Figure::at_most(
        0.0,
        "rolling_restart_failures",
        failures as f64,
        "requests",
    )])
}
