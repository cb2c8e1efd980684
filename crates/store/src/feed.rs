//! Serves the log of acts as a feed: in order, each once, never behind an act that commits late.

use std::{collections::HashMap, pin::Pin, time::Duration};

use bangban_kit::refusal::{Kind, Refusal};
use bangban_proto::bangban::{
    events::v1::{Act, TailRequest, TailResponse, event_feed_server::EventFeed},
    types::v1::Actor,
};
use sea_orm::{FromQueryResult as _, Statement};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{Error, Position, Store, act, clock};

/// Acts that are read and sent at once.
pub(crate) const BATCH: usize = 200;

/// How long the log of another process is left alone while nothing happens. Writes of this process wake at once.
const POLL: Duration = Duration::from_millis(200);

/// Least time between two readings of a log that end where it ends: a busy log is read and taken in by many acts at once.
/// An act that comes after a pause is read at once.
const APART: Duration = Duration::from_millis(40);

/// How long a reader that wants to catch up is kept waiting for acts that cannot be read yet, because an older transaction
/// runs on the same PostgreSQL. Then it is told to come again.
const HELD_UP: Duration = Duration::from_secs(5);

/// Between two signs of life, by which a reader tells a log in which nothing happens from a process that hangs.
pub(crate) const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

impl Store {
    /// Up to `limit` acts behind `(tx, at)`, in the order in which they may be read.
    ///
    /// PostgreSQL: sequence order is not commit order. A transaction that began before the oldest one still running has
    /// ended, so everything below that horizon is final; ordering by transaction and sequence keeps a cursor right.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(&self, tx: i64, at: i64, limit: usize) -> Result<Vec<act::Model>, Error> {
        let sql = if self.is_postgres() {
            "SELECT * FROM acts WHERE (tx, position) > ($1, $2) \
             AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY tx, position LIMIT $3"
        } else {
            "SELECT * FROM acts WHERE tx >= $1 AND position > $2 ORDER BY position LIMIT $3"
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = [tx.into(), at.into(), limit.into()];
        let rows = self
            .rows(Statement::from_sql_and_values(self.backend, sql, values))
            .await?;
        Ok(rows
            .iter()
            .map(|row| act::Model::from_query_result(row, ""))
            .collect::<Result<_, _>>()?)
    }

    /// The position of the last act, which may not be readable yet.
    async fn last_act(&self) -> Result<Position, Error> {
        let sql = "SELECT tx, position FROM acts ORDER BY tx DESC, position DESC LIMIT 1";
        let row = self.row(Statement::from_string(self.backend, sql)).await?;
        let Some(row) = row else {
            return Ok(self.position(0, 0));
        };
        Ok(self.position(row.try_get_by_index(0)?, row.try_get_by_index(1)?))
    }

    /// Whether a position is the log's beginning or that of an act. A log that was restored from a backup may keep its
    /// incarnation, but not the acts behind the backup, and a reader must not wait for ever behind its end.
    async fn holds(&self, position: &Position) -> Result<bool, Error> {
        if (position.tx, position.at) == (0, 0) {
            return Ok(true);
        }
        let sql = "SELECT 1 FROM acts WHERE tx = $1 AND position = $2";
        let values = [position.tx.into(), position.at.into()];
        let found = self
            .row(Statement::from_sql_and_values(self.backend, sql, values))
            .await?;
        Ok(found.is_some())
    }
}

/// The feeds of the services in this process.
#[derive(Debug, Default)]
pub struct Feeds {
    stores: HashMap<&'static str, Store>,
    stop: CancellationToken,
    longest: Option<Duration>,
}

impl Feeds {
    /// The feeds of these stores.
    #[must_use]
    pub fn new(stores: impl IntoIterator<Item = Store>) -> Self {
        Self {
            stores: stores.into_iter().map(|s| (s.service, s)).collect(),
            ..Self::default()
        }
    }

    /// Ends every feed that has no end of its own at `stop`: its reader goes on from its position at another process,
    /// and does not hold the end of this one up.
    #[must_use]
    pub fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Ends every feed that has no end of its own after so long: its reader goes on from its position, on a connection
    /// that may be another.
    #[must_use]
    pub fn for_at_most(self, longest: Duration) -> Self {
        Self {
            longest: Some(longest),
            ..self
        }
    }
}

fn message(store: &Store, model: act::Model) -> Act {
    Act {
        position: store.position(model.tx, model.position).to_string(),
        acted_at: chrono::DateTime::from_timestamp_micros(model.acted_at_us).map(clock::timestamp),
        actor: Some(Actor {
            subject: model.actor,
            site: model.actor_site,
        }),
        district: model.district,
        subject: model.subject,
        number: model.number.unsigned_abs(),
        r#type: model.kind,
        payload: model.payload,
        is_demonstration: model.is_demonstration,
        hash: model.hash,
    }
}

