//! What runs without being asked: the sweep that warns of due times and records breaches (BB-8a), and counts clocks anew
//! when the calendar has changed (BX-3).
//!
//! Due work is found in the rows, oldest first, until none is left; timers only say when to look. Each record is
//! written against the version that was read, so any number of replicas may sweep and each step is taken once.

use std::time::Duration;

use bangban_kit::identity::Caller;
use bangban_learned::{calendar, revision};
use bangban_limits::clock::{self as limits, Call};
use bangban_proto::bangban::casework::v1::{
    AcceptHandoverRequest, Breach, BreachKind, BreachRecorded, Case, DueSoonWarned,
};
use bangban_store::{Error, Store, command::Command, write::Chain};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Act, clock, outside::timestamp},
    rpc, store,
};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Cases that are read at once.
const BATCH: i64 = 100;

/// Sweeps until `stop`.
pub async fn sweep(store: Store, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        if let Err(error) = once(&store).await {
            tracing::warn!(%error, "the sweep of due times failed; it is tried again");
        }
    }
}

/// Takes every step that is due now; answers how many.
///
/// # Errors
/// The database's.
pub async fn once(store: &Store) -> Result<usize, Error> {
    let caller = Caller::system("casework");
    let mut steps = 0;
    loop {
        // Clocks are right before anybody is warned by them.
        let mut due = store::calendars::outdated(store, BATCH).await?;
        if due.is_empty() {
            let now = store.now().await?;
            due = store::needing_attention(store, now.us(), BATCH).await?;
        }
        let mut progress = 0;
        for (district, id) in &due {
            progress += usize::from(step(store, &caller, district, id).await?);
        }
        steps += progress;
        // Nothing left, or what is left was just taken by another replica.
        if due.is_empty() || progress == 0 {
            return Ok(steps);
        }
    }
}

async fn step(store: &Store, caller: &Caller, district: &str, id: &str) -> Result<bool, Error> {
    let nothing = AcceptHandoverRequest {
        district: district.to_owned(),
        ..AcceptHandoverRequest::default()
    };
    let loaded = store::load(store, &Command::new(caller, &nothing), id).await?;
    let is_outdated = loaded.counted_by < loaded.revision;
    let Some((mut case, version, head)) = loaded.case else {
        return Ok(false);
    };
    let acts = if is_outdated {
        let reason = revision::reasons(store, district, loaded.counted_by).await?;
        let calendar = calendar::calendar(&loaded.national, &loaded.calendar)?;
        let moved = limits::recounted(&case.clocks, &reason.join("；"), &calendar)?;
        moved.into_iter().map(Act::ClockRecomputed).collect()
    } else {
        due_acts(&case, loaded.now.at.timestamp())
    };
    if acts.is_empty() {
        if is_outdated {
            let key = (district, id);
            store::calendars::unmoved(store, key, version, loaded.revision).await?;
        }
        return Ok(is_outdated);
    }
    let chain = Chain::new(
        district,
        format!("cases/{id}"),
        version,
        head,
        caller,
        loaded.now,
    );
    let chain = rpc::carry_out(&mut case, chain, acts, loaded.now);
    let state = store::update(&case, version, &chain, loaded.revision);
    match store.write(&chain, None, vec![state]).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_passing() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Warnings and breaches that a case's clocks call for at an instant, in seconds since the epoch.
#[must_use]
pub fn due_acts(case: &Case, now: i64) -> Vec<Act> {
    let act = |call| match call {
        Call::Warn(clock) => Act::DueSoonWarned(DueSoonWarned { clock }),
        Call::Breach(id) => {
            let late = clock::open(case, &id);
            Act::BreachRecorded(BreachRecorded {
                breach: Some(Breach {
                    kind: BreachKind::Late.into(),
                    subject: late.map_or_else(String::new, |c| clock::responsible(case, c)),
                    clock: id,
                    requirement: "BB-8a".to_owned(),
                    recorded_at: chrono::DateTime::from_timestamp(now, 0).map(timestamp),
                }),
            })
        }
    };
    limits::calls(&case.clocks, now)
        .into_iter()
        .map(act)
        .collect()
}
