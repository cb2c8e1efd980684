//! What runs without being asked: the sweep that warns of due times, records breaches (BB-8a) and the end of delegations
//! whose term is over (BX-4), and counts clocks anew when the calendar has changed (BX-3).
//!
//! Due work is found in the rows, oldest first, until none is left; timers only say when to look. Each record is
//! written against the version that was read, so any number of replicas may sweep and each step is taken once.

use std::time::Duration;

use bangban_kit::identity::Caller;
use bangban_learned::{known::Learned, revision};
use bangban_limits::clock::{self as limits, Call};
use bangban_proto::bangban::casework::v1::{
    AcceptHandoverRequest, Breach, BreachKind, BreachRecorded, Case, DueSoonWarned,
};
use bangban_store::{Error, Store, command::Command, write::Chain};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Act, Outside, clock, delegation, outside::timestamp},
    rpc, store,
};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Cases that are read at once.
const BATCH: i64 = 100;

/// Sweeps until `stop`.
pub async fn sweep(store: Store, learned: Learned, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        if let Err(error) = once(&store, &learned).await {
            tracing::warn!(%error, "the sweep of due times failed; it is tried again");
        }
    }
}

/// Takes every step that is due now; answers how many.
///
/// # Errors
/// The database's.
pub async fn once(store: &Store, learned: &Learned) -> Result<usize, Error> {
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
            match step(store, learned, &caller, district, id).await {
                Ok(is_taken) => progress += usize::from(is_taken),
                // One case that cannot be judged does not hold up the others.
                Err(Error::Refused(refusal)) => {
                    tracing::error!(district, case = id, %refusal, "the sweep cannot judge a case");
                }
                Err(error) => return Err(error),
            }
        }
        steps += progress;
        // Nothing left, or what is left was just taken by another replica.
        if due.is_empty() || progress == 0 {
            return Ok(steps);
        }
    }
}

async fn step(
    store: &Store,
    learned: &Learned,
    caller: &Caller,
    district: &str,
    id: &str,
) -> Result<bool, Error> {
    let nothing = AcceptHandoverRequest {
        district: district.to_owned(),
        ..AcceptHandoverRequest::default()
    };
    let loaded = store::load(store, learned, &Command::new(caller, &nothing), id).await?;
    let known = &loaded.known;
    let is_outdated = loaded.counted_by < known.calendar_revision;
    let Some((mut case, version, head)) = loaded.case else {
        return Ok(false);
    };
    let acts = if is_outdated {
        let reason = revision::reasons(store, district, loaded.counted_by).await?;
        let moved = limits::recounted(&case.clocks, &reason.join("；"), &known.calendar)?;
        moved.into_iter().map(Act::ClockRecomputed).collect()
    } else {
        let outside = Outside {
            now: loaded.now.at,
            caller,
            calendar: &known.calendar,
            item: known.item(&case.item, case.item_version),
            department: known.department(&case.department),
            earlier: None,
        };
        let mut acts = due_acts(&case, loaded.now.at.timestamp());
        acts.extend(delegation::expired(&case, &outside)?);
        acts
    };
    if acts.is_empty() {
        if is_outdated {
            let key = (district, id);
            store::calendars::unmoved(store, key, version, known.calendar_revision).await?;
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
    let state = store::update(&case, version, &chain, known.calendar_revision);
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
