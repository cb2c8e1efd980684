//! A database for each service in one PostgreSQL.

use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DbBackend, DbErr, Statement};

use crate::failure::Failure;

/// Connections that are left for people and their tools.
const LEFT_FREE: u32 = 10;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same server with another database: `name` gets the one in `url`, or `bangban` when it names none.
pub(super) fn url_with(url: &str, name: impl Fn(&str) -> String) -> String {
    let (place, query) = match url.split_once('?') {
        Some((place, query)) => (place, format!("?{query}")),
        None => (url, String::new()),
    };
    let authority = place.find("://").map_or(0, |at| at + 3);
    let (server, old) = match place[authority..].split_once('/') {
        Some((server, old)) if !old.is_empty() => (server, old),
        Some((server, _)) => (server, "bangban"),
        None => (&place[authority..], "bangban"),
    };
    format!("{}{server}/{}{query}", &place[..authority], name(old))
}

/// The name of the database in a URL.
fn name_in(url: &str) -> String {
    let place = url.split_once('?').map_or(url, |(place, _)| place);
    place
        .rsplit_once('/')
        .map_or(place, |(_, name)| name)
        .to_owned()
}

/// Makes the databases of these URLs that are missing, through the server's database in `url`; answers how many
/// connections each of `processes` processes may have.
///
/// # Errors
/// When the server cannot be reached, or the user may not make databases.
pub(super) async fn make(
    url: &str,
    databases: &[String],
    processes: usize,
) -> Result<u32, Failure> {
    let unreachable = |e: DbErr| {
        Failure::of(
            "PostgreSQL cannot be reached; look at DATABASE_URL, or let `make services` start one",
            &e,
        )
    };
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false);
    let db = Database::connect(options).await.map_err(unreachable)?;
    for database in databases {
        let name = name_in(database);
        let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
        let values = [name.clone().into()];
        let found = db
            .query_one_raw(Statement::from_sql_and_values(
                DbBackend::Postgres,
                sql,
                values,
            ))
            .await
            .map_err(unreachable)?;
        if found.is_none() {
            let quoted = name.replace('"', "\"\"");
            let made = db
                .execute_unprepared(&format!("CREATE DATABASE \"{quoted}\""))
                .await;
            made.map_err(|e| {
                Failure::of(
                    &format!(
                        "the database {name} cannot be made; give the user CREATEDB, or make it by hand"
                    ),
                    &e,
                )
            })?;
        }
    }
    let most = db
        .query_one_raw(Statement::from_string(
            DbBackend::Postgres,
            "SELECT current_setting('max_connections')::int",
        ))
        .await
        .and_then(|row| row.map_or(Ok(100), |row| row.try_get_by_index::<i32>(0)))
        .map_err(unreachable)?;
    db.close().await.map_err(unreachable)?;
    let share = most.unsigned_abs().saturating_sub(LEFT_FREE)
        / u32::try_from(processes.max(1)).unwrap_or(u32::MAX);
    Ok(share.max(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_gets_a_database_beside_the_one_that_is_named() {
        let with = |url: &str| url_with(url, |old| format!("{old}_casework"));
        assert_eq!(
            with("postgres://u:p@h:5432/bangban"),
            "postgres://u:p@h:5432/bangban_casework"
        );
        assert_eq!(
            with("postgres://u@h/county?host=/run/postgresql"),
            "postgres://u@h/county_casework?host=/run/postgresql"
        );
        assert_eq!(with("postgres://h"), "postgres://h/bangban_casework");
        assert_eq!(with("postgres://h/"), "postgres://h/bangban_casework");
        assert_eq!(
            name_in(&with("postgres://u@h/county?host=/run")),
            "county_casework"
        );
    }
}
