//! Kept checkpoints (BX-6), on SQLite, and on PostgreSQL where `DATABASE_URL` names one. Casework is a table of
//! checkpoints behind its real contract.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bangban_kit::{
    config::Config,
    identity::{Caller, ContextKey},
    refusal,
    scope::Scope,
};
use bangban_ledger::{Hash, START, SigningKey, key_id, merkle};
use bangban_net::{
    client::{Channel, Endpoints, Settings, Tcp},
    peer::Peer,
};
use bangban_proto::bangban::{
    casework::v1::{
        Checkpoint, CheckpointMade, ExportLedgerRequest, ExportLedgerResponse, GetLedgerKeyRequest,
        LedgerAct, LedgerKey, ListCheckpointsRequest, ListCheckpointsResponse, ledger_act,
        ledger_service_server::{LedgerService, LedgerServiceServer},
    },
    directory::v1::District,
    events::v1::{Act, event_feed_server::EventFeedServer},
    supervision::v1::{
        CompareCheckpointsRequest, KeptCheckpoint, ListKeptCheckpointsRequest,
        checkpoint_service_server::CheckpointService as _,
    },
};
use bangban_store::{
    Store,
    consume::Effects as _,
    copy,
    feed::Feeds,
    write::{Chain, begin},
};
use bangban_supervision::{
    Migrator,
    rpc::Rpc,
    store,
    tasks::{FromCasework, keep, learn_key},
};
use prost::Message as _;
use sea_orm::ConnectionTrait as _;
use sea_orm_migration::prelude::*;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

const DISTRICT: &str = "zigui";

/// Casework, as far as it is asked.
#[derive(Clone)]
struct Casework {
    shown: Arc<Mutex<Vec<Checkpoint>>>,
    key: Arc<SigningKey>,
}

#[tonic::async_trait]
impl LedgerService for Casework {
    type ExportLedgerStream = tokio_stream::Empty<Result<ExportLedgerResponse, Status>>;

    async fn export_ledger(
        &self,
        _: Request<ExportLedgerRequest>,
    ) -> Result<Response<Self::ExportLedgerStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    async fn list_checkpoints(
        &self,
        request: Request<ListCheckpointsRequest>,
    ) -> Result<Response<ListCheckpointsResponse>, Status> {
        let behind = request.into_inner().behind;
        let mut checkpoints = self.shown.lock().expect("not poisoned").clone();
        checkpoints.retain(|c| c.number > behind);
        let has_more = checkpoints.len() > 2;
        checkpoints.truncate(2);
        Ok(Response::new(ListCheckpointsResponse {
            checkpoints,
            has_more,
        }))
    }

    async fn get_ledger_key(
        &self,
        _: Request<GetLedgerKeyRequest>,
    ) -> Result<Response<LedgerKey>, Status> {
        Ok(Response::new(LedgerKey {
            id: self.key.id(),
            public_key: self.key.public().to_vec(),
        }))
    }
}

struct World {
    store: Store,
    casework: Casework,
    rpc: Rpc,
    _folder: tempfile::TempDir,
}

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::generate().expect("a key")).expect("a key")
}

