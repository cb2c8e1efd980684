//! `after`: a request that must see what was just done waits until this service has taken it in, within bounds.

use std::{sync::PoisonError, time::Duration};

use bangban_kit::refusal::{Kind, Refusal};
use tokio::{sync::watch, time::Instant};

use crate::{Error, Position, Store, consume};

/// Longest wait; the caller is then told to try again.
const MOST: Duration = Duration::from_secs(5);

/// How often the stored position is looked at, which another replica may move.
const LOOK: Duration = Duration::from_millis(20);

impl Store {
    /// Waits until the position is visible here. The own log always is; empty waits for nothing.
    ///
    /// # Errors
    /// POSITION_INVALID; POSITION_OF_ANOTHER_LOG for one that this service does not read, or an earlier incarnation of
    /// its own; NOT_SEEN_YET (try again) after five seconds; the database's.
    pub async fn wait_for(&self, after: &str) -> Result<(), Error> {
        if after.is_empty() {
            return Ok(());
        }
        let wanted = Position::parse(after).map_err(|r| r.field("after", "is no position"))?;
        if wanted.log == self.service {
            return if wanted.incarnation == *self.incarnation {
                Ok(())
            } else {
                Err(another_log())
            };
        }
        let mut seen = self.watch(&wanted.log);
        let deadline = Instant::now() + MOST;
        loop {
            let reached = |p: &Position| p.reaches(&wanted);
            if let Some(seen) = &mut seen
                && seen.borrow_and_update().as_ref().is_some_and(reached)
            {
                return Ok(());
            }
            match consume::stored(self, &wanted.log).await? {
                Some(Some(stored)) if reached(&stored) => return Ok(()),
                None if seen.is_none() => return Err(another_log()),
                _ => {}
            }
            if Instant::now() >= deadline {
                return Err(not_seen_yet());
            }
            tokio::select! {
                () = changed(seen.as_mut()) => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// How far a log has been taken in by this process, if it follows it.
    fn watch(&self, log: &str) -> Option<watch::Receiver<Option<Position>>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(log).map(watch::Sender::subscribe)
    }
}

async fn changed(seen: Option<&mut watch::Receiver<Option<Position>>>) {
    let is_over = match seen {
        Some(seen) => seen.changed().await.is_err(),
        None => true,
    };
    if is_over {
        std::future::pending::<()>().await;
    }
}

fn not_seen_yet() -> Error {
    Refusal::new(
        Kind::Unavailable,
        "NOT_SEEN_YET",
        "",
        "本服务尚未收到该变更，请稍后重试",
        "this service has not taken in that position yet: try again",
    )
    .retry_after(Duration::from_secs(1))
    .into()
}

fn another_log() -> Error {
    Refusal::precondition(
        "POSITION_OF_ANOTHER_LOG",
        "",
        "该位置不属于本服务读取的日志，或属于其旧版本，请去掉 after 后重试",
        "the position is of a log that this service does not read, or of an earlier incarnation: repeat without `after`",
    )
    .field("after", "is of another log or incarnation")
    .into()
}
