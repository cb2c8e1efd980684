//! tonic's side: messages in, messages out.

mod checkpoint;

use bangban_kit::{access::taken, identity::Caller, scope::Scope};
use bangban_learned::{district, known::Learned};
use bangban_net::peer::Peer;
use bangban_store::{Error, Store};

/// What every method works with.
#[derive(Debug, Clone)]
pub struct Rpc {
    store: Store,
    learned: Learned,
    casework: Peer,
}

impl Rpc {
    /// Works on `store` and asks `casework`.
    #[must_use]
    pub fn new(store: Store, casework: Peer) -> Self {
        Self {
            learned: Learned::new(store.clone()),
            store,
            casework,
        }
    }

    /// What a caller may see of a district.
    async fn scope(&self, caller: &Caller, district: &str) -> Result<Scope, Error> {
        district::scope(&self.learned, caller, district).await
    }
}