async fn worlds(service: &'static str) -> Vec<World> {
    let mut urls = vec!["sqlite".to_owned()];
    match std::env::var("DATABASE_URL") {
        Ok(url) => urls.push(url),
        Err(_) => eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it"),
    }
    let mut worlds = Vec::new();
    for url in urls {
        if url != "sqlite" {
            let db = sea_orm::Database::connect(&url).await.expect("postgresql");
            db.execute_unprepared(&format!("DROP SCHEMA IF EXISTS {service} CASCADE"))
                .await
                .expect("dropped");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.database.url = url;
        config.database.acquire_seconds = 60;
        let store = Store::open::<Migrator>(service, &config)
            .await
            .expect("a store");
        let district = District {
            id: DISTRICT.to_owned(),
            region: "420527".to_owned(),
            ..District::default()
        };
        copy::put(&store.db, DISTRICT, "district", DISTRICT, &district)
            .await
            .expect("a district");
        let casework = Casework {
            shown: Arc::default(),
            key: Arc::new(key()),
        };
        let peer = served(&casework, &config, None).await;
        learn_key(&store, &peer).await.expect("the key");
        worlds.push(World {
            rpc: Rpc::new(store.clone(), peer),
            store,
            casework,
            _folder: folder,
        });
    }
    worlds
}

/// Casework on the network, with its feed where there is a log.
async fn served(casework: &Casework, config: &Config, log: Option<&Store>) -> Peer {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let endpoints = Endpoints::parse(&format!("http://{address}"), false).expect("an address");
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let service = LedgerServiceServer::new(casework.clone());
    let feeds = EventFeedServer::new(Feeds::new(log.cloned()));
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(service)
            .add_service(feeds)
            .serve_with_incoming(incoming),
    );
    let context = ContextKey::open_or_create(&config.context_key()).expect("a key");
    let patient = Settings {
        wait_for_endpoint: Duration::from_secs(60),
        health_timeout: Duration::from_secs(30),
        ..Settings::of("casework")
    };
    Peer::new(
        Channel::balanced(endpoints, Tcp, patient),
        "supervision",
        context,
    )
}

fn caller(region: &str) -> Caller {
    Caller {
        region: region.to_owned(),
        ..Caller::public()
    }
}

fn with_caller<T>(region: &str, body: T) -> Request<T> {
    let mut request = Request::new(body);
    request.extensions_mut().insert(Arc::new(caller(region)));
    request
}

/// The next checkpoint behind these.
fn next(before: &[Checkpoint], leaf_count: u64, key: &SigningKey) -> Checkpoint {
    let previous = before.last().map_or(START, |c| {
        Hash::try_from(c.hash.as_slice()).expect("a hash")
    });
    let number = before.last().map_or(1, |c| c.number + 1);
    let content = bangban_ledger::Checkpoint {
        district: DISTRICT.to_owned(),
        number,
        day: format!("2026-11-{number:02}"),
        leaf_count,
        root: merkle::empty_root(),
        previous,
    };
    let hash = content.hash();
    Checkpoint {
        district: content.district,
        number,
        day: content.day,
        leaf_count,
        root: content.root.to_vec(),
        previous: previous.to_vec(),
        hash: hash.to_vec(),
        key: key_id(&key.public()),
        signature: key.sign(&hash).to_vec(),
        ..Checkpoint::default()
    }
}

/// A checkpoint as an act carries it.
fn payload(checkpoint: &Checkpoint) -> Vec<u8> {
    let act = LedgerAct {
        act: Some(ledger_act::Act::CheckpointMade(CheckpointMade {
            checkpoint: Some(checkpoint.clone()),
        })),
    };
    act.encode_to_vec()
}

impl World {
    /// The feed brings a checkpoint.
    async fn take(&self, checkpoint: &Checkpoint) {
        let act = Act {
            district: DISTRICT.to_owned(),
            subject: "ledger".to_owned(),
            r#type: "ledger.checkpoint_made".to_owned(),
            payload: payload(checkpoint),
            ..Act::default()
        };
        let effects = FromCasework {
            store: self.store.clone(),
        };
        let db = begin(&self.store.db).await.expect("a transaction");
        effects.take(&db, &act).await.expect("taken");
        db.commit().await.expect("committed");
    }

    /// Casework makes this many checkpoints, and the feed brings them.
    async fn made(&self, count: u64) -> Vec<Checkpoint> {
        let mut all = Vec::new();
        for number in 0..count {
            all.push(next(&all, number, &self.casework.key));
            self.take(&all[all.len() - 1]).await;
        }
        self.casework
            .shown
            .lock()
            .expect("not poisoned")
            .clone_from(&all);
        all
    }

