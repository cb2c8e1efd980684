//! An open feed, as a service follows it: from the beginning, and after a break from the position of the last act.

use std::{
    sync::Arc,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bangban::cli::Service;
use bangban_proto::bangban::events::v1::{
    Act, TailRequest, TailResponse, event_feed_client::EventFeedClient,
};
use bangban_store::Position;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::Caller;

/// A feed that says nothing for so long is left: it gives a sign of life every second.
const SILENCE: Duration = Duration::from_secs(3);

/// Between two attempts to take a feed up again when nobody serves it.
const PAUSE: Duration = Duration::from_millis(50);

/// Largest message, in bytes.
const LIMIT: usize = 16 << 20;

/// What came, act by act.
#[derive(Debug, Default)]
pub(super) struct Followed {
    acts: Mutex<Vec<Came>>,
    resumed: AtomicU64,
}

/// An act that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Came {
    position: String,
    subject: String,
    number: u64,
}

impl From<Act> for Came {
    fn from(act: Act) -> Self {
        Self {
            position: act.position,
            subject: format!("{}/{}", act.district, act.subject),
            number: act.number,
        }
    }
}

impl Followed {
    fn acts(&self) -> MutexGuard<'_, Vec<Came>> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn act_count(&self) -> usize {
        self.acts().len()
    }

    pub(super) fn resumed(&self) -> u64 {
        self.resumed.load(Ordering::Relaxed)
    }

    /// What differs from the whole log: nothing may.
    pub(super) fn compared(&self, log: Service, whole: &[Came]) -> Option<String> {
        let acts = self.acts();
        let place = |act: &Came| Position::parse(&act.position).map(|p| (p.tx, p.at)).ok();
        let is_in_order = acts.is_sorted_by(|a, b| place(a) < place(b));
        if is_in_order && *acts == whole {
            return None;
        }
        let first = acts
            .iter()
            .zip(whole)
            .position(|(ours, theirs)| ours != theirs);
        Some(format!(
            "{}: {} acts came of {}, in order: {is_in_order}, the first that differs: {first:?}",
            log.name(),
            acts.len(),
            whole.len()
        ))
    }
}

async fn opened(
    log: Service,
    caller: &Caller,
    from: String,
    until_caught_up: bool,
) -> Result<Streaming<TailResponse>, Status> {
    let request = caller.client.stream_request(TailRequest {
        log: log.name().to_owned(),
        from,
        until_caught_up,
        ..TailRequest::default()
    });
    let mut feed = EventFeedClient::new(caller.ways.of(log)).max_decoding_message_size(LIMIT);
    Ok(feed.tail(request).await?.into_inner())
}

/// Follows a log until `stop`.
pub(super) async fn follow(
    log: Service,
    caller: Caller,
    followed: Arc<Followed>,
    stop: CancellationToken,
) {
    loop {
        let broken = tokio::select! {
            () = stop.cancelled() => return,
            broken = until_broken(log, &caller, &followed) => broken,
        };
        followed.resumed.fetch_add(1, Ordering::Relaxed);
        if broken.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn until_broken(log: Service, caller: &Caller, followed: &Followed) -> Result<(), Status> {
    let last = followed.acts().last().map(|act| act.position.clone());
    let silent = |_| Status::unavailable("silence");
    let feed = opened(log, caller, last.unwrap_or_default(), false);
    let mut feed = timeout(SILENCE, feed).await.map_err(silent)??;
    while let Some(batch) = timeout(SILENCE, feed.message()).await.map_err(silent)?? {
        followed
            .acts()
            .extend(batch.acts.into_iter().map(Came::from));
    }
    Ok(())
}

/// The whole log, as it is when nobody writes any more.
pub(super) async fn whole(log: Service, caller: &Caller) -> Vec<Came> {
    let mut feed = opened(log, caller, String::new(), true)
        .await
        .expect("a feed");
    let mut acts = Vec::new();
    while let Some(batch) = feed.message().await.expect("a batch") {
        acts.extend(batch.acts.into_iter().map(Came::from));
    }
    acts
}
