//! Compares the gate with the database all the time, and sets it right: days on which somebody was told to wait first,
//! and then day after day.

use std::time::Duration;

use bangban_store::Error;
use tokio_util::sync::CancellationToken;

use super::paused;
use crate::{
    domain::outside::today,
    doorkeeper::Doorkeeper,
    rpc::Rpc,
    store::{DayKey, capacity, due},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Days that are looked at each time.
const BATCH: i64 = 20;

/// Audits until `stop`.
pub async fn audit(rpc: Rpc, stop: CancellationToken) {
    let mut behind = (String::new(), String::new());
    while paused(&stop, PAUSE).await {
        match once(&rpc, &mut behind).await {
            Ok(0) => {}
            Ok(drift) => {
                tracing::warn!(
                    drift,
                    "the gate said something else than the database; set right"
                );
            }
            Err(error) => tracing::warn!(%error, "the gate cannot be audited; it is tried again"),
        }
    }
}

/// One look; answers how many seats the gate had wrong.
///
/// # Errors
/// The database's.
pub async fn once(rpc: &Rpc, behind: &mut (String, String)) -> Result<u64, Error> {
    let mut days = Vec::new();
    let gate = rpc.doors.gate();
    for day in gate.asked_in_vain(usize::try_from(BATCH).unwrap_or_default()) {
        days.extend(parsed(day.key()));
    }
    let now = rpc.store.now().await?;
    let today = today(now.at).to_string();
    let round = due::days_from(&rpc.store, &today, behind, BATCH).await?;
    *behind = round.last().cloned().unwrap_or_default();
    for (district, id) in round {
        if let Ok(key) = id.parse() {
            days.push((district, key));
        }
    }
    days.sort();
    days.dedup();
    let names: Vec<_> = days
        .iter()
        .map(|(district, key)| Doorkeeper::day(district, key))
        .collect::<Result<_, _>>()?;
    let Ok(looks) = gate.look(&names).await else {
        return Ok(0);
    };
    let mut drift = 0;
    for ((district, key), look) in days.iter().zip(&looks) {
        if !look.is_known() {
            continue;
        }
        let mut pictures = capacity::pictures(&rpc.store, district, (key, key)).await?;
        let Some(picture) = pictures.remove(key) else {
            continue;
        };
        if let Ok(audited) = gate.audit(look, &picture).await {
            drift += audited.drift_found;
        }
    }
    Ok(drift)
}

/// District and day of a day's name in the gate.
fn parsed(name: &str) -> Option<(String, DayKey)> {
    let inner = name.strip_prefix('{')?.strip_suffix('}')?;
    let mut parts = inner.split(':');
    let (district, site, date) = (parts.next()?, parts.next()?, parts.next()?);
    let day = DayKey {
        site: site.to_owned(),
        date: date.parse().ok()?,
    };
    Some((district.to_owned(), day))
}