    async fn list(&self, region: &str, behind: u64) -> Result<(Vec<KeptCheckpoint>, bool), Status> {
        let request = ListKeptCheckpointsRequest {
            district: DISTRICT.to_owned(),
            behind,
            page_size: 3,
            ..ListKeptCheckpointsRequest::default()
        };
        let answer = self
            .rpc
            .list_kept_checkpoints(with_caller(region, request))
            .await?;
        let answer = answer.into_inner();
        Ok((answer.checkpoints, answer.has_more))
    }

    async fn compare(&self) -> (u64, Vec<(u64, String)>) {
        let request = CompareCheckpointsRequest {
            district: DISTRICT.to_owned(),
            ..CompareCheckpointsRequest::default()
        };
        let answer = self
            .rpc
            .compare_checkpoints(with_caller("42", request))
            .await;
        let answer = answer.expect("compared").into_inner();
        let differences = answer.differences.into_iter();
        (
            answer.same_count,
            differences.map(|d| (d.number, d.kind)).collect(),
        )
    }
}

#[tokio::test]
async fn bx_6_the_tier_above_keeps_what_was_made() {
    for world in worlds("kept_keeps").await {
        let made = world.made(5).await;
        let (first, has_more) = world.list("42", 0).await.expect("listed");
        let (rest, is_more) = world.list("420527", 3).await.expect("listed");
        assert!(has_more && !is_more);
        let kept = [first, rest].concat();
        assert!(
            kept.iter()
                .all(|k| k.is_sound && k.finding.is_empty() && k.kept_at.is_some())
        );
        let told: Vec<_> = kept.into_iter().filter_map(|k| k.checkpoint).collect();
        assert_eq!(told, made);
        assert_eq!(world.compare().await, (5, Vec::new()));
        for outside in ["43", "420528", "420527100"] {
            assert!(world.list(outside, 0).await.is_err(), "{outside}");
        }
        let narrow = world.list("420527100", 0).await.expect_err("refused");
        assert_eq!(refusal::reason(&narrow), "SCOPE_TOO_NARROW");
    }
}

#[tokio::test]
async fn bx_6_an_end_that_casework_lost_is_noticed() {
    for world in worlds("kept_cut").await {
        world.made(5).await;
        world
            .casework
            .shown
            .lock()
            .expect("not poisoned")
            .truncate(3);
        let cut = [4, 5].map(|number| (number, "CUT".to_owned()));
        assert_eq!(world.compare().await, (3, cut.to_vec()));
    }
}

#[tokio::test]
async fn bx_6_checkpoints_that_casework_made_anew_are_noticed() {
    for world in worlds("kept_changed").await {
        let made = world.made(3).await;
        let mut anew = made[..1].to_vec();
        for _ in 0..3 {
            anew.push(next(&anew, 77, &world.casework.key));
        }
        world
            .casework
            .shown
            .lock()
            .expect("not poisoned")
            .clone_from(&anew);
        let told = [(2, "CHANGED"), (3, "CHANGED"), (4, "UNKNOWN")];
        let told = told.map(|(number, kind)| (number, kind.to_owned()));
        assert_eq!(world.compare().await, (1, told.to_vec()));

        // The log begins anew, and brings both what is kept and what was made anew.
        for checkpoint in &anew {
            world.take(checkpoint).await;
        }
        let (kept, _) = world.list("42", 0).await.expect("listed");
        let told: Vec<_> = kept
            .iter()
            .map(|k| (k.checkpoint.as_ref().map(|c| c.number), k.is_sound))
            .collect();
        let both = [(1, true), (2, true), (2, false), (3, true), (3, false)];
        assert_eq!(
            told,
            both.map(|(number, is_sound)| (Some(number), is_sound))
        );
        assert!(kept[2].finding.contains("another one of this number"));
        assert_eq!(kept[1].checkpoint.as_ref(), Some(&made[1]));
    }
}

