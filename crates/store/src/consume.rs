//! Lives on another service's log: each act takes effect once, because the position is stored in its transaction,
//! and moves only from where it was read: any number of replicas may follow the same log.

use std::{sync::PoisonError, time::Duration};

use bangban_kit::{identity::Caller, refusal};
use bangban_net::peer::Peer;
use bangban_proto::bangban::events::v1::{
    Act, TailRequest, TailResponse, event_feed_client::EventFeedClient,
};
use sea_orm::{ConnectionTrait, Statement};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::{
    Error, Position, Store, Transaction, feed,
    lag::{Goal, Lag},
    write,
};

/// What acts of another service do here.
#[async_trait::async_trait]
pub trait Effects: Send + Sync {
    /// Takes one act in, within the transaction that also stores the position.
    async fn take(&self, transaction: &Transaction, act: &Act) -> Result<(), Error>;

    /// Forgets what was derived from the log, because it has another incarnation now.
    async fn forget(&self, transaction: &Transaction) -> Result<(), Error>;

    /// With this transaction all is taken in that the log held at some moment since it is followed, what was committed
    /// and could not be read yet included: what must not be judged by a half of the log can be judged now. Called behind
    /// the acts, in their transaction.
    async fn caught_up(&self, _: &Transaction) -> Result<(), Error> {
        Ok(())
    }

    /// These acts have taken effect, by this process or by another replica: each that follows the log hears of them, so
    /// that none goes by what it remembers of before.
    fn heard(&self, _: &[Act]) {}

    /// Acts may have taken effect of which this process will not hear: it begins to follow the log now, behind them.
    fn missed(&self) {}
}

/// Pause before a broken feed is taken up again; it doubles as long as nothing takes effect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who has been silent for so long is given up: another replica may answer. Well below what `after` waits for.
const SILENCE: Duration = feed::SIGN_OF_LIFE.saturating_mul(3);

