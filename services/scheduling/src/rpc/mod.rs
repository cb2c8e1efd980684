//! tonic's side: messages in, messages out. Decisions are made in `domain`, rows are known in `store`.

mod ask;
mod availability;
mod booking;
mod capacity;
mod command;
mod confirmation;
mod held;
mod hold;
mod links;
mod read;
mod recent;
mod service;
mod specials;
mod standing;
mod waiting;

pub use command::folded;

pub(crate) use booking::may_have;
pub(crate) use command::{carry_out, chain};
pub(crate) use specials::Specials;

use std::sync::Arc;

use bangban_kit::{access::taken, identity::Caller, refusal::Refusal, scope::Scope};
use bangban_learned::{district, known::Learned};
use bangban_net::peer::Peer;
use bangban_store::{Error, Store};

use crate::{
    domain::link::Keys,
    doorkeeper::Doorkeeper,
    tasks::{Ruled, Swept, Waits},
};
use recent::Recent;

/// What every method works with.
#[derive(Debug, Clone)]
pub struct Rpc {
    pub(crate) store: Store,
    pub(crate) learned: Learned,
    pub(crate) directory: Peer,
    pub(crate) doors: Doorkeeper,
    pub(crate) links: Arc<Keys>,
    recent: Arc<Recent>,
    pub(crate) specials: Arc<Specials>,
    pub(crate) swept: Arc<Swept>,
    pub(crate) ruled: Arc<Ruled>,
    pub(crate) waits: Arc<Waits>,
}

impl Rpc {
    /// Works on the store of `learned`, asks `directory`, and has seats picked by `doors`.
    #[must_use]
    pub fn new(learned: Learned, directory: Peer, doors: Doorkeeper, links: Arc<Keys>) -> Self {
        Self {
            store: learned.store().clone(),
            learned,
            directory,
            doors,
            links,
            recent: Arc::default(),
            specials: Arc::default(),
            swept: Arc::default(),
            ruled: Arc::default(),
            waits: Arc::default(),
        }
    }

    /// Looks at capacity and the time, as it is done unasked all the time.
    pub async fn doors_look(&self) {
        if let Err(error) = self.doors.look().await {
            tracing::warn!(%error, "capacity cannot be looked at");
        }
    }

    /// What a caller may see of a district.
    async fn scope(&self, caller: &Caller, district: &str) -> Result<Scope, Error> {
        district::scope(&self.learned, caller, district).await
    }
}

/// BOOKING_UNKNOWN (BB-1).
fn unknown() -> Refusal {
    Refusal::not_found(
        "BOOKING_UNKNOWN",
        "BB-1",
        "没有该预约，或不在您的管辖范围内",
        "there is no such appointment, or it is not in your scope",
    )
}

/// The place of a slot in its day.
///
/// # Errors
/// SLOT_UNKNOWN (BB-9.2b).
pub(crate) fn slot_number(slot: &str) -> Result<u16, Refusal> {
    Ok(hold::slot_of(slot)?.number)
}
