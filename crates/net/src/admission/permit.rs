//! What a call holds: a permit while it is in work, a place while it waits, a seat while it stays open. Each gives back what it
//! holds when it is dropped, whatever ended the call.

use std::sync::Arc;

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    gate::{Gate, Kind},
    seats::Given,
    waiting::Spot,
};

/// How a call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// By what it asked for.
    Answered,
    /// By a refusal, which says nothing of how long things take.
    Refused,
    /// The caller left, or its time was over.
    CutOff,
}

/// The right to be in work.
#[derive(Debug)]
pub(super) struct Permit {
    /// Nothing once it has been forgotten.
    gate: Option<Arc<Gate>>,
    pub(super) since: Instant,
    pub(super) method: Option<usize>,
    /// Whether little was going on when it was given.
    pub(super) is_quiet: bool,
    pub(super) ended: Ended,
}

impl Permit {
    pub(super) fn new(
        gate: &Arc<Gate>,
        since: Instant,
        method: Option<usize>,
        is_quiet: bool,
    ) -> Self {
        Self {
            gate: Some(gate.clone()),
            since,
            method,
            is_quiet,
            ended: Ended::CutOff,
        }
    }

    /// Gives it back.
    pub(super) fn end(mut self, ended: Ended) {
        self.ended = ended;
    }

    /// Ends without giving anything back.
    pub(super) fn forget(mut self) {
        self.gate = None;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.leave(Instant::now(), self);
        }
    }
}

/// A place in a line.
#[derive(Debug)]
pub(super) struct Place {
    gate: Arc<Gate>,
    spot: Spot,
    until: Instant,
    is_told: oneshot::Receiver<Permit>,
    method: Option<usize>,
}

impl Place {
    pub(super) fn new(
        gate: &Arc<Gate>,
        spot: Spot,
        until: Instant,
        is_told: oneshot::Receiver<Permit>,
        method: Option<usize>,
    ) -> Self {
        Self {
            gate: gate.clone(),
            spot,
            until,
            is_told,
            method,
        }
    }

    /// Waits for a permit; nothing when it is not given in time.
    pub(super) async fn wait(mut self) -> Option<Permit> {
        match timeout_at(self.until, &mut self.is_told).await {
            Ok(Ok(mut permit)) => {
                permit.method = self.method;
                Some(permit)
            }
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

#[cfg(test)]
impl Place {
    /// The permit, when it was given already.
    pub(super) fn told(&mut self) -> Option<Permit> {
        self.is_told.try_recv().ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.give_up(&self.spot);
    }
}

/// The right to stay open.
#[derive(Debug)]
pub(super) struct Seat {
    gate: Arc<Gate>,
    kind: Kind,
    id: u64,
    /// Told when somebody else got the place.
    pub(super) end: CancellationToken,
}

impl Seat {
    pub(super) fn new(gate: &Arc<Gate>, kind: Kind, given: Given) -> Self {
        Self {
            gate: gate.clone(),
            kind,
            id: given.id,
            end: given.end,
        }
    }

    /// Something was sent. An export that is at work keeps its place; a feed has had its time.
    pub(super) fn sent(&self) {
        if self.kind == Kind::Export {
            self.gate.touch(Instant::now(), self.id);
        }
    }

    /// Whether people wait, for whom it should make way.
    pub(super) fn is_pressed(&self) -> bool {
        self.gate.is_pressed()
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.gate.stand_up(self.kind, self.id);
    }
}
