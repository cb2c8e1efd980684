//! Reads reference data into directory's database, beside a running instance or without one.

use std::{io::IsTerminal as _, path::Path};

use bangban_directory::Directory;
use bangban_kit::{config::Config, identity::Caller};
use bangban_proto::bangban::options::v1::Role;

use crate::{cli, failure::Failure, tell};

/// Who did it, in the records.
fn operator() -> Caller {
    Caller {
        subject: "operator".to_owned(),
        roles: vec![Role::Operator, Role::Administrator],
        ..Caller::public()
    }
}

/// Imports what was asked for.
pub async fn import(config: &Config, what: &cli::Import) -> Result<(), Failure> {
    bangban_telemetry::logs::start(&config.log);
    let directory = Directory::open(config).await.map_err(|e| {
        Failure::of("the directory's database does not open; look at database.url with `bangban config check`", &e)
    })?;
    match what {
        cli::Import::Regions { folder } => {
            regions(&directory, folder).await?;
            tell::line(format!("regions imported from {}", folder.display()));
        }
        cli::Import::Catalogue { file, district } => {
            catalogue(&directory, district, file).await?;
            tell::line(format!(
                "catalogue of {district} imported from {}",
                file.display()
            ));
        }
    }
    Ok(())
}

/// The region tree, with progress for whoever watches.
pub async fn regions(directory: &Directory, folder: &Path) -> Result<(), Failure> {
    let is_watched = std::io::stderr().is_terminal();
    directory
        .import_regions(folder, move |done, all| {
            if is_watched && (done == all || done % 5000 == 0) {
                tell::complain(format!("regions: {done} of {all}"));
            }
        })
        .await
        .map_err(|e| {
            Failure::new(format!(
                "{}: the regions cannot be imported: {e}. Correct the files and import again.",
                folder.display()
            ))
        })?;
    Ok(())
}

/// The catalogue of a district.
pub async fn catalogue(directory: &Directory, district: &str, file: &Path) -> Result<(), Failure> {
    let yaml = std::fs::read_to_string(file).map_err(|e| {
        Failure::of(
            &format!("{} cannot be read; name a catalogue file", file.display()),
            &e,
        )
    })?;
    directory
        .import_catalogue(district, &yaml, &operator())
        .await
        .map_err(|e| {
            Failure::new(format!(
                "{}: the catalogue cannot be imported: {e}. Correct the file and import again.",
                file.display()
            ))
        })?;
    Ok(())
}
