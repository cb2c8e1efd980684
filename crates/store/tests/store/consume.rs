//! A consumer: each act takes effect exactly once, whatever happens in between.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bangban_kit::{identity::ContextKey, refusal::Refusal};
use bangban_net::{
    client::{Channel, Filled, Local, Stack},
    peer::Peer,
};
use bangban_proto::bangban::events::v1::{
    Act, TailRequest,
    event_feed_server::{EventFeed, EventFeedServer},
};
use bangban_store::{
    Error, Store,
    consume::{self, Effects},
    feed::Feeds,
};
use futures::future::BoxFuture;
use sea_orm::{ConnectionTrait as _, Statement};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};

use crate::setting::{ask, databases, run, until, write};

/// A peer that serves the feed of a store, until what comes with it is dropped.
pub fn peer(source: &Store, folder: &Path) -> (Peer, Filled) {
    peer_of(Feeds::new([source.clone()]), folder)
}

fn peer_of(feed: impl EventFeed, folder: &Path) -> (Peer, Filled) {
    let local = Local::default();
    let routes = Routes::new(EventFeedServer::new(feed));
    let filled = local.fill(Stack::new(routes.prepare()));
    let channel = Channel::local(local);
    let key = ContextKey::open_or_create(&folder.join("context.key")).expect("a key");
    (Peer::new(channel, "reader", key), filled)
}

type Hook = Arc<dyn Fn(&Act) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// Notes every act down, then does what the test wants.
pub struct Taking {
    then: Hook,
}

impl Taking {
    /// Notes down, and then does this.
    pub fn then(
        hook: impl Fn(&Act) -> BoxFuture<'static, Result<(), Error>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            then: Arc::new(hook),
        }
    }

    /// Notes down.
    pub fn simply() -> Self {
        Self::then(|_| Box::pin(async { Ok(()) }))
    }
}

#[async_trait::async_trait]
impl Effects for Taking {
    async fn take(&self, transaction: &bangban_store::Transaction, act: &Act) -> Result<(), Error> {
        let sql = "INSERT INTO taken (subject, number) VALUES ($1, $2)";
        let number = i64::try_from(act.number).expect("small");
        let values = [act.subject.clone().into(), number.into()];
        let backend = transaction.get_database_backend();
        transaction
            .execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
        (self.then)(act).await
    }

    async fn forget(&self, transaction: &bangban_store::Transaction) -> Result<(), Error> {
        transaction.execute_unprepared("DELETE FROM taken").await?;
        Ok(())
    }
}

/// Follows a log in the background.
pub fn follow(
    reader: &Store,
    peer: &Peer,
    log: &'static str,
    effects: Taking,
) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let run = consume::run(reader.clone(), peer.clone(), log, effects, stop.clone());
    (tokio::spawn(run), stop)
}

async fn taken(reader: &Store) -> Vec<(String, i64)> {
    let sql = "SELECT subject, number FROM taken ORDER BY subject, number";
    let rows = reader
        .db
        .query_all_raw(Statement::from_string(reader.backend, sql))
        .await
        .expect("answered");
    rows.iter()
        .map(|r| {
            (
                r.try_get_by_index(0).expect("a subject"),
                r.try_get_by_index(1).expect("a number"),
            )
        })
        .collect()
}

fn pairs(ids: &[&str]) -> Vec<(String, i64)> {
    ids.iter()
        .flat_map(|id| [1, 2].map(|number| (format!("things/{id}"), number)))
        .collect()
}

/// Waits until as many acts took effect, and says which.
async fn all_taken(reader: &Store, count: usize) -> Vec<(String, i64)> {
    until("not all acts took effect", async || {
        taken(reader).await.len() >= count
    })
    .await;
    taken(reader).await
}

#[tokio::test]
async fn an_effect_that_fails_takes_the_position_back_with_it_and_is_tried_again() {
    for database in databases() {
        let source = database.fresh("failsource").await;
        let reader = database.fresh("failreader").await;
        for id in ["a", "b", "c"] {
            write(&source, id).await;
        }
        // What others see while an effect is about to fail, each time.
        let seen: Arc<Mutex<Vec<(i64, String)>>> = Arc::default();
        let (noted, outside) = (Arc::clone(&seen), reader.clone());
        let effects = Taking::then(move |act| {
            let is_the_one = act.subject == "things/b" && act.number == 2;
            let (noted, outside) = (Arc::clone(&noted), outside.clone());
            Box::pin(async move {
                if !is_the_one || noted.lock().expect("whole").len() == 3 {
                    return Ok(());
                }
                let count = ask(&outside, "SELECT count(*) FROM taken").await;
                let position = ask(&outside, "SELECT position FROM positions").await;
                noted.lock().expect("whole").push((count, position));
                Err(Refusal::internal("as the test wants it").into())
            })
        });
        let (peer, _filled) = peer(&source, database.folder.path());
        let (task, stop) = follow(&reader, &peer, "failsource", effects);
        assert_eq!(all_taken(&reader, 6).await, pairs(&["a", "b", "c"]));
        stop.cancel();
        task.await.expect("ended");
        let seen = seen.lock().expect("whole").clone();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|s| *s == seen[0]), "{seen:?}");
        // All came in one message, or what was written first had come before.
        assert!([0, 2].contains(&seen[0].0), "{seen:?}");
        assert_eq!(seen[0].0 == 0, seen[0].1.is_empty(), "{seen:?}");
    }
}

