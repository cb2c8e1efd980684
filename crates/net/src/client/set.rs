//! The connections that serve now, and which of them takes the next call.
//!
//! The semantics are those of `tower::balance::p2c` over `tower::load::PendingRequests`: of two by chance the one with fewer
//! calls that wait for an answer. It is our own because a retry must be able to avoid the endpoint that just failed, which
//! tower's cannot, and because tower's needs a task between the caller and the connection (`tower::buffer`).

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::uri::{Authority, Scheme};
use hyper::client::conn::http2::SendRequest;
use tokio::sync::{Notify, watch};

use super::{body::Outgoing, endpoints::Address};

/// A connection that serves.
pub(super) struct Member {
    pub(super) address: Address,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) sender: SendRequest<Outgoing>,
    /// Told when a call on it failed: it is asked for its health at once.
    pub(super) doubted: Arc<Notify>,
    pending: AtomicUsize,
}

impl Member {
    pub(super) fn new(
        address: Address,
        scheme: Scheme,
        authority: Authority,
        sender: SendRequest<Outgoing>,
        doubted: Arc<Notify>,
    ) -> Self {
        Self {
            address,
            scheme,
            authority,
            sender,
            doubted,
            pending: AtomicUsize::new(0),
        }
    }
}

/// A connection that was picked: it counts as one call more until this is dropped.
pub(super) struct Picked(pub(super) Arc<Member>);

impl Picked {
    fn new(member: &Arc<Member>) -> Self {
        member.pending.fetch_add(1, Ordering::Relaxed);
        Self(member.clone())
    }
}

impl Drop for Picked {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The connections that serve.
pub(super) struct Set {
    members: RwLock<Vec<Arc<Member>>>,
    ready: watch::Sender<usize>,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            members: RwLock::default(),
            ready: watch::Sender::new(0),
        }
    }
}

impl Set {
    pub(super) fn insert(&self, member: &Arc<Member>) {
        self.change(|members| members.push(member.clone()));
    }

    pub(super) fn remove(&self, member: &Arc<Member>) {
        self.change(|members| members.retain(|other| !Arc::ptr_eq(other, member)));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Member>>)) {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut members);
        self.ready.send_replace(members.len());
    }

    /// How many serve.
    pub(super) fn len(&self) -> usize {
        *self.ready.borrow()
    }

    /// Whether a connection to another endpoint serves.
    pub(super) fn has_other(&self, than: &Address) -> bool {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.iter().any(|m| m.address != *than)
    }

    /// The connection for the next call, at another endpoint than `avoid` when there is one; waits for one to serve.
    pub(super) async fn pick(&self, avoid: Option<&Address>, wait: Duration) -> Option<Picked> {
        if let Some(picked) = self.pick_now(avoid) {
            return Some(picked);
        }
        let mut ready = self.ready.subscribe();
        let serves = async {
            loop {
                if let Some(picked) = self.pick_now(avoid) {
                    return Some(picked);
                }
                ready.changed().await.ok()?;
            }
        };
        tokio::time::timeout(wait, serves).await.ok().flatten()
    }

    fn pick_now(&self, avoid: Option<&Address>) -> Option<Picked> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let is_fit = |m: &&Arc<Member>| !m.sender.is_closed();
        if let Some(avoid) = avoid {
            let others: Vec<_> = members
                .iter()
                .filter(is_fit)
                .filter(|m| m.address != *avoid)
                .collect();
            if let Some(member) = of_two(&others) {
                return Some(Picked::new(member));
            }
        }
        let all: &[Arc<Member>] = &members;
        match of_two(all) {
            Some(member) if !member.sender.is_closed() => Some(Picked::new(member)),
            // Closed a moment ago; its task is about to remove it.
            _ => {
                let open: Vec<_> = members.iter().filter(is_fit).collect();
                of_two(&open).map(|member| Picked::new(member))
            }
        }
    }
}

/// Of two by chance the one with fewer pending calls.
fn of_two<M: AsRef<Member>>(members: &[M]) -> Option<&M> {
    let count = members.len();
    if count < 2 {
        return members.first();
    }
    let chance = rand::random::<u64>();
    let first = scaled(chance & 0xffff_ffff, count);
    let second = (first + 1 + scaled(chance >> 32, count - 1)) % count;
    let load = |at: usize| members[at].as_ref().pending.load(Ordering::Relaxed);
    members.get(if load(first) <= load(second) {
        first
    } else {
        second
    })
}

/// 32 bits of chance as an index below `count`.
fn scaled(chance: u64, count: usize) -> usize {
    usize::try_from((chance * count as u64) >> 32).unwrap_or(0)
}
