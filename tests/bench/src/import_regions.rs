//! `import_regions_*`: the region tree of the whole country, by the command that operators use: seconds, and the most
//! memory that was resident.

use std::path::PathBuf;

use bangban::failure::Failure;

use crate::{database::Database, figure::Figure, note, server::Installation};

/// Names the folder with the five files; `infra/scripts/bench` sets it.
pub const FOLDER: &str = "BANGBAN_BENCH_REGIONS";

/// Seconds that it may take.
const GOAL: f64 = 60.0;

/// MB that it may keep resident.
const MEMORY_GOAL: f64 = 500.0;

/// Measures on PostgreSQL.
pub async fn measure_postgres() -> Result<Vec<Figure>, Failure> {
    let database = Database::create().await?;
    let measured = measure(&database.url, "import_regions_postgres").await;
    database.drop().await?;
    measured
}

/// Measures on SQLite.
pub async fn measure_sqlite() -> Result<Vec<Figure>, Failure> {
    measure("sqlite", "import_regions_sqlite").await
}

async fn measure(url: &str, name: &str) -> Result<Vec<Figure>, Failure> {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from).ok_or_else(|| {
        Failure::new(format!(
            "{FOLDER} names no folder with the region tree: measure with `make bench`."
        ))
    })?;
    let installation = Installation::new(url)?;
    installation.run(&["migrate"]).await?;
    note(format!("{name}: begins"));
    let folder = folder.display().to_string();
    let done = installation.run(&["import", "regions", &folder]).await?;
    let took = done.took.as_secs_f64();
    Ok(vec![
        Figure::below(GOAL, name, took, "s"),
        Figure::below(MEMORY_GOAL, format!("{name}_memory"), done.peak, "MB"),
    ])
}
