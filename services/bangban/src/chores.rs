//! What is done before serving.

use bangban_kit::config::Config;

use crate::{failure::Failure, tell};

/// Brings the tables of every service up to date.
pub async fn migrate(config: &Config) -> Result<(), Failure> {
    let failed = |e: bangban_store::Error| {
        Failure::of(
            "the database is not up to date; look at database.url with `bangban config check`",
            &e,
        )
    };
    let directory = bangban_store::migrate::up::<bangban_directory::Migrator>("directory", config)
        .await
        .map_err(failed)?;
    let casework = bangban_store::migrate::up::<bangban_casework::Migrator>("casework", config)
        .await
        .map_err(failed)?;
    let consultation =
        bangban_store::migrate::up::<bangban_consultation::Migrator>("consultation", config)
            .await
            .map_err(failed)?;
    let supervision =
        bangban_store::migrate::up::<bangban_supervision::Migrator>("supervision", config)
            .await
            .map_err(failed)?;
    let scheduling =
        bangban_store::migrate::up::<bangban_scheduling::Migrator>("scheduling", config)
            .await
            .map_err(failed)?;
    tell::line(format!(
        "migrations run: directory {directory}, casework {casework}, consultation {consultation}, supervision {supervision}, scheduling {scheduling}"
    ));
    Ok(())
}
