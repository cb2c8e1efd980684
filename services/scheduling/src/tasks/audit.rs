//! Compares the gate with the database all the time, and sets it right: days in use within seconds, those first on which
//! somebody was told to wait, and day after day all others, as many as a small part of the time suffices for.

use std::time::{Duration, Instant};

use bangban_slots::Look;
use bangban_store::Error;
use tokio_util::sync::CancellationToken;

use super::paused;
use crate::{
    domain::outside::today,
    doorkeeper::Doorkeeper,
    figures,
    rpc::Rpc,
    store::{DayKey, due, picture},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Days in use that are looked at each time, of each kind.
const IN_USE: usize = 100;

/// Days on which somebody was told to wait take one part of so many of the time, at most.
const SHARE_IN_VAIN: u32 = 5;

/// Days of the round that are looked at each time.
const BATCH: i64 = 100;

/// Days that are used otherwise take one part of so many of the time, and so does the round.
const SHARE: u32 = 20;

/// But days in use rest no longer than this, also behind a look that took long because the machine or the database stood still:
/// what is wrong on them is set right within seconds.
const LONGEST: Duration = Duration::from_secs(5);

/// The shortest round: with few days each is looked at so often.
const ROUND: Duration = Duration::from_secs(2);

/// Seats that are read by one statement, at most, unless one day has more.
const SEATS: usize = 5_000;

/// Days of a site that are farther apart are read apart.
const APART: i64 = 4;

/// Work that may take a share of the time, and when it goes on.
#[derive(Debug, Clone, Copy)]
struct Pace {
    share: u32,
    next: Instant,
}

impl Pace {
    fn one_in(share: u32) -> Self {
        let next = Instant::now();
        Self { share, next }
    }

    /// Behind work that began then.
    fn rests(&mut self, began: Instant) {
        self.next = began + began.elapsed() * self.share;
    }

    /// The same, for no longer than the longest rest.
    fn rests_briefly(&mut self, began: Instant) {
        self.rests(began);
        self.next = self.next.min(Instant::now() + LONGEST);
    }
}

/// How far the round over all days is.
#[derive(Debug, Default)]
struct Round {
    /// District and id of the last day.
    behind: (String, String),
    /// When it began; none before it does.
    began: Option<Instant>,
    /// Days that it has come by, and how many there were when it began.
    done: u64,
    all: u64,
}

/// Audits until `stop`.
pub async fn audit(rpc: Rpc, stop: CancellationToken) {
    let mut in_vain = Pace::one_in(SHARE_IN_VAIN);
    let [mut in_use, mut of_round] = [SHARE, SHARE].map(Pace::one_in);
    let gate = rpc.doors.gate();
    let mut round = Round::default();
    while paused(&stop, PAUSE).await {
        let looked = async {
            let mut drift = 0;
            if in_vain.next <= Instant::now() {
                drift += looked_at(&rpc, gate.asked_in_vain(IN_USE), &mut in_vain).await?;
            }
            if in_use.next <= Instant::now() {
                drift += looked_at(&rpc, gate.used(IN_USE), &mut in_use).await?;
            }
            if of_round.next <= Instant::now() {
                drift += round.goes_on(&rpc, &mut of_round).await?;
            }
            Ok::<_, Error>(drift)
        };
        match looked.await {
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

/// Compares days in use; answers how many seats the gate had wrong.
async fn looked_at(
    rpc: &Rpc,
    days: Vec<bangban_slots::Day>,
    pace: &mut Pace,
) -> Result<u64, Error> {
    let began = Instant::now();
    let days = days.iter().filter_map(|day| parsed(day.key()));
    let drift = compared(rpc, days.collect()).await;
    pace.rests_briefly(began);
    Ok(drift?.unwrap_or_default())
}

impl Round {
    /// Compares the next days; answers how many seats the gate had wrong. Days that the gate cannot be asked of stay
    /// the next ones.
    async fn goes_on(&mut self, rpc: &Rpc, pace: &mut Pace) -> Result<u64, Error> {
        let now = Instant::now();
        let today = today(rpc.store.now().await?.at).to_string();
        if self.began.is_none() {
            self.all = due::days_count(&rpc.store, &today).await?;
        }
        let began = *self.began.get_or_insert(now);
        let found = due::days_from(&rpc.store, &today, &self.behind, BATCH).await?;
        let count = found.len() as u64;
        let last = found.last().cloned();
        let days = found
            .into_iter()
            .filter_map(|(district, id)| Some((district, id.parse().ok()?)));
        let drift = compared(rpc, days.filter(|day| is_left(rpc, day)).collect()).await?;
        pace.rests(now);
        let Some(drift) = drift else {
            return Ok(0);
        };
        self.done += count;
        match last {
            Some(last) if count == BATCH.unsigned_abs() => {
                self.behind = last;
                figures::audited(self.done, self.all);
            }
            _ => {
                figures::went_round(began.elapsed());
                *self = Self::default();
                pace.next = pace.next.max(began + ROUND);
            }
        }
        Ok(drift)
    }
}

/// Whether a day is for the round: one in use has turns of its own, which are closer together.
fn is_left(rpc: &Rpc, (district, key): &(String, DayKey)) -> bool {
    Doorkeeper::day(district, key).map_or(true, |day| !rpc.doors.gate().is_used(&day))
}

/// Compares days, and answers how many seats the gate had wrong; none when it cannot be asked.
async fn compared(rpc: &Rpc, mut days: Vec<(String, DayKey)>) -> Result<Option<u64>, Error> {
    days.sort();
    days.dedup();
    let names: Vec<_> = days
        .iter()
        .map(|(district, key)| Doorkeeper::day(district, key))
        .collect::<Result<_, _>>()?;
    let gate = rpc.doors.gate();
    let Ok(looks) = gate.look(&names).await else {
        return Ok(None);
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
        let pictures = picture::pictures(&rpc.store, district, (first, last)).await?;
        if let Some(overlooked_us) = pictures.overlooked_us {
            rpc.swept.goes_back(overlooked_us);
        }
        for ((_, key), look) in part {
            let Some(picture) = pictures.days.get(key) else {
                continue;
            };
            if let Ok(audited) = gate.audit(look, picture).await {
                drift += audited.drift_found;
            }
        }
    }
    Ok(Some(drift))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bb_9_2b_days_in_use_rest_for_a_share_of_the_time_and_for_seconds_at_the_most() {
        let slow = Instant::now() - Duration::from_secs(60);
        let mut pace = Pace::one_in(SHARE);
        pace.rests(slow);
        assert!(pace.next >= slow + 60 * Duration::from_secs(20));
        pace.rests_briefly(slow);
        assert!(pace.next <= Instant::now() + LONGEST);
        assert!(pace.next > slow + Duration::from_secs(60));
        let quick = Instant::now() - Duration::from_millis(10);
        pace.rests_briefly(quick);
        assert!(pace.next >= quick + Duration::from_millis(200));
    }
}
