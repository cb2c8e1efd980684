//! What runs beside the calls: reading the generation, watching the servers, and admitting new ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::master::{Master, Trouble};
use super::masters::Masters;
use super::shared::Shared;
use crate::counts::count;
use crate::generations;

/// Reads the generation for ever, so that no call has to.
pub(super) async fn read_generation(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(shared.settings.read_every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let read_at = Instant::now();
        match tokio::time::timeout(shared.settings.lease, shared.generations.read()).await {
            Ok(Ok(generation)) => shared.lease.learn(generation, read_at),
            Ok(Err(error)) => tracing::debug!(%error, "the gate's generation cannot be read"),
            Err(_) => tracing::debug!("the gate's generation is not answered in time"),
        }
    }
}

/// Keeps connections to the servers that are the masters, admitted, for ever.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut last_admission: Option<Instant> = None;
    loop {
        let masters = shared.masters.load_full();
        let is_well = match &masters {
            Some(masters) => {
                let is_told = shared.needs_repair.swap(false, Ordering::Relaxed);
                let (all_answer, are_current) = tokio::join!(
                    all_answer(&shared, masters),
                    masters.are_current(&shared.settings)
                );
                !is_told && all_answer && are_current
            }
            None => false,
        };
        let mut pause = shared.settings.check_every;
        if !is_well {
            pause = match repair(&shared, masters.as_deref(), &mut last_admission).await {
                Ok(()) => {
                    if shared.is_unusable.swap(false, Ordering::Relaxed) {
                        tracing::info!("the gate's Redis is back");
                    }
                    shared.settings.check_every
                }
                Err(trouble) => {
                    if !shared.is_unusable.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%trouble, "the gate's Redis cannot be used: bookings are refused until it can");
                    }
                    shared.needs_repair.store(true, Ordering::Relaxed);
                    Duration::from_millis(100)
                }
            };
        }
        _ = tokio::time::timeout(pause, shared.trouble.notified()).await;
    }
}

async fn all_answer(shared: &Shared, masters: &Masters) -> bool {
    let pings = masters.all.iter().map(|master| ping(shared, master));
    futures::future::join_all(pings)
        .await
        .into_iter()
        .all(|answers| answers)
}

async fn ping(shared: &Shared, master: &Master) -> bool {
    let answers = master
        .ask::<String>(&redis::cmd("PING"), shared.settings.answer_within)
        .await
        .is_ok();
    if answers {
        master.is_back();
    } else {
        master.is_lost();
    }
    answers
}

/// Finds the masters anew and makes sure that they are admitted under the generation that stands.
async fn repair(
    shared: &Shared,
    before: Option<&Masters>,
    last_admission: &mut Option<Instant>,
) -> Result<(), Trouble> {
    let within = shared.settings.answer_within;
    let masters = Masters::find(&shared.settings, before).await?;
    let read_at = Instant::now();
    let read = tokio::time::timeout(shared.settings.lease, shared.generations.read());
    let mut generation = read
        .await
        .map_err(|_| Trouble::Silent)?
        .map_err(Trouble::Generation)?;
    shared.lease.learn(generation, read_at);
    while !are_admitted(&masters, generation, within).await? {
        // Two servers that both seem to be the master would be admitted in turn for ever; releases need a pause.
        if last_admission.is_some_and(|last| last.elapsed() < 2 * shared.settings.lease) {
            return Err(Trouble::TooSoon);
        }
        // Loaded before anybody knows the number: whoever learns it finds the scripts.
        let new = generations::after(generation, rand::random());
        futures::future::try_join_all(masters.all.iter().map(|master| master.load(new, within)))
            .await?;
        let read_at = Instant::now();
        let stands = shared
            .generations
            .replace(generation, new)
            .await
            .map_err(Trouble::Generation)?;
        shared.lease.learn(stands, read_at);
        generation = stands;
        if stands == new {
            *last_admission = Some(Instant::now());
            count(&shared.counters.admissions);
            tracing::info!(
                generation = generations::count(new),
                "the gate's Redis was admitted"
            );
        }
    }
    shared.masters.store(Some(Arc::new(masters)));
    count(&shared.counters.reconnects);
    Ok(())
}

async fn are_admitted(
    masters: &Masters,
    generation: i64,
    within: Duration,
) -> Result<bool, Trouble> {
    let each = masters
        .all
        .iter()
        .map(|master| master.is_admitted(generation, within));
    Ok(futures::future::try_join_all(each)
        .await?
        .into_iter()
        .all(|is_admitted| is_admitted))
}
