//! Migrations, oldest first. Each is one transaction on both databases.

use sea_orm_migration::prelude::*;

/// All of them.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Cases), Box::new(CalendarChanges)]
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
