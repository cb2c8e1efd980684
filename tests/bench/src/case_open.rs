//! `case_open_postgres`: cases that are opened in a second, through gRPC over TCP, by clients that each open one after
//! the other; beside what the same PostgreSQL does with the five statements of `reference.sql`.

use std::{path::Path, process::Stdio, time::Duration};

use bangban::failure::Failure;
use sea_orm::ConnectionTrait as _;
use tokio::process::Command;

use crate::{
    database::{self, Database},
    figure::{Figure, Goal, median},
    load::{self, AGENTS, World},
    note,
    server::{Installation, Serving, processor},
};

/// Districts; their agents are the clients, 32 in all.
const DISTRICTS: usize = 8;

/// Turns of each, alternating.
const ROUNDS: usize = 5;

/// Length of a turn.
const TURN: Duration = Duration::from_secs(12);

/// Length of the turns before, which do not count.
const WARM_UP: Duration = Duration::from_secs(5);

/// Part of the reference that must be reached.
const GOAL: f64 = 0.5;

const NAME: &str = "case_open_postgres";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let database = Database::create().await?;
    let measured = measure_in(&database).await;
    database.drop().await?;
    measured.map(|figure| vec![figure])
}

async fn measure_in(database: &Database) -> Result<Figure, Failure> {
    let installation = Installation::new(&database.url)?;
    load::regions(&installation).await?;
    let serving = installation.serve().await?;
    let mut world = World::load(&installation, &serving, DISTRICTS).await?;
    let connection = database::connect(&database.url).await?;
    connection
        .execute_unprepared(include_str!("../reference-tables.sql"))
        .await
        .map_err(|e| Failure::of("the reference's tables cannot be made", &e))?;
    reference(&database.url, WARM_UP).await?;
    load::turn(&mut world.agents, WARM_UP).await?;
    // As the server does by itself in the first minutes of a table that grows.
    connection
        .execute_unprepared("ANALYZE")
        .await
        .map_err(|e| Failure::of("the tables cannot be analysed", &e))?;
    let (mut ours, mut references) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let before = used(&serving);
        let turn = load::turn(&mut world.agents, TURN).await?;
        let after = used(&serving);
        let reference = reference(&database.url, TURN).await?;
        ours.push(turn.rate);
        references.push(reference);
        note(format!(
            "{NAME}: round {round} of {ROUNDS}: {:.0} a second, half within {:.1} ms, 99 of 100 within {:.1} ms, \
             reference {reference:.0}; processor time per case: server {:.3} ms, clients {:.3} ms",
            turn.rate,
            turn.middle,
            turn.most,
            (after.0 - before.0) * 1e3 / turn.count as f64,
            (after.1 - before.1) * 1e3 / turn.count as f64,
        ));
    }
    serving.stop().await;
    Ok(Figure {
        name: NAME.to_owned(),
        value: median(&ours).unwrap_or(f64::NAN),
        unit: "per_second",
        reference: median(&references),
        goal: Goal::RatioFrom(GOAL),
    })
}

/// Processor time of the server and of ourselves, in seconds.
fn used(serving: &Serving) -> (f64, f64) {
    let own = std::fs::read_to_string("/proc/self/stat")
        .ok()
        .and_then(|stat| processor(&stat));
    (
        serving.processor().unwrap_or(f64::NAN),
        own.unwrap_or(f64::NAN),
    )
}

/// Transactions in a second that pgbench does of the reference, with as many clients.
async fn reference(url: &str, length: Duration) -> Result<f64, Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference.sql");
    let clients = (DISTRICTS * AGENTS).to_string();
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
