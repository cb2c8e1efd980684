//! What runs without being asked: holds expire and cool, seats come back by way of the gate, seats that were freed are
//! offered to those who wait, reminders and no-shows become due, days are published, and planned anew when directory has
//! changed a calendar or opening hours, the gate is audited.
//!
//! Due work is found in the rows, oldest first, until none is left; timers only say when to look. Each row is changed
//! against the version that was read, so any number of replicas may sweep and each step is taken once.

mod audit;
mod bookings;
mod care;
mod days;
mod plans;
mod seats;
pub mod standing;

use std::time::Duration;

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::scheduling::v1::BookingPolicy;
use bangban_store::{Error, Now};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{delay, policy},
    rpc::Rpc,
    store::DayKey,
};

pub use audit::audit;
pub(crate) use bookings::Ruled;
pub(crate) use care::Waits;
pub(crate) use seats::Swept;

/// Between two looks at what is due.
const PAUSE: Duration = Duration::from_millis(500);

/// Between two looks at what capacity is.
const LOOK: Duration = Duration::from_millis(300);

/// Rows that are read at once.
const BATCH: i64 = 200;

/// When a seat that is given up now is free again, in microseconds since the epoch: after a moment that nobody can know
/// beforehand.
#[must_use]
pub fn cooled(rules: &BookingPolicy, now: Now) -> i64 {
    let most = policy::cooling(rules);
    (now.at + delay::cooling(rand::random(), most)).timestamp_micros()
}

/// A day by its id.
fn key_of(id: &str) -> Result<DayKey, Refusal> {
    id.parse().map_err(Refusal::internal)
}

/// Whether it is time for another look.
async fn paused(stop: &CancellationToken, pause: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

/// Sweeps until `stop`.
pub async fn sweep(rpc: Rpc, stop: CancellationToken) {
    while paused(&stop, PAUSE).await {
        // What is broken off is undone, and goes on elsewhere.
        let done = tokio::select! {
            () = stop.cancelled() => return,
            done = once(&rpc) => done,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the sweep of what is due failed; it is tried again");
        }
    }
}

/// Looks at capacity until `stop`.
pub async fn look(rpc: Rpc, stop: CancellationToken) {
    loop {
        if let Err(error) = rpc.doors.look().await {
            tracing::warn!(%error, "capacity cannot be looked at; it is tried again");
        }
        if !paused(&stop, LOOK).await {
            return;
        }
    }
}

/// Takes every step that is due now; answers how many.
///
/// # Errors
/// The database's.
pub async fn once(rpc: &Rpc) -> Result<usize, Error> {
    let mut steps = 0;
    loop {
        let now = rpc.store.now().await?;
        // Each in a box of its own: together they would be large on the stack of whoever waits for them.
        let progress = Box::pin(plans::carry_out(rpc)).await?
            + Box::pin(days::publish(rpc, now)).await?
            + Box::pin(days::lift(rpc, now)).await?
            + Box::pin(seats::expire(rpc, now)).await?
            + Box::pin(bookings::ruled(rpc, now)).await?
            // Who lost their time is told before it counts that nobody came.
            + Box::pin(care::take(rpc, now)).await?
            + Box::pin(bookings::due(rpc, now)).await?;
        steps += progress;
        // Nothing left, or what is left was just taken by another replica.
        if progress == 0 {
            return Ok(steps);
        }
    }
}