/// Reads `log` for ever, from the position where it stopped; a break is taken up again. From this call on, even before
/// the future is polled, the store knows that it follows the log.
pub fn run(
    store: Store,
    peer: Peer,
    log: &'static str,
    effects: impl Effects,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send {
    store.seen_of(log);
    async move {
        let mut pause = FIRST_PAUSE;
        let lag = Lag {
            log,
            consumer: store.service,
        };
        lag.begins();
        while !stop.is_cancelled() {
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = follow(&store, &peer, lag, &effects, &mut pause) => ended,
            };
            if let Err(error) = ended {
                tracing::warn!(service = store.service, log, %error, "the feed broke; it is taken up again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn follow(
    store: &Store,
    peer: &Peer,
    lag: Lag,
    effects: &impl Effects,
    pause: &mut Duration,
) -> Result<(), Error> {
    let log = lag.log;
    let mut at = match stored(store, log).await? {
        Some(at) => at,
        None => {
            begin(store, log).await?;
            None
        }
    };
    effects.missed();
    if let Some(at) = &at {
        store.saw(at.clone());
    }
    let request = TailRequest {
        log: log.to_owned(),
        from: text(at.as_ref()),
        types: Vec::new(),
        until_caught_up: false,
    };
    let mut client = EventFeedClient::new(peer.channel.clone()).max_decoding_message_size(16 << 20);
    let request = peer.stream_request(&Caller::system(store.service), request)?;
    let mut stream = match heard(client.tail(request)).await {
        Ok(stream) => stream.into_inner(),
        Err(status) if refusal::reason(&status) == "POSITION_OF_ANOTHER_LOG" => {
            return forget(store, log, effects, at.as_ref()).await;
        }
        Err(status) => return Err(broken(&status)),
    };
    let mut goal = Goal::default();
    while let Some(batch) = heard(stream.message()).await.map_err(|s| broken(&s))? {
        lag.heard(&batch);
        let caught_up = goal.reached(&batch)?;
        let to = Position::parse(&batch.position)?;
        while !at.as_ref().is_some_and(|at| at.reaches(&to)) {
            let is_all = caught_up.is_some();
            if take(store, log, effects, at.as_ref(), (&batch, is_all)).await? {
                at = Some(to.clone());
                continue;
            }
            // Another replica was faster: go on from where it is, unless it began anew.
            let theirs = stored(store, log).await?.flatten();
            match theirs.filter(|p| p.incarnation == to.incarnation && Some(p) != at.as_ref()) {
                Some(theirs) => at = Some(theirs),
                None => return Err(Error::Conflict),
            }
        }
        effects.heard(&batch.acts);
        *pause = FIRST_PAUSE;
        lag.took(&batch, caught_up);
        store.saw(to);
    }
    Ok(())
}

/// An answer, unless the other end hangs.
async fn heard<T>(answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let silent = |_| Status::unavailable("nothing was heard of the feed, not even a sign of life");
    timeout(SILENCE, answer).await.map_err(silent)?
}

/// Takes what lies behind `at` in, together with the new position; `is_all` when nothing is missing then. `false`: the stored position is not `at` any more.
async fn take(
    store: &Store,
    log: &str,
    effects: &impl Effects,
    at: Option<&Position>,
    (batch, is_all): (&TailResponse, bool),
) -> Result<bool, Error> {
    let transaction = write::begin(&store.db).await?;
    // First, because it locks the row: replicas take turns, and who comes second sees that it was done.
    if !advance(&transaction, store, log, at, &batch.position).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    for act in &batch.acts {
        let position = Position::parse(&act.position)?;
        if !at.is_some_and(|at| at.reaches(&position)) {
            effects.take(&transaction, act).await?;
        }
    }
    if is_all {
        effects.caught_up(&transaction).await?;
    }
    transaction.commit().await?;
    store.woken();
    Ok(true)
}

/// Drops what was derived, unless another replica has just done so.
async fn forget(
    store: &Store,
    log: &str,
    effects: &impl Effects,
    at: Option<&Position>,
) -> Result<(), Error> {
    let transaction = write::begin(&store.db).await?;
    if !advance(&transaction, store, log, at, "").await? {
        transaction.rollback().await?;
        return Ok(());
    }
    effects.forget(&transaction).await?;
    transaction.commit().await?;
    tracing::warn!(
        service = store.service,
        log,
        "the log has another incarnation; starting from its beginning"
    );
    Ok(())
}

fn broken(status: &Status) -> Error {
    Error::Refused(refusal::Refusal::new(
        refusal::Kind::Unavailable,
        "FEED_BROKEN",
        "",
        "事件流中断",
        format!("{:?}: {}", status.code(), status.message()),
    ))
}

/// Puts the row of a log down that nothing was read of yet.
async fn begin(store: &Store, log: &str) -> Result<(), Error> {
    let sql = "INSERT INTO positions (log, position) VALUES ($1, '') ON CONFLICT (log) DO NOTHING";
    store
        .db
        .execute_raw(Statement::from_sql_and_values(
            store.backend,
            sql,
            [log.into()],
        ))
        .await?;
    Ok(())
}

/// Where this service stopped reading a log: `None` when it never followed it, `Some(None)` at its beginning.
pub(crate) async fn stored(store: &Store, log: &str) -> Result<Option<Option<Position>>, Error> {
    let sql = "SELECT position FROM positions WHERE log = $1";
    let row = store
        .row(Statement::from_sql_and_values(
            store.backend,
            sql,
            [log.into()],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let text: String = row.try_get_by_index(0)?;
    Ok(Some(if text.is_empty() {
        None
    } else {
        Some(Position::parse(&text)?)
    }))
}

/// Moves the stored position from `at` to `to`; `false` when it is not at `at`.
async fn advance(
    db: &impl ConnectionTrait,
    store: &Store,
    log: &str,
    at: Option<&Position>,
    to: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE positions SET position = $1 WHERE log = $2 AND position = $3";
    let values = [to.into(), log.into(), text(at).into()];
    let done = db
        .execute_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    Ok(done.rows_affected() == 1)
}

fn text(at: Option<&Position>) -> String {
    at.map(ToString::to_string).unwrap_or_default()
}

impl Store {
    /// How far another's log has been taken in by this process, to be watched; from now on it is followed here.
    fn seen_of(&self, log: &str) -> watch::Sender<Option<Position>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(log.to_owned())
            .or_insert_with(|| watch::channel(None).0)
            .clone()
    }

    /// Tells those who wait how far another's log has been taken in.
    fn saw(&self, position: Position) {
        self.seen_of(&position.log).send_replace(Some(position));
    }
}
