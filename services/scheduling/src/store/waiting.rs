//! A place in the waiting list as a row.

use bangban_ledger::Hash;
use bangban_proto::bangban::scheduling::v1::{Waiting, WaitingState};
use bangban_store::write::Row;
use prost::Message as _;

use super::{seat::long, slot::us};

/// Where a place stands in the order in which seats are offered, as the columns have it.
pub(super) fn order(waiting: &Waiting) -> (i32, i64, &str) {
    let joined_us = us(waiting.joined_at.as_ref()).unwrap_or_default();
    (i32::from(waiting.groups.is_empty()), joined_us, &waiting.id)
}

/// The row of a place behind act `version`.
#[must_use]
pub fn row(waiting: &Waiting, read: Option<u64>, (version, head): (u64, &Hash)) -> Row {
    let by = waiting.joined_by.clone().unwrap_or_default();
    let (priority, joined_us, _) = order(waiting);
    // While a seat is offered, the seat's own end is what is due.
    let is_waiting = waiting.state() == WaitingState::Waiting;
    Row {
        table: "waiting",
        key: [waiting.district.clone().into(), waiting.id.clone().into()],
        read,
        columns: vec![
            ("version", long(version)),
            ("head", head.to_vec().into()),
            ("state", waiting.state.into()),
            ("site", waiting.site.clone().into()),
            ("region", waiting.region.clone().into()),
            ("grp", waiting.group.clone().into()),
            ("item", waiting.item.clone().into()),
            ("applicant", waiting.applicant.clone().into()),
            ("priority", priority.into()),
            ("joined_us", joined_us.into()),
            ("joined_by", by.subject.into()),
            ("joined_site", by.site.into()),
            ("until_on", waiting.until_on.clone().into()),
            (
                "due_us",
                is_waiting
                    .then(|| crate::domain::outside::day_end_us(&waiting.until_on))
                    .flatten()
                    .into(),
            ),
            ("body", waiting.encode_to_vec().into()),
        ],
        provided: None,
    }
}
