//! Migrations, oldest first. Each is one transaction on both databases.

use bangban_store::tables::Uncounted;
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// All of them.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Checkpoints),
            Box::new(Uncounted {
                name: "m0002_uncounted",
                of: &[("kept_checkpoints", &["hash", "body"])],
            }),
        ]
    }
}

/// Checkpoints as they came, and the key that was seen first (BX-6). What is kept is never changed.
struct Checkpoints;

impl MigrationName for Checkpoints {
    fn name(&self) -> &'static str {
        "m0001_checkpoints"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Checkpoints {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await?;
        bangban_learned::revision::create(manager).await?;
        let db = manager.get_connection();
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        let bytes = if is_postgres { "bytea" } else { "blob" };
        for statement in [
            format!(
                "CREATE TABLE kept_checkpoints (
                    district text NOT NULL, number bigint NOT NULL, hash {bytes} NOT NULL, kept_at_us bigint NOT NULL,
                    is_sound boolean NOT NULL, finding text NOT NULL, body {bytes} NOT NULL,
                    PRIMARY KEY (district, number, hash))"
            ),
            format!(
                "CREATE TABLE ledger_keys (
                    log text PRIMARY KEY, public_key {bytes} NOT NULL, seen_at_us bigint NOT NULL)"
            ),
        ] {
            db.execute_unprepared(&statement).await?;
        }
        if is_postgres {
            db.execute_unprepared(
                "CREATE FUNCTION what_is_kept_stays() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION 'what is kept stays (BX-6)'; END $$",
            )
            .await?;
        }
        for table in ["kept_checkpoints", "ledger_keys"] {
            if is_postgres {
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER {table}_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                     FOR EACH STATEMENT EXECUTE FUNCTION what_is_kept_stays()"
                ))
                .await?;
                continue;
            }
            for verb in ["UPDATE", "DELETE"] {
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN
                        SELECT RAISE(ABORT, 'what is kept stays (BX-6)'); END"
                ))
                .await?;
            }
        }
        Ok(())
    }
}
