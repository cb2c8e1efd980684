//! A slot as a row.

pub use bangban_limits::time::us;
use bangban_proto::bangban::scheduling::v1::Slot;
use bangban_store::{Error, clock, write::Row};
use chrono::DateTime;
use prost_types::Timestamp;
use sea_orm::QueryResult;

use super::{key::SlotKey, seat::long};

/// A slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    /// Which.
    pub key: SlotKey,
    /// Version of the row; 0 for one that is not there.
    pub version: u64,
    /// Service group.
    pub group: String,
    /// Region code of the site.
    pub region: String,
    /// Start, in microseconds since the epoch, as all instants here.
    pub starts_us: i64,
    /// End.
    pub ends_us: i64,
    /// Seats that are given.
    pub capacity: u16,
    /// Seats for special groups.
    pub reserved: u16,
    /// Until when.
    pub reserved_until_us: Option<i64>,
    /// No more appointments are given.
    pub is_closed: bool,
}

const NAMES: [&str; 9] = [
    "version",
    "grp",
    "region",
    "starts_us",
    "ends_us",
    "capacity",
    "reserved",
    "reserved_until_us",
    "is_closed",
];

/// How many columns [`SlotRow::read`] takes.
pub(super) const WIDTH: usize = NAMES.len();

/// Its columns behind a table's alias, in the order in which [`SlotRow::read`] takes them.
pub(super) fn columns(alias: &str) -> String {
    NAMES.map(|name| format!("{alias}.{name}")).join(", ")
}

/// An instant as the contract writes it.
#[must_use]
pub fn at(us: i64) -> Option<Timestamp> {
    DateTime::from_timestamp_micros(us).map(clock::timestamp)
}

impl SlotRow {
    pub(super) fn read(row: &QueryResult, at: usize, key: &SlotKey) -> Result<Option<Self>, Error> {
        let Some(version) = row.try_get_by_index::<Option<i64>>(at)? else {
            return Ok(None);
        };
        let small = |n: usize| {
            let number: i32 = row.try_get_by_index(at + n)?;
            Ok::<_, Error>(u16::try_from(number).unwrap_or_default())
        };
        Ok(Some(Self {
            key: key.clone(),
            version: version.unsigned_abs(),
            group: row.try_get_by_index(at + 1)?,
            region: row.try_get_by_index(at + 2)?,
            starts_us: row.try_get_by_index(at + 3)?,
            ends_us: row.try_get_by_index(at + 4)?,
            capacity: small(5)?,
            reserved: small(6)?,
            reserved_until_us: row.try_get_by_index(at + 7)?,
            is_closed: row.try_get_by_index::<i32>(at + 8)? != 0,
        }))
    }

    /// The slot of a day, as a row that is new, or read in `version`.
    #[must_use]
    pub fn of(slot: &Slot, key: SlotKey, region: &str, version: u64) -> Self {
        let small = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        Self {
            key,
            version,
            group: slot.group.clone(),
            region: region.to_owned(),
            starts_us: us(slot.starts_at.as_ref()).unwrap_or_default(),
            ends_us: us(slot.ends_at.as_ref()).unwrap_or_default(),
            capacity: small(slot.capacity),
            reserved: small(slot.reserved),
            reserved_until_us: us(slot.reserved_until.as_ref()),
            is_closed: slot.is_closed,
        }
    }

    /// Seats that are given: none of a closed slot.
    #[must_use]
    pub fn seats(&self) -> u16 {
        if self.is_closed { 0 } else { self.capacity }
    }

    /// Seats that are for special groups alone at an instant.
    #[must_use]
    pub fn reserved_at(&self, now_us: i64) -> u16 {
        match self.reserved_until_us {
            Some(until) if now_us < until => self.reserved.min(self.seats()),
            _ => 0,
        }
    }

    /// The row that makes it so.
    #[must_use]
    pub fn row(self, district: &str) -> Row {
        Row {
            table: "slots",
            key: [district.into(), self.key.to_string().into()],
            read: (self.version > 0).then_some(self.version),
            columns: vec![
                ("version", long(self.version + 1)),
                ("number", i32::from(self.key.number).into()),
                ("grp", self.group.into()),
                ("region", self.region.into()),
                ("starts_us", self.starts_us.into()),
                ("ends_us", self.ends_us.into()),
                ("capacity", i32::from(self.capacity).into()),
                ("reserved", i32::from(self.reserved).into()),
                ("reserved_until_us", self.reserved_until_us.into()),
                ("is_closed", i32::from(self.is_closed).into()),
            ],
            provided: None,
        }
    }
}
