//! Migrations, oldest first. Each is one transaction on both databases.

use bangban_store::tables::Uncounted;
use sea_orm_migration::prelude::*;

/// All of them.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Consultations),
            Box::new(OpenOnes),
            Box::new(Uncounted {
                name: "m0003_uncounted",
                of: &[("consultations", &["version", "head", "body"])],
            }),
        ]
    }
}

struct Consultations;

impl MigrationName for Consultations {
    fn name(&self) -> &'static str {
        "m0001_consultations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Consultations {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await?;
        bangban_learned::revision::create(manager).await?;
        let bytes = match manager.get_database_backend() {
            sea_orm_migration::sea_orm::DbBackend::Postgres => "bytea",
            _ => "blob",
        };
        for statement in [
            format!(
                "CREATE TABLE consultations (
                    district text NOT NULL, id text NOT NULL, number bigint NOT NULL, version bigint NOT NULL,
                    head {bytes} NOT NULL, state integer NOT NULL, priority integer NOT NULL, region text NOT NULL,
                    site text NOT NULL, agent text NOT NULL, receiver text NOT NULL, applicant text NOT NULL,
                    item text NOT NULL, asked_at_us bigint NOT NULL, next_due_at_us bigint, attention_at_us bigint,
                    due_at_us bigint, handled_at_us bigint, is_late integer NOT NULL, closed_at_us bigint,
                    is_complete integer NOT NULL, calendar_revision bigint NOT NULL, body {bytes} NOT NULL,
                    PRIMARY KEY (district, id))"
            ),
            // The register has every number once (BB-10.1.1c).
            "CREATE UNIQUE INDEX consultations_number ON consultations (district, number)".to_owned(),
            "CREATE INDEX consultations_order ON consultations (district, priority, asked_at_us, id)".to_owned(),
            "CREATE INDEX consultations_agent ON consultations (district, agent, priority, asked_at_us, id)".to_owned(),
            "CREATE INDEX consultations_asked ON consultations (district, asked_at_us)".to_owned(),
            "CREATE INDEX consultations_applicant ON consultations (district, applicant)".to_owned(),
            "CREATE INDEX consultations_region ON consultations (district, region)".to_owned(),
            "CREATE INDEX consultations_due ON consultations (district, due_at_us) WHERE due_at_us IS NOT NULL"
                .to_owned(),
            "CREATE INDEX consultations_closed ON consultations (district, closed_at_us) WHERE closed_at_us IS NOT NULL"
                .to_owned(),
            "CREATE INDEX consultations_attention ON consultations (attention_at_us) WHERE attention_at_us IS NOT NULL"
                .to_owned(),
            "CREATE INDEX consultations_calendar ON consultations (district, calendar_revision) \
             WHERE next_due_at_us IS NOT NULL"
                .to_owned(),
            "CREATE INDEX consultations_converting ON consultations (id) WHERE state = 4".to_owned(),
            "CREATE TABLE participants (
                district text NOT NULL, consultation text NOT NULL, kind text NOT NULL, id text NOT NULL,
                PRIMARY KEY (district, consultation, kind, id))"
                .to_owned(),
            "CREATE INDEX participants_who ON participants (district, kind, id)".to_owned(),
            // The last number of each district's register.
            "CREATE TABLE registers (district text PRIMARY KEY, last bigint NOT NULL)".to_owned(),
        ] {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// What is open, by district and state, with its due time: what metrics count every half a minute, in the index alone.
struct OpenOnes;

impl MigrationName for OpenOnes {
    fn name(&self) -> &'static str {
        "m0002_open_consultations"
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
                "CREATE INDEX consultations_open ON consultations (district, state, next_due_at_us) \
                 WHERE state IN (1, 2, 4)",
            )
            .await?;
        Ok(())
    }
}
