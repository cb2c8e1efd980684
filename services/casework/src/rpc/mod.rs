//! tonic's side: messages in, messages out. Decisions are made in `domain`, rows are known in `store`.

mod case;
mod command;
mod ledger;
mod progress;
mod read;

pub(crate) use command::carry_out;
pub use command::folded;
pub use ledger::Ledgers;

use std::sync::Arc;

use bangban_kit::{access::taken, identity::Caller, refusal::Refusal, scope::Scope};
use bangban_learned::{district, known::Learned};
use bangban_net::peer::Peer;
use bangban_store::{Error, Store};

/// What every method works with.
#[derive(Debug, Clone)]
pub struct Rpc {
    pub(crate) store: Store,
    pub(crate) learned: Learned,
    pub(crate) directory: Peer,
    pub(crate) proofs: Arc<progress::Proofs>,
}

impl Rpc {
    /// Works on `store` and asks `directory`.
    #[must_use]
    pub fn new(store: Store, learned: Learned, directory: Peer) -> Self {
        Self {
            store,
            learned,
            directory,
            proofs: Arc::default(),
        }
    }

    /// What a caller may see of a district.
    async fn scope(&self, caller: &Caller, district: &str) -> Result<Scope, Error> {
        district::scope(&self.learned, caller, district).await
    }
}

fn case_unknown() -> Refusal {
    Refusal::not_found(
        "CASE_UNKNOWN",
        "BB-1",
        "没有该办件，或不在您的管辖范围内",
        "there is no such case, or it is not in your scope",
    )
}
