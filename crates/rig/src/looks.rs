//! What must come is looked for so many times, and not for so many seconds: while the machine stands still nobody works, and
//! nobody looks.

use std::time::{Duration, Instant};

/// The looks that are left.
pub struct Looks {
    left: u128,
    pause: Duration,
    /// Whatever the looks are about, it hangs if they are not done in ten times the time.
    until: Instant,
}

impl Looks {
    /// As many as there are within a time, with such a pause between two of them.
    #[must_use]
    pub fn within(time: Duration, pause: Duration) -> Self {
        let left = time.as_millis() / pause.as_millis();
        let until = Instant::now() + 10 * time;
        Self { left, pause, until }
    }

    /// Until the next one; `false` when that was the last.
    pub async fn goes_on(&mut self) -> bool {
        tokio::time::sleep(self.pause).await;
        self.left = self.left.saturating_sub(1);
        self.left > 0 && Instant::now() < self.until
    }
}
