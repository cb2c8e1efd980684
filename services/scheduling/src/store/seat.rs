//! A seat as a row: who holds it or has it, and until when. Its version is the epoch that every change is guarded by.

use bangban_proto::bangban::{
    scheduling::v1::{Hold, SeatState},
    types::v1::SpecialGroup,
};
use bangban_store::{Error, clock, write::Row};
use chrono::DateTime;
use sea_orm::{QueryResult, Value};

use super::{key::SeatKey, slot::SlotRow};
use crate::domain::hold;

/// Who gave a seat up that is due by a change of its slot, where else the key of a request stands.
const CHANGED: &str = "changed";

/// A seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// District.
    pub district: String,
    /// Which.
    pub key: SeatKey,
    /// How often it has changed hands; 0 for one that was never used.
    pub epoch: u64,
    /// The epoch under which its hold began; 0 where it was never held.
    pub held_epoch: u64,
    /// What it is.
    pub state: SeatState,
    /// Whose: the booking that it is, or becomes.
    pub booking: String,
    /// Applicant's id in directory.
    pub applicant: String,
    /// Mask of the name.
    pub mask: String,
    /// Groups when it was held.
    pub groups: Vec<i32>,
    /// Subject of who holds.
    pub holder: String,
    /// Service item.
    pub item: String,
    /// Start of the slot, in microseconds since the epoch, as all instants here.
    pub starts_us: i64,
    /// End of the slot.
    pub ends_us: i64,
    /// When it was held.
    pub held_us: i64,
    /// When a hold expires, or a cooling seat is free.
    pub due_us: Option<i64>,
    /// How often it may still be extended.
    pub extensions: u32,
    /// Held by one of a special group.
    pub is_assisted: bool,
    /// Of the seats for special groups when it was held.
    pub is_reserved: bool,
    /// The place in the waiting list that it is offered to.
    pub waiting: String,
    /// Key of the request that held it.
    pub hold_key: String,
    /// The beginning of that request's digest.
    pub hold_digest: String,
    /// Keys of the requests that have extended it, with spaces between them; of what is given up, why: the key of the request
    /// that released it, or a word.
    pub last_key: String,
}

/// Its columns behind a table's alias, in the order in which [`Seat::read`] takes them.
pub(super) fn columns(alias: &str) -> String {
    NAMES.map(|name| format!("{alias}.{name}")).join(", ")
}

const NAMES: [&str; 22] = [
    "id",
    "version",
    "state",
    "booking",
    "applicant",
    "mask",
    "groups",
    "holder",
    "item",
    "starts_us",
    "ends_us",
    "held_us",
    "due_us",
    "extensions",
    "is_assisted",
    "is_reserved",
    "waiting",
    "hold_key",
    "hold_digest",
    "last_key",
    "held_epoch",
    "free_us",
];

/// How many columns [`Seat::read`] takes.
pub(super) const WIDTH: usize = NAMES.len();

impl Seat {
    /// The seat of a row, whose columns begin at `at`; none where the row is none.
    pub(super) fn read(
        row: &QueryResult,
        at: usize,
        district: &str,
    ) -> Result<Option<Self>, Error> {
        let Some(id) = row.try_get_by_index::<Option<String>>(at)? else {
            return Ok(None);
        };
        let text = |n: usize| row.try_get_by_index::<String>(at + n);
        let long = |n: usize| row.try_get_by_index::<i64>(at + n);
        let int = |n: usize| row.try_get_by_index::<i32>(at + n);
        let state = SeatState::try_from(int(2)?).unwrap_or_default();
        let ends_us: Option<i64> = row.try_get_by_index(at + 12)?;
        let free_us: Option<i64> = row.try_get_by_index(at + 21)?;
        Ok(Some(Self {
            district: district.to_owned(),
            key: SeatKey::parse(&id)?,
            epoch: long(1)?.unsigned_abs(),
            state,
            booking: text(3)?,
            applicant: text(4)?,
            mask: text(5)?,
            groups: groups(&text(6)?),
            holder: text(7)?,
            item: text(8)?,
            starts_us: long(9)?,
            ends_us: long(10)?,
            held_us: long(11)?,
            due_us: match state {
                SeatState::Held => ends_us,
                // A release that knows no other column has written when it is free where else a hold's end stands.
                SeatState::Cooling => free_us.or(ends_us),
                _ => None,
            },
            extensions: int(13)?.unsigned_abs(),
            is_assisted: int(14)? != 0,
            is_reserved: int(15)? != 0,
            waiting: text(16)?,
            hold_key: text(17)?,
            hold_digest: text(18)?,
            last_key: text(19)?,
            held_epoch: long(20)?.unsigned_abs(),
        }))
    }

