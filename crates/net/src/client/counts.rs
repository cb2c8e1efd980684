//! What a channel has done so far. Of these numbers metrics show the retries, of all channels together
//! ([`bangban_telemetry::client::retried`]).

use std::sync::atomic::{AtomicU64, Ordering};

/// What a channel has done since it was made. Amplification is `attempts / calls`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were asked for.
    pub calls: u64,
    /// Times that one was sent to an endpoint.
    pub attempts: u64,
    /// Attempts that were not the first of their call.
    pub retries: u64,
    /// Failures that were not retried because the budget forbade it.
    pub refused_by_budget: u64,
    /// Connections that serve now.
    pub ready: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: AtomicU64,
    pub(super) attempts: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) refused_by_budget: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self, ready: usize) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            calls: of(&self.calls),
            attempts: of(&self.attempts),
            retries: of(&self.retries),
            refused_by_budget: of(&self.refused_by_budget),
            ready: ready as u64,
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
