//! The daily checkpoint of each district's ledger (BX-6): made after local midnight, or as soon as a missed one is noticed.
//!
//! One checkpoint closes all days since the one before; a day without a new act gets one too, because an empty tree is
//! the proof that nothing was added. That costs one act and less than a kilobyte.

use std::{path::Path, time::Duration};

use bangban_kit::{config::Config, refusal::Refusal, secret};
use bangban_ledger::SigningKey;
use bangban_store::{Error, Now, Store};
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::store::checkpoints;

/// Between two looks at the date.
const PAUSE: Duration = Duration::from_secs(5);

/// Makes what is due until `stop`.
pub async fn run(store: Store, key: std::sync::Arc<SigningKey>, stop: CancellationToken) {
    loop {
        if let Err(error) = once(&store, &key).await {
            tracing::warn!(%error, "a checkpoint could not be made; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Makes every checkpoint that is due now; answers how many. A district that fails holds no other one up.
///
/// # Errors
/// The database's: the last one, when all districts were tried.
pub async fn once(store: &Store, key: &SigningKey) -> Result<usize, Error> {
    let now = store.now().await?;
    let (day, until_us) = closed(now);
    let (mut count, mut failed) = (0, None);
    for district in checkpoints::due(store, &day, until_us).await? {
        match checkpoints::make(store, key, &district, &day, now).await {
            Ok(Some(made)) => {
                count += 1;
                let (number, cases) = (made.checkpoint.number, made.checkpoint.leaf_count);
                tracing::info!(%district, number, %day, cases, "checkpoint made");
            }
            // Another replica made it, or is about to.
            Ok(None) | Err(Error::Taken(_)) => {}
            Err(error) if error.is_passing() => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(count), Err)
}

/// The last day that is over, and the midnight that ended it, in microseconds since the epoch.
fn closed(now: Now) -> (String, i64) {
    let local = now.local();
    let midnight = local - local.time().signed_duration_since(chrono::NaiveTime::MIN);
    let day = (midnight - TimeDelta::days(1)).format("%Y-%m-%d");
    (day.to_string(), midnight.timestamp_micros())
}

/// Opens the key that checkpoints are signed with: `ledger.key` beside the key for contexts, which all replicas share
/// too. It is made when it is missing.
///
/// # Errors
/// LEDGER_KEY_UNUSABLE.
pub fn key(config: &Config) -> Result<SigningKey, Refusal> {
    let path = config.context_key().with_file_name("ledger.key");
    open_or_create(&path).map_err(|what| {
        Refusal::precondition(
            "LEDGER_KEY_UNUSABLE",
            "BX-6",
            format!("台账签名密钥 {} 不可用：{what}", path.display()),
            format!("the ledger's key {} cannot be used: {what}", path.display()),
        )
    })
}

fn open_or_create(path: &Path) -> Result<SigningKey, String> {
    let made = || SigningKey::generate().map_err(secret::unusable);
    let bytes = secret::read_or_make(path, made).map_err(|e| e.to_string())?;
    SigningKey::from_pkcs8(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bx_6_a_day_is_over_at_local_midnight() {
        let at = |text: &str| Now {
            at: text.parse().expect("an instant"),
            is_demonstration: false,
        };
        let (day, until) = closed(at("2026-11-24T15:59:59Z"));
        assert_eq!(day, "2026-11-23");
        assert_eq!(until, at("2026-11-23T16:00:00Z").us());
        assert_eq!(closed(at("2026-11-24T16:00:00Z")).0, "2026-11-24");
    }

    #[test]
    fn bx_6_the_key_is_made_once_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.key");
        let first = open_or_create(&path).expect("a key");
        assert_eq!(open_or_create(&path).expect("the key").id(), first.id());
        let mode = std::fs::metadata(&path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).expect("files").count(), 1);
        std::fs::write(&path, b"no key").expect("written");
        assert!(open_or_create(&path).is_err());
    }
}
