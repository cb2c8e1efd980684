//! Stores to test with, and what to put into them.

use std::{ops::Deref, time::Duration};

use bangban_kit::{config::Config, identity::Caller};
use bangban_ledger::START;
use bangban_proto::bangban::casework::v1::GiveNoticeRequest;
use bangban_store::{
    Error, Position, Store, Transaction, act,
    write::{self, Chain, Row, State},
};
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::prelude::*;
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The common tables, and two of our own.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Things)]
    }
}

struct Things;

impl MigrationName for Things {
    fn name(&self) -> &'static str {
        "m0001_things"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Things {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await?;
        for table in [
            "CREATE TABLE things (district text, id text, version bigint, PRIMARY KEY (district, id))",
            // Without a key: what takes effect twice stands there twice.
            "CREATE TABLE taken (subject text, number bigint)",
        ] {
            manager.get_connection().execute_unprepared(table).await?;
        }
        Ok(())
    }
}

/// A database to open stores in.
pub struct Database {
    /// How it is reached.
    pub config: Config,
    /// Holds SQLite's files, and locks.
    pub folder: TempDir,
}

/// Each database there is.
pub fn databases() -> Vec<Database> {
    let database = |url: Option<String>| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.database.max_connections = 8;
        // Many wait for few connections here, on machines that stand still for seconds.
        config.database.acquire_seconds = 60;
        if let Some(url) = url {
            config.database.url = url;
        }
        Database { config, folder }
    };
    let url = std::env::var("DATABASE_URL").ok();
    if url.is_none() {
        eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
    }
    let postgres = url.map(|url| database(Some(url)));
    [database(None)].into_iter().chain(postgres).collect()
}

/// A transaction that stands open while a test does something else.
pub async fn standing(store: &Store) -> Transaction {
    let transaction = write::begin(&store.db).await.expect("begun");
    stands(store, &transaction).await;
    transaction
}

/// Lets a transaction stand open for longer than a server bears ours.
pub async fn stands(store: &Store, transaction: &impl ConnectionTrait) {
    if store.is_postgres() {
        transaction
            .execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = '60s'")
            .await
            .expect("set");
    }
}

impl Database {
    /// Takes away what an earlier run left.
    pub async fn clear(&self, service: &str) {
        if self.config.database.url == "sqlite" {
            return;
        }
        let db = sea_orm::Database::connect(&self.config.database.url)
            .await
            .expect("postgresql");
        db.execute_unprepared(&format!("DROP SCHEMA IF EXISTS {service} CASCADE"))
            .await
            .expect("dropped");
        db.close().await.expect("closed");
    }

    /// A store without anything in it.
    pub async fn fresh(&self, service: &'static str) -> Store {
        self.clear(service).await;
        self.open(service).await
    }

    /// A store as another process would open it.
    pub async fn open(&self, service: &'static str) -> Store {
        Store::open::<Migrator>(service, &self.config)
            .await
            .expect("a store")
    }
}

/// A store with the database that it is in.
pub struct Held {
    store: Store,
    /// Its database.
    pub database: Database,
}

impl Deref for Held {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// A fresh store on each database there is.
pub async fn stores(service: &'static str) -> Vec<Held> {
    let mut stores = Vec::new();
    for database in databases() {
        let store = database.fresh(service).await;
        stores.push(Held { store, database });
    }
    stores
}

/// A new thing.
pub fn insert(id: &str) -> State {
    thing(id, None, 1)
}

/// A thing in its next version.
pub fn update(id: &str, read: u64) -> State {
    thing(id, Some(read), read.cast_signed() + 1)
}

fn thing(id: &str, read: Option<u64>, version: i64) -> State {
    State::Row(Row {
        table: "things",
        key: ["zigui".into(), id.into()],
        read,
        columns: vec![("version", version.into())],
        provided: None,
    })
}

/// Two acts on a thing.
pub async fn chain(store: &Store, id: &str, number: u64) -> Chain {
    let now = store.now().await.expect("the time");
    let chain = Chain::new(
        "zigui",
        format!("things/{id}"),
        number,
        START,
        &Caller::system("test"),
        now,
    );
    chain
        .act("thing.made", b"one".to_vec())
        .act("thing.painted", b"two".to_vec())
}

/// Writes two acts on a new thing without state.
pub async fn write(store: &Store, id: &str) -> Position {
    store
        .write(&chain(store, id, 0).await, None, Vec::new())
        .await
        .expect("written")
}

/// The first acts, once `count` of them may be read: on PostgreSQL other tests' open transactions hold readers back.
pub async fn read(store: &Store, count: usize) -> Vec<act::Model> {
    let until = Instant::now() + PATIENCE;
    loop {
        let acts = store.read(0, 0, count.max(10)).await.expect("read");
        if acts.len() >= count || Instant::now() > until {
            return acts;
        }
        tokio::task::yield_now().await;
    }
}

/// Looks again and again whether something has come true.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A request with a body, under one request id.
pub fn request(body: &str) -> GiveNoticeRequest {
    GiveNoticeRequest {
        district: "zigui".to_owned(),
        request_id: "0193a3f0-0000-7000-8000-000000000001".to_owned(),
        receipt: body.to_owned(),
        ..GiveNoticeRequest::default()
    }
}

/// Runs SQL.
pub async fn run(store: &Store, sql: &str) {
    store.db.execute_unprepared(sql).await.expect("done");
}

/// A number or text that SQL answers.
pub async fn ask<T: sea_orm::TryGetable>(store: &Store, sql: &str) -> T {
    let row = store
        .row(Statement::from_string(store.backend, sql))
        .await
        .expect("answered")
        .expect("a row");
    row.try_get_by_index(0).expect("of that type")
}

/// The reason of a refusal.
pub fn reason<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Refused(refusal)) => refusal.reason,
        other => panic!("no refusal: {other:?}"),
    }
}
