//! Compares the gate with the database all the time, and sets it right: days on which somebody was told to wait at once,
//! and day after day the others, as many as a small part of the time suffices for.

use std::time::{Duration, Instant};

use bangban_slots::Look;
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

/// Days on which somebody was told to wait that are looked at each time.
const IN_VAIN: usize = 100;

/// Days of the round that are looked at each time.
const BATCH: i64 = 100;

/// The round takes one part of so many of the time.
const SHARE: u32 = 20;

/// The shortest round: with few days each is looked at so often.
const ROUND: Duration = Duration::from_secs(2);

/// Seats that are read by one statement, at most, unless one day has more.
const SEATS: usize = 5_000;

/// Days of a site that are farther apart are read apart.
const APART: i64 = 4;

/// How far the round over all days is.
#[derive(Debug)]
struct Round {
    /// District and id of the last day.
    behind: (String, String),
    began: Instant,
    next: Instant,
}

/// Audits until `stop`.
pub async fn audit(rpc: Rpc, stop: CancellationToken) {
    let mut round = Round {
        behind: Default::default(),
        began: Instant::now(),
        next: Instant::now(),
    };
    while paused(&stop, PAUSE).await {
        match once(&rpc, &mut round).await {
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
async fn once(rpc: &Rpc, round: &mut Round) -> Result<u64, Error> {
    let mut days = Vec::new();
    for day in rpc.doors.gate().asked_in_vain(IN_VAIN) {
        days.extend(parsed(day.key()));
    }
    let mut drift = compared(rpc, days).await?;
    let began = Instant::now();
    if began < round.next {
        return Ok(drift);
    }
    let now = rpc.store.now().await?;
    let today = today(now.at).to_string();
    let found = due::days_from(&rpc.store, &today, &round.behind, BATCH).await?;
    let is_over = i64::try_from(found.len()).is_ok_and(|count| count < BATCH);
    round.behind = match found.last() {
        Some(last) if !is_over => last.clone(),
        _ => Default::default(),
    };
    let of_round = found
        .into_iter()
        .filter_map(|(district, id)| Some((district, id.parse().ok()?)));
    drift += compared(rpc, of_round.collect()).await?;
    round.next = began + began.elapsed() * SHARE;
    if is_over {
        round.next = round.next.max(round.began + ROUND);
        round.began = round.next;
    }
    Ok(drift)
}

/// Compares days, and answers how many seats the gate had wrong.
async fn compared(rpc: &Rpc, mut days: Vec<(String, DayKey)>) -> Result<u64, Error> {
    days.sort();
    days.dedup();
    let names: Vec<_> = days
        .iter()
        .map(|(district, key)| Doorkeeper::day(district, key))
        .collect::<Result<_, _>>()?;
    let gate = rpc.doors.gate();
    let Ok(looks) = gate.look(&names).await else {
        return Ok(0);
    };
    let mut known: Vec<_> = days.into_iter().zip(looks).collect();
    known.retain(|(_, look)| look.is_known());
    let mut drift = 0;
    let mut left = known.as_slice();
    while let Some((((district, first), _), _)) = left.split_first() {
        let (part, rest) = left.split_at(together(left));
        left = rest;
        let Some(((_, last), _)) = part.last() else {
            break;
        };
        let pictures = capacity::pictures(&rpc.store, district, (first, last)).await?;
        for ((_, key), look) in part {
            let Some(picture) = pictures.get(key) else {
                continue;
            };
            if let Ok(audited) = gate.audit(look, picture).await {
                drift += audited.drift_found;
            }
        }
    }
    Ok(drift)
}

/// How many of the first days are read by one statement: days of one site that follow each other.
fn together(days: &[((String, DayKey), Look)]) -> usize {
    let Some(((district, mut last), look)) = days
        .first()
        .map(|((district, day), look)| ((district, day.clone()), look))
    else {
        return 0;
    };
    let mut seats = look.seats();
    let mut count = 1;
    for ((of, day), look) in &days[1..] {
        seats += look.seats();
        let is_next = of == district
            && day.site == last.site
            && (day.date - last.date).num_days() <= APART
            && seats <= SEATS;
        if !is_next {
            break;
        }
        last = day.clone();
        count += 1;
    }
    count
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
