//! Migrations. Their statements are those of both PostgreSQL and SQLite.

use bangban_store::tables::Uncounted;
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Brings directory's tables up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(M0001Start),
            Box::new(M0002LookupsOfAThing),
            Box::new(Uncounted {
                name: "m0003_uncounted",
                of: &[
                    ("resources", &["version", "head", "body"]),
                    (
                        "sealed",
                        &[
                            "wrapped_key",
                            "name",
                            "document",
                            "telephone",
                            "address",
                            "salt",
                        ],
                    ),
                ],
            }),
        ]
    }
}

/// The tables of the first release.
struct M0001Start;

impl MigrationName for M0001Start {
    fn name(&self) -> &str {
        "m0001_start"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for M0001Start {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await?;
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        // Order by bytes in both, so that pages go on where they stopped.
        let (bytes, text) = if is_postgres {
            ("bytea", "text COLLATE \"C\"")
        } else {
            ("blob", "text")
        };
        for statement in [
            format!(
                "CREATE TABLE resources (
                    district {text} NOT NULL, kind {text} NOT NULL, id {text} NOT NULL, version bigint NOT NULL,
                    head {bytes} NOT NULL, region {text} NOT NULL, parent {text} NOT NULL, sort {text} NOT NULL,
                    body {bytes} NOT NULL, updated_at_us bigint NOT NULL, PRIMARY KEY (district, kind, id))"
            ),
            "CREATE INDEX resources_sort ON resources (district, kind, sort, id)".to_owned(),
            "CREATE INDEX resources_parent ON resources (district, kind, parent)".to_owned(),
            "CREATE INDEX resources_kind ON resources (kind, id)".to_owned(),
            format!(
                "CREATE TABLE lookups (
                    district {text} NOT NULL, kind {text} NOT NULL, value {text} NOT NULL, id {text} NOT NULL,
                    PRIMARY KEY (district, kind, value, id))"
            ),
            format!(
                "CREATE TABLE uniques (
                    district {text} NOT NULL, kind {text} NOT NULL, value {text} NOT NULL, id {text} NOT NULL,
                    PRIMARY KEY (district, kind, value))"
            ),
            "CREATE INDEX uniques_id ON uniques (district, kind, id)".to_owned(),
            format!(
                "CREATE TABLE sealed (
                    district {text} NOT NULL, id {text} NOT NULL, wrapped_key {bytes} NOT NULL, name {bytes} NOT NULL,
                    document {bytes} NOT NULL, telephone {bytes} NOT NULL, address {bytes} NOT NULL,
                    salt {bytes} NOT NULL, PRIMARY KEY (district, id))"
            ),
            format!(
                "CREATE TABLE regions (
                    data_set {text} NOT NULL, code {text} NOT NULL, name text NOT NULL, parent {text} NOT NULL,
                    PRIMARY KEY (data_set, code))"
            ),
            "CREATE INDEX regions_parent ON regions (data_set, parent)".to_owned(),
            format!(
                "CREATE TABLE region_data_sets (
                    id {text} PRIMARY KEY, is_active boolean NOT NULL, imported_at_us bigint NOT NULL)"
            ),
        ] {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Custom(
            "a log is never taken back: restore a backup".to_owned(),
        ))
    }
}

/// What leads to a thing is found by the thing: to take it away, and to see that it still does (BB-4.2c).
struct M0002LookupsOfAThing;

impl MigrationName for M0002LookupsOfAThing {
    fn name(&self) -> &str {
        "m0002_lookups_of_a_thing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for M0002LookupsOfAThing {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "CREATE INDEX lookups_id ON lookups (district, kind, id)";
        manager.get_connection().execute_unprepared(index).await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Custom(
            "a log is never taken back: restore a backup".to_owned(),
        ))
    }
}
