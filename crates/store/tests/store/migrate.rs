//! Migrations: one process migrates, the others wait, and a failed one leaves nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use bangban_kit::refusal::Refusal;
use bangban_store::{Error, Store, act, migrate};
use sea_orm::ConnectionTrait as _;
use sea_orm_migration::prelude::*;

use crate::setting::{Database, Migrator, databases, read, reason, run, write};

/// A migration from a name, whether it asks for a transaction, and what it does.
struct Step(&'static str, Option<bool>, &'static [&'static str]);

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.0
    }
}

/// Migrations that run at this moment, over all tests of this file that migrate in a crowd.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        self.1
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in self.2 {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

struct Slow;

impl MigrationName for Slow {
    fn name(&self) -> &'static str {
        "m0001_slow"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Slow {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        assert_eq!(RUNNING.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
        for _ in 0..50 {
            manager
                .get_connection()
                .execute_unprepared("SELECT 1")
                .await?;
            tokio::task::yield_now().await;
        }
        bangban_store::tables::create_common(manager).await?;
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

macro_rules! migrator {
    ($name:ident, $($step:expr),+) => {
        struct $name;

        impl MigratorTrait for $name {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$(Box::new($step)),+]
            }
        }
    };
}

const GOOD: Step = Step(
    "m0001_good",
    Some(true),
    &["CREATE TABLE good (id text PRIMARY KEY)"],
);

migrator!(Crowd, Slow);
migrator!(
    Failing,
    GOOD,
    Step(
        "m0002_half",
        Some(true),
        &[
            "CREATE TABLE half (id text)",
            "INSERT INTO good (id) VALUES ('x')",
            "INSERT INTO nowhere (id) VALUES ('x')"
        ]
    )
);
migrator!(
    Mended,
    GOOD,
    Step(
        "m0002_half",
        Some(true),
        &[
            "CREATE TABLE half (id text)",
            "INSERT INTO good (id) VALUES ('x')"
        ]
    )
);
migrator!(
    Bare,
    GOOD,
    Step("m0002_bare", None, &["CREATE TABLE bare (id text)"])
);
migrator!(Older, GOOD);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_start_at_once_one_migrates_and_the_others_wait() {
    for database in databases() {
        database.clear("migratecrowd").await;
        let starts = (0..4).map(|_| {
            let config = database.config.clone();
            tokio::spawn(async move { migrate::up::<Crowd>("migratecrowd", &config).await })
        });
        let mut done = Vec::new();
        for start in starts.collect::<Vec<_>>() {
            done.push(start.await.expect("ended").expect("succeeded"));
        }
        done.sort_unstable();
        assert_eq!(done, [0, 0, 0, 1]);
        Store::open::<Crowd>("migratecrowd", &database.config)
            .await
            .expect("a store");
    }
}

/// Whether a table is there, seen as the service sees it.
async fn has(database: &Database, service: &'static str, table: &str) -> bool {
    let db = if database.config.database.url == "sqlite" {
        let file = bangban_store::open::sqlite_file(service, &database.config.data);
        sea_orm::Database::connect(format!("sqlite://{}", file.display())).await
    } else {
        let mut options = sea_orm::ConnectOptions::new(&database.config.database.url);
        options.set_schema_search_path(service);
        sea_orm::Database::connect(options).await
    }
    .expect("a connection");
    let found = db
        .execute_unprepared(&format!("SELECT * FROM {table}"))
        .await
        .is_ok();
    db.close().await.expect("closed");
    found
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_the_lock_free() {
    for database in databases() {
        let service = "migratefails";
        database.clear(service).await;
        for _ in 0..2 {
            let failed = migrate::up::<Failing>(service, &database.config).await;
            assert!(matches!(failed, Err(Error::Database(_))), "{failed:?}");
            assert!(has(&database, service, "good").await);
            assert!(!has(&database, service, "half").await);
        }
        // The insert into the table of the first one was taken back too: its key is free.
        let done = migrate::up::<Mended>(service, &database.config).await;
        assert_eq!(done.expect("mended"), 1);
        assert!(has(&database, service, "half").await);
    }
}

#[tokio::test]
async fn a_migration_without_a_transaction_is_not_run() {
    for database in databases() {
        let service = "migratebare";
        database.clear(service).await;
        let refused = migrate::up::<Bare>(service, &database.config).await;
        assert_eq!(reason(refused), "INTERNAL");
        assert!(!has(&database, service, "good").await);
        assert!(!has(&database, service, "bare").await);
    }
}

#[tokio::test]
async fn tables_that_are_not_those_of_the_program_are_named_with_what_to_do() {
    for mut database in databases() {
        let service = "migratecheck";
        database.clear(service).await;
        migrate::up::<Older>(service, &database.config)
            .await
            .expect("migrated");
        database.config.database.migrate = false;
        let why = async |opened: Result<Store, Error>| {
            let refusal = Refusal::from(opened.expect_err("refused"));
            assert!(!refusal.zh.is_empty());
            (refusal.reason, refusal.en)
        };
        let (reason, sentence) = why(Store::open::<Mended>(service, &database.config).await).await;
        assert_eq!(reason, "TABLES_OUT_OF_DATE");
        assert!(sentence.contains("bangban migrate"), "{sentence}");
        let (reason, sentence) =
            why(Store::open::<Migrator>(service, &database.config).await).await;
        assert_eq!(reason, "TABLES_NEWER");
        assert!(sentence.contains("upgrade"), "{sentence}");
    }
}

#[tokio::test]
async fn a_log_that_was_restored_into_another_postgresql_is_taken_over() {
    for mut database in databases() {
        let service = "migraterestored";
        let store = database.fresh(service).await;
        if !store.is_postgres() {
            continue;
        }
        for id in ["a", "b"] {
            write(&store, id).await;
        }
        let before = read(&store, 4).await;
        // The old one had given more ids than the new one.
        for sql in [
            "ALTER TABLE acts DISABLE TRIGGER USER",
            "UPDATE acts SET tx = tx + 1000000000",
            "ALTER TABLE acts ENABLE TRIGGER USER",
        ] {
            run(&store, sql).await;
        }
        database.config.database.migrate = false;
        let opened = Store::open::<Migrator>(service, &database.config).await;
        assert_eq!(reason(opened.map(|_| ())), "LOG_FROM_ELSEWHERE");
        database.config.database.migrate = true;
        let restored = database.open(service).await;
        write(&restored, "c").await;
        let after = read(&restored, 6).await;
        let hashes = |acts: &[act::Model]| acts.iter().map(|a| a.hash.clone()).collect::<Vec<_>>();
        assert_eq!(hashes(&after[..4]), hashes(&before));
        assert_eq!(after[5].subject, "things/c");
        let (old, new) = (store.position(0, 0), restored.position(0, 0));
        assert_ne!(old.incarnation, new.incarnation);
        let edit = restored.db.execute_unprepared("UPDATE acts SET tx = 1");
        assert!(edit.await.is_err(), "append-only again");
    }
}
