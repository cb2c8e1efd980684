//! tonic's side: messages in, messages out. Decisions are made in `domain`, rows are known in `store`.

mod case;
mod command;
mod ledger;
mod progress;
mod read;

pub(crate) use command::carry_out;
pub use command::{calendar, folded};

use std::sync::Arc;

use bangban_kit::{
    access::Deadline, identity::Caller, peers::Peer, refusal::Refusal, scope::Scope,
};
use bangban_proto::bangban::directory::v1::District;
use bangban_store::{Error, Store, copy};
use tonic::Request;

/// What every method works with.
#[derive(Debug, Clone)]
pub struct Rpc {
    pub(crate) store: Store,
    pub(crate) directory: Peer,
    pub(crate) proofs: Arc<progress::Proofs>,
}

impl Rpc {
    /// Works on `store` and asks `directory`.
    #[must_use]
    pub fn new(store: Store, directory: Peer) -> Self {
        Self {
            store,
            directory,
            proofs: Arc::default(),
        }
    }

    /// What a caller may see of a district.
    async fn scope(&self, caller: &Caller, district: &str) -> Result<Scope, Error> {
        let known = copy::get::<District>(&self.store.db, district, "district", district).await?;
        Ok(Scope::of(
            caller,
            district,
            &known.ok_or_else(|| district_unknown(district))?.region,
        )?)
    }
}

fn district_unknown(district: &str) -> Refusal {
    Refusal::not_found(
        "DISTRICT_UNKNOWN",
        "BB-1",
        format!("没有区县 {district}"),
        format!("there is no district {district:?}"),
    )
    .field("district", "unknown")
}

fn case_unknown() -> Refusal {
    Refusal::not_found(
        "CASE_UNKNOWN",
        "BB-1",
        "没有该办件，或不在您的管辖范围内",
        "there is no such case, or it is not in your scope",
    )
}

/// Who calls, by when, and what.
fn taken<T>(request: Request<T>) -> (Arc<Caller>, Option<Deadline>, T) {
    let caller = request
        .extensions()
        .get::<Arc<Caller>>()
        .cloned()
        .unwrap_or_else(|| Arc::new(Caller::public()));
    let deadline = request.extensions().get::<Deadline>().copied();
    (caller, deadline, request.into_inner())
}
