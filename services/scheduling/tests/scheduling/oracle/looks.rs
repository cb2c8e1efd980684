//! What must come is looked for so many times, and not for so many seconds: while the machine stands still nobody works, and
//! nobody looks.

use std::time::Duration;

/// The looks that are left.
pub struct Looks {
    left: u128,
    pause: Duration,
}

impl Looks {
    /// As many as there are within a time, with such a pause between two of them.
    pub fn within(time: Duration, pause: Duration) -> Self {
        let left = time.as_millis() / pause.as_millis();
        Self { left, pause }
    }

    /// Until the next one; `false` when that was the last.
    pub async fn goes_on(&mut self) -> bool {
        tokio::time::sleep(self.pause).await;
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}