#[tokio::test]
async fn what_a_crash_cut_off_takes_effect_once_after_it() {
    for database in databases() {
        let source = database.fresh("crashsource").await;
        let reader = database.fresh("crashreader").await;
        write(&source, "a").await;
        let (peer, _filled) = peer(&source, database.folder.path());
        let (task, stop) = follow(&reader, &peer, "crashsource", Taking::simply());
        all_taken(&reader, 2).await;
        stop.cancel();
        task.await.expect("ended");
        for id in ["b", "c"] {
            write(&source, id).await;
        }
        // Three crashes: the process is gone in the middle of an effect.
        for _ in 0..3 {
            let there = Arc::new(Notify::new());
            let reached = Arc::clone(&there);
            let effects = Taking::then(move |act| {
                let is_the_one = act.number == 2;
                let reached = Arc::clone(&reached);
                Box::pin(async move {
                    if is_the_one {
                        reached.notify_one();
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                })
            });
            let (task, _) = follow(&reader, &peer, "crashsource", effects);
            there.notified().await;
            task.abort();
            assert!(task.await.expect_err("gone").is_cancelled());
            assert_eq!(taken(&reader).await, pairs(&["a"]));
        }
        let (task, stop) = follow(&reader, &peer, "crashsource", Taking::simply());
        assert_eq!(all_taken(&reader, 6).await, pairs(&["a", "b", "c"]));
        stop.cancel();
        task.await.expect("ended");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_of_a_consumer_do_not_double_what_they_take() {
    const THINGS: usize = 40;
    for database in databases() {
        let source = database.fresh("twosource").await;
        let first = database.fresh("tworeader").await;
        let second = database.open("tworeader").await;
        let (peer, _filled) = peer(&source, database.folder.path());
        let calls = Arc::new(AtomicUsize::new(0));
        let replicas = [&first, &second, &second].map(|reader| {
            let calls = Arc::clone(&calls);
            let effects = Taking::then(move |_| {
                calls.fetch_add(1, Ordering::Relaxed);
                Box::pin(async {
                    tokio::task::yield_now().await;
                    Ok(())
                })
            });
            follow(reader, &peer, "twosource", effects)
        });
        for id in 0..THINGS {
            write(&source, &format!("{id:02}")).await;
        }
        let names: Vec<String> = (0..THINGS).map(|id| format!("{id:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        all_taken(&first, 2 * THINGS).await;
        for (task, stop) in replicas {
            stop.cancel();
            task.await.expect("ended");
        }
        assert_eq!(taken(&first).await, pairs(&names));
        // A transaction that a server broke off is done again, by one: three that do everything make three times as many.
        let calls = calls.load(Ordering::Relaxed);
        assert!((2 * THINGS..3 * THINGS).contains(&calls), "{calls}");
    }
}

#[tokio::test]
async fn a_log_of_another_incarnation_is_taken_in_from_its_beginning() {
    for database in databases() {
        let source = database.fresh("newsource").await;
        let reader = database.fresh("newreader").await;
        write(&source, "a").await;
        let (peer_before, _before) = peer(&source, database.folder.path());
        let (task, stop) = follow(&reader, &peer_before, "newsource", Taking::simply());
        all_taken(&reader, 2).await;
        stop.cancel();
        task.await.expect("ended");
        run(
            &reader,
            "INSERT INTO taken (subject, number) VALUES ('things/lost', 1)",
        )
        .await;
        run(&source, "UPDATE log SET incarnation = 'restored'").await;
        let source = database.open("newsource").await;
        write(&source, "b").await;
        let (peer, _filled) = peer(&source, database.folder.path());
        // Both replicas notice; one of them forgets.
        let other = database.open("newreader").await;
        let replicas = [&reader, &other].map(|r| follow(r, &peer, "newsource", Taking::simply()));
        until("what was lost was not forgotten", async || {
            taken(&reader).await == pairs(&["a", "b"])
        })
        .await;
        for (task, stop) in replicas {
            stop.cancel();
            task.await.expect("ended");
        }
        assert_eq!(taken(&reader).await, pairs(&["a", "b"]));
        let position: String = ask(&reader, "SELECT position FROM positions").await;
        assert!(position.starts_with("newsource.restored."), "{position}");
    }
}

/// A process that hangs after it has taken the first call; the next finds another.
struct Hanging {
    feeds: Feeds,
    calls: AtomicUsize,
}

#[tonic::async_trait]
impl EventFeed for Hanging {
    type TailStream = <Feeds as EventFeed>::TailStream;

    async fn tail(
        &self,
        request: Request<TailRequest>,
    ) -> Result<Response<Self::TailStream>, Status> {
        match self.calls.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Response::new(Box::pin(futures::stream::pending()))),
            1 => std::future::pending().await,
            _ => self.feeds.tail(request).await,
        }
    }
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up_and_the_feed_taken_up_elsewhere() {
    // One database will do: it is about connections.
    let database = databases().remove(0);
    let source = database.fresh("hangsource").await;
    let reader = database.fresh("hangreader").await;
    write(&source, "a").await;
    let hanging = Hanging {
        feeds: Feeds::new([source.clone()]),
        calls: AtomicUsize::default(),
    };
    let (peer, _filled) = peer_of(hanging, database.folder.path());
    let (task, stop) = follow(&reader, &peer, "hangsource", Taking::simply());
    assert_eq!(all_taken(&reader, 2).await, pairs(&["a"]));
    stop.cancel();
    task.await.expect("ended");
}
