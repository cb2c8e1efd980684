//! A person as a row: what directory said of them, and how they have kept appointments. Whoever takes a seat for them
//! changes the row, so that two who do so at the same time cannot both go by what was there before.

use bangban_kit::refusal::Refusal;
use bangban_ledger::{Hash, START};
use bangban_proto::bangban::scheduling::v1::Standing;
use bangban_store::{Error, act, write::Row};
use prost::Message as _;
use sea_orm::QueryResult;

use super::seat::{groups, listed, long};

/// A person.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// District.
    pub district: String,
    /// Applicant's id in directory.
    pub id: String,
    /// Version of the row; 0 for one that is not there.
    pub version: u64,
    /// Whether what directory said still holds.
    pub is_known: bool,
    /// When directory said it, in microseconds since the epoch.
    pub known_us: i64,
    /// Mask of the name.
    pub mask: String,
    /// Groups (BB-7.1.1).
    pub groups: Vec<i32>,
    /// How they have kept appointments.
    pub standing: Standing,
    /// Number and hash of the last act on the standing.
    pub acts: (u64, Hash),
}

const NAMES: [&str; 8] = [
    "version", "is_known", "known_us", "mask", "groups", "number", "head", "body",
];

/// How many columns [`Person::read`] takes.
pub(super) const WIDTH: usize = NAMES.len();

/// Its columns behind a table's alias, in the order in which [`Person::read`] takes them.
pub(super) fn columns(alias: &str) -> String {
    NAMES.map(|name| format!("{alias}.{name}")).join(", ")
}

impl Person {
    /// One who is not known here yet.
    #[must_use]
    pub fn new(district: &str, id: &str) -> Self {
        Self {
            district: district.to_owned(),
            id: id.to_owned(),
            version: 0,
            is_known: false,
            known_us: 0,
            mask: String::new(),
            groups: Vec::new(),
            standing: Standing {
                district: district.to_owned(),
                applicant: id.to_owned(),
                ..Standing::default()
            },
            acts: (0, START),
        }
    }

    /// Whether the person belongs to a special group (BB-7.1.1).
    #[must_use]
    pub fn is_special(&self) -> bool {
        !self.groups.is_empty()
    }

    pub(super) fn read(
        row: &QueryResult,
        at: usize,
        (district, id): (&str, &str),
    ) -> Result<Self, Error> {
        let Some(version) = row.try_get_by_index::<Option<i64>>(at)? else {
            return Ok(Self::new(district, id));
        };
        let body: Vec<u8> = row.try_get_by_index(at + 7)?;
        let number: i64 = row.try_get_by_index(at + 5)?;
        let head: Vec<u8> = row.try_get_by_index(at + 6)?;
        Ok(Self {
            district: district.to_owned(),
            id: id.to_owned(),
            version: version.unsigned_abs(),
            is_known: row.try_get_by_index::<i32>(at + 1)? != 0,
            known_us: row.try_get_by_index(at + 2)?,
            mask: row.try_get_by_index(at + 3)?,
            groups: groups(&row.try_get_by_index::<String>(at + 4)?),
            standing: Standing::decode(body.as_slice()).map_err(Refusal::internal)?,
            acts: (number.unsigned_abs(), act::hash(&head)),
        })
    }

    /// The row that makes it so of what was read before: its version alone, where nothing else has changed.
    #[must_use]
    pub fn row_after(self, read: &Self) -> Row {
        let is_same = self.version > 0 && self == *read;
        let mut row = self.row();
        if is_same {
            row.columns.truncate(1);
        }
        row
    }

    /// The row that makes it so, guarded by the version that was read.
    #[must_use]
    pub fn row(self) -> Row {
        let (number, head) = self.acts;
        Row {
            table: "persons",
            key: [self.district.into(), self.id.into()],
            read: (self.version > 0).then_some(self.version),
            columns: vec![
                ("version", long(self.version + 1)),
                ("is_known", i32::from(self.is_known).into()),
                ("known_us", self.known_us.into()),
                ("mask", self.mask.into()),
                ("groups", listed(&self.groups).into()),
                ("number", long(number)),
                ("head", head.to_vec().into()),
                ("body", self.standing.encode_to_vec().into()),
            ],
            provided: None,
        }
    }
}
