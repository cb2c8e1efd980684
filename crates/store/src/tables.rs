//! Tables that every service has. A service's first migration creates them beside its own.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Creates the log of acts, the clock, the log's incarnation, positions in other logs, and copies.
///
/// # Errors
/// The database's.
pub async fn create_common(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
    // The sequence number is the table's identity in PostgreSQL and its row id in SQLite, where that alone counts up.
    let (position, tx, key, bytes) = if is_postgres {
        (
            "bigint GENERATED ALWAYS AS IDENTITY",
            "bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)",
            "PRIMARY KEY (district, subject, number)",
            "bytea",
        )
    } else {
        (
            "integer PRIMARY KEY AUTOINCREMENT",
            "bigint NOT NULL DEFAULT 0",
            "UNIQUE (district, subject, number)",
            "blob",
        )
    };
    for statement in [
        format!(
            "CREATE TABLE acts (
                position {position}, tx {tx}, district text NOT NULL, subject text NOT NULL, number bigint NOT NULL,
                kind text NOT NULL, payload {bytes} NOT NULL, acted_at_us bigint NOT NULL, actor text NOT NULL,
                actor_site text NOT NULL, is_demonstration boolean NOT NULL, request_key {bytes}, caller text, method text, request_id text,
                request_digest {bytes}, answer {bytes}, previous_hash {bytes} NOT NULL, hash {bytes} NOT NULL, {key})"
        ),
        "CREATE UNIQUE INDEX acts_request ON acts (request_key)".to_owned(),
        "CREATE INDEX acts_feed ON acts (tx, position)".to_owned(),
        "CREATE INDEX acts_kind ON acts (district, kind, position)".to_owned(),
        "CREATE TABLE clock (id integer PRIMARY KEY, offset_seconds bigint NOT NULL)".to_owned(),
        "INSERT INTO clock (id, offset_seconds) VALUES (1, 0)".to_owned(),
        "CREATE TABLE log (id integer PRIMARY KEY, incarnation text NOT NULL)".to_owned(),
        format!("INSERT INTO log (id, incarnation) VALUES (1, '{}')", &uuid::Uuid::now_v7().simple().to_string()),
        "CREATE TABLE positions (log text PRIMARY KEY, position text NOT NULL)".to_owned(),
        format!(
            "CREATE TABLE copies (
                district text NOT NULL, kind text NOT NULL, id text NOT NULL, body {bytes} NOT NULL,
                PRIMARY KEY (district, kind, id))"
        ),
    ] {
        db.execute_unprepared(&statement).await?;
    }
    if is_postgres {
        forbid_edits(manager).await?;
    } else {
        for verb in ["UPDATE", "DELETE"] {
            db.execute_unprepared(&format!(
                "CREATE TRIGGER acts_no_{verb} BEFORE {verb} ON acts BEGIN
                    SELECT RAISE(ABORT, 'acts are append-only (BB-10.1.5)'); END"
            ))
            .await?;
        }
    }
    Ok(())
}

/// The log is append-only by the database's own word as well.
async fn forbid_edits(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared(
        "CREATE FUNCTION acts_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'acts are append-only (BB-10.1.5)'; END $$",
    )
    .await?;
    db.execute_unprepared(
        "CREATE TRIGGER acts_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON acts
         FOR EACH STATEMENT EXECUTE FUNCTION acts_are_append_only()",
    )
    .await?;
    Ok(())
}

/// Leaves room in each page of a table, so that PostgreSQL can write a changed row beside the old one: where no index names
/// what changed, none is touched. SQLite changes rows in their places.
///
/// # Errors
/// The database's.
pub async fn leave_room(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!("ALTER TABLE {table} SET (fillfactor = 70)");
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// The columns of acts by which nothing is looked for.
const ACTS: (&str, &[&str]) = (
    "acts",
    &[
        "payload",
        "actor",
        "is_demonstration",
        "request_key",
        "caller",
        "method",
        "request_id",
        "request_digest",
        "answer",
        "previous_hash",
        "hash",
    ],
);

/// A migration: PostgreSQL counts no values of columns by which nothing is looked for, or one row alone. Counting them is what
/// most of ANALYZE costs, and a log that grows is analysed once a minute. SQLite counts none.
#[derive(Debug)]
pub struct Uncounted {
    /// Its name among the service's migrations.
    pub name: &'static str,
    /// Tables with such columns, beside the log of acts.
    pub of: &'static [(&'static str, &'static [&'static str])],
}

impl MigrationName for Uncounted {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Uncounted {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for (table, columns) in self.of.iter().chain([&ACTS]) {
            let columns: Vec<String> = columns
                .iter()
                .map(|column| format!("ALTER COLUMN {column} SET STATISTICS 0"))
                .collect();
            let sql = format!("ALTER TABLE {table} {}", columns.join(", "));
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
