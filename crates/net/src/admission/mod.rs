//! Admission before collapse: more than can be answered in time is refused early, with a hint when to come again, so that
//! what is taken in is still answered.
//!
//! [`AdmissionLayer`] stands before everything else in a server, [`Admission`] is one for a process. Calls of people are in
//! work up to a limit that follows how long they take (`limit.rs`); the next ones wait briefly, those that go on with something
//! before those that begin something, districts in turn (`waiting.rs`). Feeds and exports have seats of their own and never a
//! place of people (`seats.rs`). Health passes. Why it is so: `docs/decisions/0010-admission.md`.

mod body;
#[cfg(test)]
mod bounds;
mod class;
mod counts;
mod figures;
mod gate;
mod limit;
mod permit;
mod refused;
mod seats;
mod service;
mod settings;
mod usual;
mod waiting;

use std::sync::Arc;

use tokio::time::Instant;

pub use self::{
    counts::{Counts, Passed},
    service::{AdmissionLayer, Admitted},
    settings::Settings,
};

/// What a process takes in. Clones share it.
#[derive(Debug, Clone)]
pub struct Admission(Arc<gate::Gate>);

impl Admission {
    /// Takes in so much.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(gate::Gate::new(Instant::now(), settings)))
    }

    /// What it has done so far, and how things stand.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counts()
    }

    /// Shows that to who reads metrics, for ever; nothing when nobody does.
    pub async fn tell(self) {
        figures::tell(&self).await;
    }
}
