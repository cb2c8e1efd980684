//! Migrations, oldest first. Each is one transaction on both databases.

use bangban_store::tables::{Uncounted, leave_room};
use sea_orm_migration::prelude::*;

/// All of them.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Cases),
            Box::new(CalendarChanges),
            Box::new(Checkpoints),
            Box::new(Consultations),
            Box::new(Receivers),
            Box::new(OpenOnes),
            Box::new(FewerIndices),
            Box::new(Uncounted {
                name: "m0008_uncounted",
                of: &[("cases", &["version", "head", "item_version", "body"])],
            }),
        ]
    }
}

struct Cases;

impl MigrationName for Cases {
    fn name(&self) -> &'static str {
        "m0001_cases"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Cases {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await?;
        let bytes = match manager.get_database_backend() {
            sea_orm_migration::sea_orm::DbBackend::Postgres => "bytea",
            _ => "blob",
        };
        for statement in [
            format!(
                "CREATE TABLE cases (
                    district text NOT NULL, id text NOT NULL, receipt text NOT NULL, version bigint NOT NULL,
                    head {bytes} NOT NULL, state integer NOT NULL, priority integer NOT NULL, region text NOT NULL,
                    site text NOT NULL, agent text NOT NULL, department text NOT NULL, applicant text NOT NULL,
                    item text NOT NULL, item_version bigint NOT NULL, opened_at_us bigint NOT NULL,
                    due_at_us bigint, attention_at_us bigint, ended_at_us bigint, decision_due_at_us bigint,
                    decision_ended_at_us bigint, body {bytes} NOT NULL, PRIMARY KEY (district, id))"
            ),
            "CREATE UNIQUE INDEX cases_receipt ON cases (district, receipt)".to_owned(),
            "CREATE INDEX cases_order ON cases (district, priority, opened_at_us, id)".to_owned(),
            "CREATE INDEX cases_agent ON cases (district, agent, priority, opened_at_us, id)".to_owned(),
            "CREATE INDEX cases_applicant ON cases (district, applicant)".to_owned(),
            "CREATE INDEX cases_region ON cases (district, region)".to_owned(),
            "CREATE INDEX cases_attention ON cases (attention_at_us) WHERE attention_at_us IS NOT NULL".to_owned(),
            "CREATE INDEX cases_decision ON cases (district, decision_due_at_us) WHERE decision_due_at_us IS NOT NULL"
                .to_owned(),
            "CREATE TABLE participants (
                district text NOT NULL, case_id text NOT NULL, kind text NOT NULL, id text NOT NULL,
                PRIMARY KEY (district, case_id, kind, id))"
                .to_owned(),
        ] {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// Which calendar a case's clocks were counted by, so that those counted by an older one are found (BX-3).
struct CalendarChanges;

impl MigrationName for CalendarChanges {
    fn name(&self) -> &'static str {
        "m0002_calendar_changes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CalendarChanges {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_learned::revision::create(manager).await?;
        for statement in [
            "ALTER TABLE cases ADD COLUMN calendar_revision bigint NOT NULL DEFAULT 0",
            "CREATE INDEX cases_calendar ON cases (district, calendar_revision) WHERE due_at_us IS NOT NULL",
        ] {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}

/// Signed checkpoints of the districts' ledgers, and what each was made of (BX-6). They are never changed either.
struct Checkpoints;

impl MigrationName for Checkpoints {
    fn name(&self) -> &'static str {
        "m0003_checkpoints"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Checkpoints {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let is_postgres =
            manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres;
        // Leaves are in byte order whatever the database's locale is.
        let (bytes, subject) = if is_postgres {
            ("bytea", "text COLLATE \"C\"")
        } else {
            ("blob", "text")
        };
        for statement in [
            format!(
                "CREATE TABLE checkpoints (
                    district text NOT NULL, number bigint NOT NULL, day text NOT NULL, leaf_count bigint NOT NULL,
                    root {bytes} NOT NULL, previous {bytes} NOT NULL, hash {bytes} NOT NULL,
                    signature {bytes} NOT NULL, public_key {bytes} NOT NULL, made_at_us bigint NOT NULL,
                    is_demonstration boolean NOT NULL, incarnation text NOT NULL, horizon bigint NOT NULL,
                    PRIMARY KEY (district, number))"
            ),
            format!(
                "CREATE TABLE checkpoint_leaves (
                    district text NOT NULL, number bigint NOT NULL, subject {subject} NOT NULL,
                    act_count bigint NOT NULL, head {bytes} NOT NULL, PRIMARY KEY (district, number, subject))"
            ),
            "CREATE INDEX checkpoint_leaves_subject ON checkpoint_leaves (district, subject, number)".to_owned(),
        ] {
            db.execute_unprepared(&statement).await?;
        }
        if is_postgres {
            db.execute_unprepared(
                "CREATE FUNCTION checkpoints_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION 'checkpoints are append-only (BX-6)'; END $$",
            )
            .await?;
        }
        for table in ["checkpoints", "checkpoint_leaves"] {
            if is_postgres {
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER {table}_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                     FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_append_only()"
                ))
                .await?;
                continue;
            }
            for verb in ["UPDATE", "DELETE"] {
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN
                        SELECT RAISE(ABORT, 'checkpoints are append-only (BX-6)'); END"
                ))
                .await?;
            }
        }
        Ok(())
    }
}

/// The consultation of which a case was made: one case each (BB-4.2a).
struct Consultations;

impl MigrationName for Consultations {
    fn name(&self) -> &'static str {
        "m0004_consultations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Consultations {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            "ALTER TABLE cases ADD COLUMN consultation text NOT NULL DEFAULT ''",
            "CREATE UNIQUE INDEX cases_consultation ON cases (district, consultation) WHERE consultation <> ''",
        ] {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}

/// To whom a case is being handed over, who may see it before it is taken (BB-4.2a).
struct Receivers;

impl MigrationName for Receivers {
    fn name(&self) -> &'static str {
        "m0005_receivers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Receivers {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared("ALTER TABLE cases ADD COLUMN receiver text NOT NULL DEFAULT ''")
            .await?;
        Ok(())
    }
}

/// What is open, by district and state, with its due time: what metrics count every half a minute, in the index alone.
struct OpenOnes;

impl MigrationName for OpenOnes {
    fn name(&self) -> &'static str {
        "m0006_open_cases"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OpenOnes {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX cases_open ON cases (district, state, due_at_us) WHERE ended_at_us IS NULL",
            )
            .await?;
        Ok(())
    }
}

/// One index of what is open instead of two, which names nothing that a command changes; and room in each page, so that a
/// command on a case writes its row beside the old one and touches no index at all.
struct FewerIndices;

impl MigrationName for FewerIndices {
    fn name(&self) -> &'static str {
        "m0007_fewer_indices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FewerIndices {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for statement in [
            "DROP INDEX cases_open",
            "DROP INDEX cases_calendar",
            "CREATE INDEX cases_open ON cases (district, calendar_revision) WHERE ended_at_us IS NULL",
        ] {
            db.execute_unprepared(statement).await?;
        }
        leave_room(manager, "cases").await
    }
}
