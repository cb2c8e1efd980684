//! The database reference: what the same PostgreSQL does with the five statements of `reference.sql`; and ours beside it, in
//! turn.

use std::{path::Path, process::Stdio, time::Duration};

use bangban::failure::Failure;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use tokio::process::Command;

use crate::{
    database,
    figure::{Figure, Goal, median},
    note,
    server::own,
    turn::{Work, turn},
};

/// Turns of each, alternating.
const ROUNDS: usize = 5;

/// Length of a turn.
const TURN: Duration = Duration::from_secs(12);

/// Length of the turns before, which do not count.
const WARM_UP: Duration = Duration::from_secs(5);

/// Part of the reference that must be reached.
const GOAL: f64 = 0.5;

/// How much work the workers do in a second, beside the reference in the database with this URL, which holds casework's log.
/// `used` is the processor time of the servers so far, in seconds.
pub async fn beside<W: Work>(
    name: &str,
    workers: &mut Vec<W>,
    url: &str,
    used: impl Fn() -> f64,
) -> Result<Figure, Failure> {
    let connection = prepare(url, include_str!("../reference-tables.sql")).await?;
    let clients = workers.len();
    statements(url, clients, WARM_UP).await?;
    turn(workers, WARM_UP).await?;
    analyse(&connection).await?;
    let (mut ours, mut references) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let before = (used(), own());
        let turn = turn(workers, TURN).await?;
        let after = (used(), own());
        let reference = statements(url, clients, TURN).await?;
        ours.push(turn.rate);
        references.push(reference);
        note(format!(
            "{name}: round {round} of {ROUNDS}: {:.0} a second, half within {:.1} ms, 99 of 100 within {:.1} ms, \
             reference {reference:.0}; processor time for each: servers {:.3} ms, clients {:.3} ms",
            turn.rate,
            turn.middle,
            turn.most,
            (after.0 - before.0) * 1e3 / turn.count as f64,
            (after.1 - before.1) * 1e3 / turn.count as f64,
        ));
    }
    Ok(Figure {
        name: name.to_owned(),
        value: median(&ours).unwrap_or(f64::NAN),
        unit: "per_second",
        reference: median(&references),
        goal: Goal::RatioFrom(GOAL),
    })
}

/// Makes tables that a script works on, and answers the connection.
pub async fn prepare(url: &str, tables: &str) -> Result<DatabaseConnection, Failure> {
    let connection = database::connect(url).await?;
    connection
        .execute_unprepared(tables)
        .await
        .map_err(|e| Failure::of("the reference's tables cannot be made", &e))?;
    Ok(connection)
}

/// Counts all tables anew, as the server does by itself in the first minutes of a table that grows.
pub async fn analyse(connection: &DatabaseConnection) -> Result<(), Failure> {
    connection
        .execute_unprepared("ANALYZE")
        .await
        .map(|_| ())
        .map_err(|e| Failure::of("the tables cannot be analysed", &e))
}

/// Transactions in a second of the database reference.
pub async fn statements(url: &str, clients: usize, length: Duration) -> Result<f64, Failure> {
    pgbench(url, "reference.sql", clients, length).await
}

/// Transactions in a second that pgbench does of a script beside this crate's sources.
pub async fn pgbench(
    url: &str,
    script: &str,
    clients: usize,
    length: Duration,
) -> Result<f64, Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let clients = clients.to_string();
    let seconds = length.as_secs().to_string();
    let output = Command::new("pgbench")
        .args([
            "-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds,
        ])
        .arg("-f")
        .arg(script)
        .arg(url)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|e| Failure::of("pgbench cannot be started; it comes with PostgreSQL", &e))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let rate = said
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    match rate {
        // A client that gives up leaves the others running: only the exit code tells.
        Some(rate) if output.status.success() => Ok(rate),
        _ => Err(Failure::new(format!(
            "pgbench has failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}
