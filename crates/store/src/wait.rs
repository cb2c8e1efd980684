//! `after`: a request that must see what was just done waits until this service has taken it in, within bounds.

use std::time::Duration;

use bangban_kit::refusal::{Kind, Refusal};
use tokio::time::Instant;

use crate::{Error, Position, Store, consume};

/// Longest wait; the caller is then told to try again.
const MOST: Duration = Duration::from_secs(5);

/// How often the stored position is looked at, which another replica may move.
const LOOK: Duration = Duration::from_millis(20);

impl Store {
    /// Waits until the position is visible here. The own log always is; empty waits for nothing.
    ///
    /// # Errors
    /// POSITION_INVALID; NOT_SEEN_YET (try again) after five seconds; the database's.
    pub async fn wait_for(&self, after: &str) -> Result<(), Error> {
        if after.is_empty() {
            return Ok(());
        }
        let wanted = Position::parse(after)?;
        if wanted.log == self.service {
            return Ok(());
        }
        let deadline = Instant::now() + MOST;
        loop {
            let seen = self
                .seen
                .lock()
                .await
                .get(&wanted.log)
                .and_then(|s| s.borrow().clone());
            if seen.is_some_and(|p| p.reaches(&wanted)) {
                return Ok(());
            }
            if consume::stored(&self.db, self, &wanted.log)
                .await?
                .is_some_and(|p| p.reaches(&wanted))
            {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Refusal::new(
                    Kind::Unavailable,
                    "NOT_SEEN_YET",
                    "",
                    "本服务尚未收到该变更，请稍后重试",
                    "this service has not taken in that position yet: try again",
                )
                .retry_after(Duration::from_secs(1))
                .into());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