#[tonic::async_trait]
impl EventFeed for Feeds {
    type TailStream = Pin<Box<dyn futures::Stream<Item = Result<TailResponse, Status>> + Send>>;

    async fn tail(
        &self,
        request: Request<TailRequest>,
    ) -> Result<Response<Self::TailStream>, Status> {
        let request = request.into_inner();
        let store = self
            .stores
            .get(request.log.as_str())
            .cloned()
            .ok_or_else(|| {
                Refusal::not_found(
                    "LOG_UNKNOWN",
                    "",
                    format!("此进程没有日志 {}", request.log),
                    format!("this process serves no log {:?}", request.log),
                )
            })?;
        let from = if request.from.is_empty() {
            store.position(0, 0)
        } else {
            Position::parse(&request.from).map_err(|r| r.field("from", "is no position"))?
        };
        let is_ours = from.log == store.service && from.incarnation == *store.incarnation;
        if !is_ours || !store.holds(&from).await? {
            return Err(Refusal::precondition(
                "POSITION_OF_ANOTHER_LOG",
                "",
                "该位置属于另一日志或其旧版本，请清空由其得出的数据后从头读取",
                "the position is of another log or incarnation: drop what was derived and start from the beginning",
            )
            .into());
        }
        // What was committed before the request began, whether it can be read yet or not.
        let goal = match request.until_caught_up {
            true => Some(store.last_act().await?),
            false => None,
        };
        // Two batches at most wait for a slow reader.
        let (send, receive) = mpsc::channel(2);
        let stop = self.stop.clone();
        let longest = self.longest.unwrap_or(Duration::MAX);
        let has_end = goal.is_some();
        let tail = tail(store, from, request.types, goal, send);
        tokio::spawn(async move {
            tokio::select! {
                () = tail => {}
                // To end before it has caught up would say that it has.
                () = stop.cancelled(), if !has_end => {}
                () = tokio::time::sleep(longest), if !has_end => {}
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receive))))
    }
}

async fn tail(
    store: Store,
    from: Position,
    types: Vec<String>,
    goal: Option<Position>,
    send: mpsc::Sender<Result<TailResponse, Status>>,
) {
    let mut at = from;
    let mut last_sign = tokio::time::Instant::now();
    let mut moved_at = last_sign;
    loop {
        let woken = store.wake.notified();
        let read_at = tokio::time::Instant::now();
        let acts = match store.read(at.tx, at.at, BATCH).await {
            Ok(acts) => acts,
            Err(error) => {
                let _ = send.send(Err(error.into())).await;
                return;
            }
        };
        let is_full = acts.len() == BATCH;
        let is_idle = acts.is_empty();
        if let Some(last) = acts.last() {
            at = store.position(last.tx, last.position);
            moved_at = read_at;
        }
        let is_caught_up = goal.as_ref().is_some_and(|goal| at.reaches(goal));
        if !is_idle || is_caught_up || last_sign.elapsed() >= SIGN_OF_LIFE {
            let acts = acts
                .into_iter()
                .filter(|a| types.is_empty() || types.contains(&a.kind))
                .map(|a| message(&store, a))
                .collect();
            // Behind what can be read, while an older transaction runs: a reader must know that it has not got all.
            let end = store.last_act().await;
            let response = end.map_err(Status::from).map(|end| TailResponse {
                acts,
                position: at.to_string(),
                end: end.to_string(),
            });
            let is_broken = response.is_err();
            if send.send(response).await.is_err() || is_broken {
                return;
            }
            last_sign = tokio::time::Instant::now();
        }
        if is_caught_up {
            return;
        }
        if goal.is_some() && moved_at.elapsed() >= HELD_UP {
            let _ = send.send(Err(held_up().into())).await;
            return;
        }
        if !is_full {
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
                () = send.closed() => return,
            }
            tokio::time::sleep_until(read_at + APART).await;
        }
    }
}

fn held_up() -> Refusal {
    Refusal::new(
        Kind::Unavailable,
        "FEED_HELD_UP",
        "",
        "数据库中有较早的事务尚未结束，其后的记录暂不能读取，请稍后从最后收到的位置重试",
        "an older transaction on the database is still running, and acts behind it cannot be read yet: go on from the last \
         position that was sent, a little later",
    )
    .retry_after(Duration::from_secs(1))
}