    /// The row that makes it so: new where it was never used, else guarded by the epoch that was read.
    #[must_use]
    pub fn row(self) -> Row {
        let read = (self.epoch > 0).then_some(self.epoch);
        let due_us = |state| self.due_us.filter(|_| self.state == state);
        let (ends_us, free_us) = (due_us(SeatState::Held), due_us(SeatState::Cooling));
        let mut columns = vec![
            ("version", long(self.epoch + 1)),
            ("state", i32::from(self.state).into()),
            ("booking", self.booking.into()),
            ("applicant", self.applicant.into()),
            ("mask", self.mask.into()),
            ("groups", listed(&self.groups).into()),
            ("holder", self.holder.into()),
            ("item", self.item.into()),
            ("starts_us", self.starts_us.into()),
            ("ends_us", self.ends_us.into()),
            ("held_us", self.held_us.into()),
            ("due_us", ends_us.into()),
            (
                "extensions",
                i32::try_from(self.extensions).unwrap_or(i32::MAX).into(),
            ),
            ("is_assisted", i32::from(self.is_assisted).into()),
            ("is_reserved", i32::from(self.is_reserved).into()),
            ("waiting", self.waiting.into()),
            ("hold_key", self.hold_key.into()),
            ("hold_digest", self.hold_digest.into()),
            ("last_key", self.last_key.into()),
            ("held_epoch", long(self.held_epoch)),
        ];
        // A hold of one that was never used has none to take away.
        if read.is_some() || free_us.is_some() {
            columns.push(("free_us", free_us.into()));
        }
        Row {
            table: "seats",
            key: [self.district.into(), self.key.to_string().into()],
            read,
            columns,
            provided: None,
        }
    }

    /// The row of the hold that it is as an appointment: what else stands there stays, when the hold would have ended as
    /// well, because the row finds room beside the old one where no index names what changes.
    #[must_use]
    pub fn confirmed(&self) -> Row {
        Row {
            table: "seats",
            key: [self.district.clone().into(), self.key.to_string().into()],
            read: Some(self.epoch),
            columns: vec![
                ("version", long(self.epoch + 1)),
                ("state", i32::from(SeatState::Confirmed).into()),
            ],
            provided: None,
        }
    }

    /// Whether the hold that it is has had this epoch: it rises when the hold is extended, and who has not heard of that
    /// holds it all the same.
    #[must_use]
    pub fn has_had(&self, epoch: u64) -> bool {
        (self.held_epoch..=self.epoch).contains(&epoch)
    }

    /// Whether it is this hold, and the request with this key has extended or released it.
    #[must_use]
    pub fn was_asked(&self, booking: &str, key: &str) -> bool {
        self.booking == booking && self.last_key.split(' ').any(|asked| asked == key)
    }

    /// The keys of all that have extended it, of which there are as many as extensions, with one more.
    #[must_use]
    pub fn asked_by(&self, key: &str) -> String {
        format!("{} {key}", self.last_key).trim_start().to_owned()
    }

    /// The hold that it is, with the epoch that its row has.
    #[must_use]
    pub fn hold(&self, epoch: u64) -> Hold {
        let at = |us| DateTime::from_timestamp_micros(us).map(clock::timestamp);
        // When a seat that was given up comes back is nobody's to know.
        let ends_us = self.due_us.filter(|_| self.state == SeatState::Held);
        let ends = ends_us.and_then(DateTime::from_timestamp_micros);
        Hold {
            booking: self.booking.clone(),
            slot: self.key.slot.to_string(),
            seat: self.key.seat.into(),
            epoch,
            state: self.state.into(),
            applicant: self.applicant.clone(),
            holder: self.holder.clone(),
            item: self.item.clone(),
            starts_at: at(self.starts_us),
            ends_at: at(self.ends_us),
            held_at: at(self.held_us),
            expires_at: ends.map(clock::timestamp),
            extensions_left: self.extensions,
            is_assisted: self.is_assisted,
            waiting: self.waiting.clone(),
            is_reserved_seat: self.is_reserved,
            applicant_mask: self.mask.clone(),
            groups: self.groups.clone(),
            warn_at: ends.map(hold::warn_at).map(clock::timestamp),
        }
    }

    /// A seat of a slot that was never used.
    #[must_use]
    pub fn unused(district: &str, slot: &SlotRow, number: u16, now_us: i64) -> Self {
        Self {
            district: district.to_owned(),
            key: SeatKey {
                slot: slot.key.clone(),
                seat: number,
            },
            epoch: 0,
            held_epoch: 0,
            state: SeatState::Free,
            booking: String::new(),
            applicant: String::new(),
            mask: String::new(),
            groups: Vec::new(),
            holder: String::new(),
            item: String::new(),
            starts_us: slot.starts_us,
            ends_us: slot.ends_us,
            held_us: now_us,
            due_us: None,
            extensions: 0,
            is_assisted: false,
            is_reserved: false,
            waiting: String::new(),
            hold_key: String::new(),
            hold_digest: String::new(),
            last_key: String::new(),
        }
    }

    /// A free seat that more people can have than before, because its slot has changed: it comes back as if it had been
    /// given up, so that the gate knows of it first (docs/decisions/0009-the-gate.md).
    #[must_use]
    pub fn due_by_change(self, now_us: i64) -> Self {
        self.cooling(now_us, CHANGED.to_owned())
    }

    /// Whether it comes back because its slot has changed, so that the gate must read the day anew.
    #[must_use]
    pub fn is_due_by_change(&self) -> bool {
        self.state == SeatState::Cooling && self.last_key == CHANGED
    }

    /// Given up: it cools until `free_us`, and nothing of the person stays.
    #[must_use]
    pub fn cooling(mut self, free_us: i64, key: String) -> Self {
        self.state = SeatState::Cooling;
        self.due_us = Some(free_us);
        self.last_key = key;
        self
    }
}

/// A number as the database has it.
pub(super) fn long(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

/// Groups as a column has them: `1,3`.
pub(super) fn listed(groups: &[i32]) -> String {
    let numbers: Vec<String> = groups.iter().map(ToString::to_string).collect();
    numbers.join(",")
}

pub(super) fn groups(text: &str) -> Vec<i32> {
    text.split(',')
        .filter_map(|n| n.parse().ok())
        .filter(|n| SpecialGroup::try_from(*n).is_ok())
        .collect()
}
