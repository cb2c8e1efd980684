//! The log of acts against SQLite, and against PostgreSQL where `DATABASE_URL` names one (`make test` sets it).

use bangban_kit::{config::Config, identity::Caller};
use bangban_ledger::START;
use bangban_proto::bangban::casework::v1::GiveNoticeRequest;
use bangban_store::{
    Error, Store,
    command::{Begun, Command},
    write::{Chain, State, guard},
};
use sea_orm::{
    ConnectionTrait as _, Statement, Value,
    sea_query::{Alias, Expr, Query},
};
use sea_orm_migration::prelude::*;

struct Migrator;

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
        let table = "CREATE TABLE things (district text, id text, version bigint, PRIMARY KEY (district, id))";
        manager.get_connection().execute_unprepared(table).await?;
        Ok(())
    }
}

/// A fresh store on each database there is.
async fn stores(service: &'static str) -> Vec<(Store, tempfile::TempDir)> {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = Config {
        data: folder.path().to_owned(),
        ..Config::default()
    };
    let mut stores = vec![(
        Store::open::<Migrator>(service, &sqlite)
            .await
            .expect("sqlite"),
        folder,
    )];
    let Ok(url) = std::env::var("DATABASE_URL") else {
        eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
        return stores;
    };
    let db = sea_orm::Database::connect(&url).await.expect("postgresql");
    db.execute_unprepared(&format!("DROP SCHEMA IF EXISTS {service} CASCADE"))
        .await
        .expect("dropped");
    let folder = tempfile::tempdir().expect("a folder");
    let mut postgres = Config {
        data: folder.path().to_owned(),
        ..Config::default()
    };
    postgres.database.url = url;
    stores.push((
        Store::open::<Migrator>(service, &postgres)
            .await
            .expect("postgresql"),
        folder,
    ));
    stores
}

fn insert(id: &str) -> State {
    let mut insert = Query::insert();
    insert
        .into_table(Alias::new("things"))
        .columns(["district", "id", "version"].map(Alias::new));
    insert.values_panic([Expr::val("zigui"), Expr::val(id), Expr::val(1_i64)]);
    State::Insert(insert)
}

fn update(id: &str, read: u64) -> State {
    let key = [
        (Alias::new("district"), Value::from("zigui")),
        (Alias::new("id"), Value::from(id)),
    ];
    let mut update = Query::update();
    update
        .table(Alias::new("things"))
        .value(Alias::new("version"), 2_i64)
        .and_where(guard(&key, read));
    State::Update(update)
}

async fn chain(store: &Store, id: &str, number: u64) -> Chain {
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

/// The first acts, once `count` of them may be read: on PostgreSQL other tests' open transactions hold readers back.
async fn read(store: &Store, count: usize) -> Vec<bangban_store::act::Model> {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let acts = store.read(0, 0, 10).await.expect("read");
        if acts.len() >= count || tokio::time::Instant::now() > until {
            return acts;
        }
        tokio::task::yield_now().await;
    }
}

fn request(body: &str) -> GiveNoticeRequest {
    GiveNoticeRequest {
        district: "zigui".to_owned(),
        request_id: "0193a3f0-0000-7000-8000-000000000001".to_owned(),
        receipt: body.to_owned(),
        ..GiveNoticeRequest::default()
    }
}

#[tokio::test]
async fn acts_and_state_are_written_together_or_not_at_all() {
    for (store, _folder) in stores("store_write").await {
        let first = store
            .write(&chain(&store, "a", 0).await, None, vec![insert("a")])
            .await
            .expect("written");
        let acts = read(&store, 2).await;
        assert_eq!(acts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(acts[1].previous_hash, acts[0].hash);
        assert_eq!(first, store.position(acts[1].tx, acts[1].position));
        let stale = store
            .write(&chain(&store, "a", 2).await, None, vec![update("a", 7)])
            .await;
        assert!(matches!(stale, Err(Error::Conflict)), "{stale:?}");
        assert_eq!(read(&store, 2).await.len(), 2);
        let sql = "UPDATE acts SET actor = 'nobody'";
        let edit = store
            .db
            .execute_raw(Statement::from_string(store.backend, sql))
            .await;
        assert!(
            edit.expect_err("refused")
                .to_string()
                .contains("append-only")
        );
    }
}

#[tokio::test]
async fn a_repeated_request_gives_its_first_answer_and_another_body_is_refused() {
    for (store, _folder) in stores("store_repeat").await {
        let caller = Caller::system("test");
        let mut command = Command::new(&caller, &request("first"));
        assert!(matches!(
            store.begin::<GiveNoticeRequest>(&command).await,
            Ok(Begun::New(_))
        ));
        let done = chain(&store, "b", 0).await;
        let written = store
            .finish(
                &mut command,
                &done,
                Some(&request("answer")),
                vec![insert("b")],
            )
            .await
            .expect("written");
        let again = store
            .begin::<GiveNoticeRequest>(&Command::new(&caller, &request("first")))
            .await;
        let Ok(Begun::Repeated(answer, position)) = again else {
            panic!("{again:?}")
        };
        assert_eq!((answer, Some(position)), (request("answer"), written));
        let other = store
            .begin::<GiveNoticeRequest>(&Command::new(&caller, &request("second")))
            .await;
        let Err(Error::Refused(refusal)) = other else {
            panic!("{other:?}")
        };
        assert_eq!(refusal.reason, "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn an_act_that_commits_late_is_not_skipped() {
    for (store, _folder) in stores("store_late").await {
        if !store.is_postgres() {
            continue;
        }
        // The late one takes its number first and commits last.
        let late = bangban_store::write::begin(&store.db).await.expect("begun");
        store
            .append(&late, &chain(&store, "late", 0).await, None)
            .await
            .expect("appended");
        store
            .write(
                &chain(&store, "early", 0).await,
                None,
                vec![insert("early")],
            )
            .await
            .expect("written");
        let seen = store.read(0, 0, 10).await.expect("read");
        assert!(
            seen.is_empty(),
            "nothing may be read past an open transaction: {}",
            seen.len()
        );
        late.commit().await.expect("committed");
        let seen = read(&store, 4).await;
        let subjects: Vec<&str> = seen.iter().map(|a| a.subject.as_str()).collect();
        assert_eq!(
            subjects,
            ["things/late", "things/late", "things/early", "things/early"]
        );
    }
}