#[tokio::test]
async fn bx_6_a_checkpoint_that_is_not_sound_is_kept_with_what_is_wrong() {
    type Spoil = fn(Checkpoint) -> Checkpoint;
    let spoilt: [(&str, Spoil); 3] = [
        ("signature is wrong", |good| Checkpoint {
            signature: vec![0; 64],
            ..good
        }),
        ("is not that of what it says", |good| Checkpoint {
            leaf_count: 9,
            ..good
        }),
        ("never came", |good| Checkpoint { number: 7, ..good }),
    ];
    for (finding, spoil) in spoilt {
        for world in worlds("kept_unsound").await {
            let made = world.made(1).await;
            world
                .take(&spoil(next(&made, 2, &world.casework.key)))
                .await;
            let (kept, _) = world.list("42", 1).await.expect("listed");
            assert!(
                !kept[0].is_sound && kept[0].finding.contains(finding),
                "{finding}: {kept:?}"
            );
        }
    }
}

#[tokio::test]
async fn bx_6_another_key_than_the_first_is_a_finding() {
    for world in worlds("kept_key").await {
        let made = world.made(1).await;
        world.take(&next(&made, 1, &key())).await;
        let (kept, _) = world.list("42", 1).await.expect("listed");
        assert!(
            !kept[0].is_sound && kept[0].finding.contains("seen first"),
            "{kept:?}"
        );
        for sql in [
            "DELETE FROM kept_checkpoints",
            "UPDATE ledger_keys SET seen_at_us = 0",
        ] {
            let refused = world.store.db.execute_unprepared(sql).await;
            assert!(
                refused.expect_err(sql).to_string().contains("BX-6"),
                "{sql}"
            );
        }
    }
}

/// Casework's database, as far as its log is concerned.
struct Log;

impl MigratorTrait for Log {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Acts)]
    }
}

struct Acts;

impl MigrationName for Acts {
    fn name(&self) -> &'static str {
        "m0001_acts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Acts {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await
    }
}

#[tokio::test]
async fn bx_6_checkpoints_come_by_the_feed_and_the_key_is_learned_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        data: folder.path().to_owned(),
        ..Config::default()
    };
    let log = Store::open::<Log>("casework", &config)
        .await
        .expect("a log");
    let store = Store::open::<Migrator>("supervision", &config)
        .await
        .expect("a store");
    let casework = Casework {
        shown: Arc::default(),
        key: Arc::new(key()),
    };
    let peer = served(&casework, &config, Some(&log)).await;
    let stop = CancellationToken::new();
    let task = tokio::spawn(keep(store.clone(), peer, stop.clone()));
    let (mut made, mut number, mut head) = (Vec::new(), 0, START);
    let mut position = String::new();
    for _ in 0..3 {
        made.push(next(&made, 0, &casework.key));
        let caller = Caller::system("casework");
        let now = log.now().await.expect("the time");
        let chain = Chain::new(DISTRICT, "ledger".to_owned(), number, head, &caller, now)
            .act("ledger.checkpoint_made", payload(&made[made.len() - 1]));
        (number, head) = (chain.number, chain.head);
        let db = begin(&log.db).await.expect("a transaction");
        let at = log.append(&db, &chain, None).await.expect("appended");
        position = at.to_string();
        db.commit().await.expect("committed");
        log.woken();
    }
    // Refused as of another log until the first act has told of this one.
    let until = Instant::now() + Duration::from_secs(60);
    while let Err(error) = store.wait_for(&position).await {
        assert!(Instant::now() < until, "taken in: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let scope = Scope::whole(DISTRICT);
    let kept = store::kept::list(&store.db, &scope, 0, 10)
        .await
        .expect("listed");
    assert!(kept.iter().all(|k| k.is_sound), "{kept:?}");
    let kept: Vec<_> = kept.into_iter().filter_map(|k| k.checkpoint).collect();
    assert_eq!(kept, made);
    stop.cancel();
    task.await.expect("ended");
}
