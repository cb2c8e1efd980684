//! What runs without being asked: a look at each new day for entitlements that are about to begin (BB-4.2c).
//!
//! The whole window is looked at, so a day on which nobody looked is made up; what was noted stays noted, so any number
//! of replicas may look.

use std::{collections::HashMap, time::Duration};

use bangban_store::Error;
use chrono::NaiveDate;
use tokio_util::sync::CancellationToken;

use crate::Directory;

/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(2);

/// Looks until `stop`.
pub async fn remind(directory: Directory, stop: CancellationToken) {
    let mut reminders = Reminders::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        if let Err(error) = reminders.once(&directory).await {
            tracing::warn!(%error, "the look for entitlements failed; it is tried again");
        }
    }
}

/// On which day each district was looked at last.
#[derive(Debug, Default)]
pub struct Reminders {
    looked_on: HashMap<String, NaiveDate>,
}

impl Reminders {
    /// Looks at every district in which it is another day than at the last look; answers how many entitlements were
    /// noted.
    ///
    /// # Errors
    /// The database's.
    pub async fn once(&mut self, directory: &Directory) -> Result<usize, Error> {
        let now = directory.store().now().await?;
        let today = now.local().date_naive();
        let mut count = 0;
        for district in directory.all_districts().await? {
            if self.looked_on.get(&district) == Some(&today) {
                continue;
            }
            match directory.note_entitlements(&district, now).await {
                Ok(noted) => {
                    count += noted.count;
                    if noted.left == 0 {
                        self.looked_on.insert(district, today);
                    }
                }
                // One district does not keep the others waiting.
                Err(error) => {
                    tracing::warn!(%error, district, "entitlements were not noted; they are tried again");
                }
            }
        }
        Ok(count)
    }
}
