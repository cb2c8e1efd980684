//! What runs without being asked: the sweep that warns of due times and records breaches (BB-8c), counts clocks anew
//! when the calendar has changed (BX-3), and goes on with conversions that casework has not acknowledged (BB-4.2a).
//!
//! Due work is found in the rows, oldest first, until none is left; timers only say when to look. Each record is
//! written against the version that was read, so any number of replicas may sweep and each step is taken once.

use std::time::Duration;

use bangban_kit::identity::Caller;
use bangban_learned::{known::Learned, revision};
use bangban_limits::clock::{self as limits, Call};
use bangban_net::peer::Peer;
use bangban_proto::bangban::{
    casework::v1::{Breach, BreachKind, BreachRecorded, DueSoonWarned},
    consultation::v1::{AcceptHandoverRequest, Consultation, ConsultationState},
};
use bangban_store::{Error, command::Command};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::{
    domain::{Act, clock, outside::timestamp},
    rpc::{self, Settled},
    store::{self, Loaded},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Consultations that are read at once.
const BATCH: i64 = 100;

/// Sweeps due times until `stop`.
pub async fn sweep(learned: Learned, stop: CancellationToken) {
    while paused(&stop).await {
        if let Err(error) = once(&learned).await {
            tracing::warn!(%error, "the sweep of due times failed; it is tried again");
        }
    }
}

/// Goes on with conversions until `stop`.
pub async fn convert(learned: Learned, casework: Peer, stop: CancellationToken) {
    while paused(&stop).await {
        if let Err(error) = conversions(&learned, &casework).await {
            tracing::warn!(%error, "going on with conversions failed; it is tried again");
        }
    }
}

/// Whether it is time for another look.
async fn paused(stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(PAUSE) => true,
    }
}

/// Takes every step that is due now; answers how many.
///
/// # Errors
/// The database's.
pub async fn once(learned: &Learned) -> Result<usize, Error> {
    let store = learned.store();
    let caller = Caller::system("consultation");
    let mut steps = 0;
    loop {
        // Clocks are right before anybody is warned by them.
        let mut due = store::outdated(store, BATCH).await?;
        if due.is_empty() {
            let now = store.now().await?;
            due = store::needing_attention(store, now.us(), BATCH).await?;
        }
        let mut progress = 0;
        for (district, id) in &due {
            progress += usize::from(step(learned, &caller, district, id).await?);
        }
        steps += progress;
        // Nothing left, or what is left was just taken by another replica.
        if due.is_empty() || progress == 0 {
            return Ok(steps);
        }
    }
}

async fn read(
    learned: &Learned,
    caller: &Caller,
    district: &str,
    id: &str,
) -> Result<Loaded, Error> {
    let nothing = AcceptHandoverRequest {
        district: district.to_owned(),
        ..AcceptHandoverRequest::default()
    };
    store::load(
        learned.store(),
        learned,
        &Command::new(caller, &nothing),
        id,
    )
    .await
}

async fn step(learned: &Learned, caller: &Caller, district: &str, id: &str) -> Result<bool, Error> {
    let store = learned.store();
    let loaded = read(learned, caller, district, id).await?;
    let is_outdated = loaded.counted_by < loaded.known.calendar_revision;
    let (now, revision) = (loaded.now, loaded.known.calendar_revision);
    let Some(found) = loaded.consultation else {
        return Ok(false);
    };
    let acts = if is_outdated {
        let reason = revision::reasons(store, district, loaded.counted_by).await?;
        let moved = limits::recounted(&found.0.clocks, &reason.join("；"), &loaded.known.calendar)?;
        moved.into_iter().map(Act::ClockRecomputed).collect()
    } else {
        due_acts(&found.0, now.at.timestamp())
    };
    if acts.is_empty() {
        if is_outdated {
            store::unmoved(store, (district, id), found.1, revision).await?;
        }
        return Ok(is_outdated);
    }
    let put = rpc::written(store, caller, found, acts, (now, revision));
    Ok(put.await?.is_some())
}

/// Warnings and breaches that clocks call for at an instant, in seconds since the epoch. The responsible agent is the
/// one who is late.
#[must_use]
pub fn due_acts(consultation: &Consultation, now: i64) -> Vec<Act> {
    let act = |call| match call {
        Call::Warn(clock) => Act::DueSoonWarned(DueSoonWarned { clock }),
        Call::Breach(id) => Act::BreachRecorded(BreachRecorded {
            breach: Some(Breach {
                kind: BreachKind::Late.into(),
                subject: consultation.agent.clone(),
                requirement: clock::requirement(consultation, &id).to_owned(),
                clock: id,
                recorded_at: chrono::DateTime::from_timestamp(now, 0).map(timestamp),
            }),
        }),
    };
    limits::calls(&consultation.clocks, now)
        .into_iter()
        .map(act)
        .collect()
}

/// Asks casework again for every case that is meant and not acknowledged, oldest first; answers how many are settled.
/// Ends early when casework cannot be reached.
///
/// # Errors
/// The database's.
pub async fn conversions(learned: &Learned, casework: &Peer) -> Result<usize, Status> {
    let store = learned.store();
    let caller = Caller::system("consultation");
    let (mut settled, mut last) = (0, String::new());
    loop {
        let batch = store::converting(store, &last, BATCH).await?;
        let Some((_, end)) = batch.last() else {
            return Ok(settled);
        };
        last.clone_from(end);
        for (district, id) in &batch {
            let loaded = read(learned, &caller, district, id).await?;
            let is_meant = |c: &Consultation| c.state() == ConsultationState::Converting;
            let Some((meant, ..)) = loaded.consultation.filter(|(c, ..)| is_meant(c)) else {
                continue;
            };
            match rpc::settle(learned, casework, &caller, None, &meant, None).await? {
                Settled::Acknowledged(..) | Settled::Refused(_) => settled += 1,
                Settled::Elsewhere => {}
                Settled::Waiting(true) => return Ok(settled),
                Settled::Waiting(false) => {}
            }
        }
    }
}
