//! What is put on a person's record when an appointment is not kept.

use bangban_kit::identity::Caller;
use bangban_store::{Now, write::Chain};

use crate::{
    domain::{Act, fold},
    rpc::carry_out,
    store::Person,
};

/// The person with acts on their standing, and the chain of these.
#[must_use]
pub fn marked(mut person: Person, acts: Vec<Act>, caller: &Caller, now: Now) -> (Chain, Person) {
    let subject = format!("standings/{}", person.id);
    let (number, head) = person.acts;
    let chain = Chain::new(&person.district, subject, number, head, caller, now);
    let chain = carry_out(&mut person.standing, chain, acts, now, fold::standing);
    person.acts = (chain.number, chain.head);
    (chain, person)
}
