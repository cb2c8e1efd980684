//! Days: published when their time has come, and reservations lifted when theirs has.

use bangban_kit::identity::Caller;
use bangban_store::{Error, Now};

use super::{BATCH, key_of};
use crate::{
    doorkeeper::Doorkeeper,
    rpc::Rpc,
    store::{capacity, due, us},
    work,
};

/// When a site is tried again whose days could not be published: in five minutes.
const PUT_OFF_US: i64 = 300_000_000;

/// Publishes days whose time has come.
pub(super) async fn publish(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let mut steps = 0;
    for (district, site) in capacity::to_publish(&rpc.store, now.us(), BATCH).await? {
        match rpc.publish_due(&district, &site).await {
            // One site whose days cannot be published stops no other; it is behind them until it is tried again.
            Err(Error::Refused(refusal)) => {
                tracing::warn!(
                    district,
                    site,
                    %refusal,
                    "days of a site cannot be published; it is tried again"
                );
                let then_us = now.us() + PUT_OFF_US;
                capacity::put_off(&rpc.store, (&district, &site), now.us(), then_us).await?;
            }
            done => steps += done?,
        }
    }
    Ok(steps)
}

/// Lifts reservations that have ended: the gate first, so that nobody is told full because of them (BB-7.1.1).
pub(super) async fn lift(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let mut steps = 0;
    let mut behind = due::start();
    loop {
        // A day stays where its gate cannot be told, and the next ones are behind it.
        let days = due::days_to_lift(&rpc.store, &behind, now.us(), BATCH).await?;
        let Some(last) = days.last() else { break };
        behind = last.clone();
        for (_, district, id) in &days {
            steps += usize::from(lift_of(rpc, district, id, now).await?);
        }
    }
    if steps > 0 {
        // Until memory knows it, who finds no seat is told to try again.
        rpc.doors.look().await?;
    }
    Ok(steps)
}

/// Lifts those of a day; `false` when the gate cannot be told, or somebody else was faster.
async fn lift_of(rpc: &Rpc, district: &str, id: &str, now: Now) -> Result<bool, Error> {
    let key = key_of(id)?;
    let kept = capacity::day(&rpc.store, district, &key).await?;
    let is_over = |until: Option<&_>| us(until).is_some_and(|until| until <= now.us());
    let slots: Vec<String> = kept
        .body
        .slots
        .iter()
        .filter(|s| s.reserved > 0 && is_over(s.reserved_until.as_ref()))
        .map(|s| s.id.clone())
        .collect();
    let Some(generation) = told(rpc, &Doorkeeper::day(district, &key)?, &slots).await? else {
        return Ok(false);
    };
    let caller = Caller::system("scheduling");
    let effect = work::lifted(&rpc.store, district, kept, slots, &caller, now).await?;
    let mut states = effect.states;
    // As with seats that come back: a process that still talks to a demoted Redis has told the wrong one, and what it
    // lifts there would stay reserved in the right one, which would go on saying full.
    states.push(capacity::revised_under(generation));
    match rpc.store.write_all(&effect.chains, None, states).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_passing() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Tells the gate that slots are no longer reserved; answers under which generation, or none when it cannot be told or the
/// generation has changed meanwhile.
async fn told(rpc: &Rpc, day: &bangban_slots::Day, slots: &[String]) -> Result<Option<i64>, Error> {
    let mut generations = Vec::new();
    for slot in slots {
        let number = crate::rpc::slot_number(slot)?;
        let Ok(generation) = rpc.doors.gate().lift_reservation(day, number).await else {
            return Ok(None);
        };
        generations.push(generation);
    }
    generations.dedup();
    Ok(match generations[..] {
        [generation] => Some(generation),
        _ => None,
    })
}
