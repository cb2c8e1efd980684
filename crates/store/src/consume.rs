//! Lives on another service's log: each act takes effect once, because the position is stored in its transaction.

use std::time::Duration;

use bangban_kit::{identity::Caller, peers::Peer, refusal};
use bangban_proto::bangban::events::v1::{Act, TailRequest, event_feed_client::EventFeedClient};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Error, Position, Store, write};

/// What acts of another service do here.
#[async_trait::async_trait]
pub trait Effects: Send + Sync {
    /// Takes one act in, within the transaction that also stores the position.
    async fn take(&self, transaction: &DatabaseTransaction, act: &Act) -> Result<(), Error>;

    /// Forgets what was derived from the log, because it has another incarnation now.
    async fn forget(&self, transaction: &DatabaseTransaction) -> Result<(), Error>;
}

/// Reads `log` for ever, from the position where it stopped; a break is taken up again.
pub async fn run(
    store: Store,
    peer: Peer,
    log: &'static str,
    effects: impl Effects,
    stop: CancellationToken,
) {
    let mut pause = Duration::from_millis(50);
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = follow(&store, &peer, log, &effects, &mut pause) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(service = store.service, log, %error, "the feed broke; it is taken up again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn follow(
    store: &Store,
    peer: &Peer,
    log: &'static str,
    effects: &impl Effects,
    pause: &mut Duration,
) -> Result<(), Error> {
    let from = stored(&store.db, store, log).await?;
    if let Some(from) = &from {
        store.saw(from.clone()).await;
    }
    let request = TailRequest {
        log: log.to_owned(),
        from: from.map(|p| p.to_string()).unwrap_or_default(),
        types: Vec::new(),
        until_caught_up: false,
    };
    let mut client = EventFeedClient::new(peer.channel.clone()).max_decoding_message_size(16 << 20);
    let request = peer.stream_request(&Caller::system(store.service), request)?;
    let mut stream = match client.tail(request).await {
        Ok(stream) => stream.into_inner(),
        Err(status) if refusal::reason(&status) == "POSITION_OF_ANOTHER_LOG" => {
            let transaction = write::begin(&store.db).await?;
            effects.forget(&transaction).await?;
            save(&transaction, store, log, "").await?;
            transaction.commit().await?;
            tracing::warn!(
                service = store.service,
                log,
                "the log has another incarnation; starting from its beginning"
            );
            return Ok(());
        }
        Err(status) => return Err(broken(&status)),
    };
    while let Some(batch) = stream.message().await.map_err(|s| broken(&s))? {
        *pause = Duration::from_millis(50);
        if !batch.acts.is_empty() {
            let transaction = write::begin(&store.db).await?;
            for act in &batch.acts {
                effects.take(&transaction, act).await?;
            }
            save(&transaction, store, log, &batch.position).await?;
            transaction.commit().await?;
            store.woken();
        }
        if let Ok(position) = Position::parse(&batch.position) {
            store.saw(position).await;
        }
    }
    Ok(())
}

fn broken(status: &tonic::Status) -> Error {
    Error::Refused(refusal::Refusal::new(
        refusal::Kind::Unavailable,
        "FEED_BROKEN",
        "",
        "事件流中断",
        format!("{:?}: {}", status.code(), status.message()),
    ))
}

/// Where this service stopped reading a log.
pub(crate) async fn stored(
    db: &impl ConnectionTrait,
    store: &Store,
    log: &str,
) -> Result<Option<Position>, Error> {
    let sql = "SELECT position FROM positions WHERE log = $1";
    let row = db
        .query_one_raw(Statement::from_sql_and_values(
            store.backend,
            sql,
            [log.into()],
        ))
        .await?;
    let text: String = row
        .map(|r| r.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default();
    Ok(if text.is_empty() {
        None
    } else {
        Some(Position::parse(&text)?)
    })
}

async fn save(
    db: &impl ConnectionTrait,
    store: &Store,
    log: &str,
    position: &str,
) -> Result<(), Error> {
    let sql = "INSERT INTO positions (log, position) VALUES ($1, $2) \
               ON CONFLICT (log) DO UPDATE SET position = excluded.position";
    db.execute_raw(Statement::from_sql_and_values(
        store.backend,
        sql,
        [log.into(), position.into()],
    ))
    .await?;
    Ok(())
}

impl Store {
    /// Tells those who wait how far another's log has been taken in.
    pub(crate) async fn saw(&self, position: Position) {
        let mut seen = self.seen.lock().await;
        seen.entry(position.log.clone())
            .or_insert_with(|| watch::channel(None).0)
            .send_replace(Some(position));
    }
}
