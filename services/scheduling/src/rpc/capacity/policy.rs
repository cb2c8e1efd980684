//! The rules by which people of a district book.

use bangban_kit::identity::Caller;
use bangban_proto::bangban::scheduling::v1::{
    BookingPolicyChange, BookingPolicyPut, PutBookingPolicyRequest,
};
use bangban_store::{Now, write::State};

use super::{Decide, Decided, Rpc, Step};
use crate::{
    domain::{Act, outside::timestamp},
    rpc::{carry_out, chain, command::fresh},
    store::{capacity, rules},
    work,
};

impl Decide for PutBookingPolicyRequest {
    type Answer = BookingPolicyChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        rpc.scope(caller, &self.district).await?;
        let kept = capacity::policy(&rpc.store, &self.district).await?;
        fresh(self, &kept.body.etag)?;
        let mut put = self.policy.clone().unwrap_or_default();
        put.etag = (kept.version + 1).to_string();
        put.updated_at = Some(timestamp(now.at));
        let act = Act::BookingPolicyPut(BookingPolicyPut {
            policy: Some(put.clone()),
        });
        let subject = format!("policies/{}", self.district);
        let tip = (kept.version, kept.head);
        let chain = chain(&self.district, subject, tip, caller, now);
        let chain = carry_out(&mut (), chain, vec![act], now, |(), _, _, _| {});
        let row = capacity::row(
            (&self.district, ""),
            kept.version,
            (chain.number, &chain.head),
            None,
            &put,
        );
        let ruled = rules::changed(&self.district, chain.number, now.us() + work::CARE_US);
        Ok(Step {
            answer: BookingPolicyChange {
                policy: Some(put),
                position: String::new(),
            },
            chains: vec![chain],
            // What is remembered by how often capacity has changed is judged by these rules.
            states: vec![State::Row(row), ruled, capacity::revised()],
            days: None,
        })
    }
}
