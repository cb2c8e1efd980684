//! The log of acts: one append-only row per act is the event, the ledger entry and the record of the request.

use sea_orm::entity::prelude::*;

use bangban_ledger::{EntryRef, Hash};

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "acts")]
pub struct Model {
    /// District; empty for acts on the installation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district: String,
    /// To what: `cases/UUID`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Ordinal within the subject, from 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// Sequence number, given by the database.
    pub position: i64,
    /// Transaction, given by the database; 0 in SQLite.
    pub tx: i64,
    /// Kind of act: `case.opened`.
    pub kind: String,
    /// The act in protobuf's wire format.
    pub payload: Vec<u8>,
    /// Microseconds since the epoch, by the clock that rules are judged by.
    pub acted_at_us: i64,
    /// Subject of the token.
    pub actor: String,
    /// Site at which the person serves.
    pub actor_site: String,
    /// Written under a demonstration clock.
    pub is_demonstration: bool,
    /// Caller, method and request id are the scope of a request; unset for what no request asked for.
    pub caller: Option<String>,
    /// Hash over district, caller, method and request id, by which a repetition is found; unset as they are.
    pub request_key: Option<Vec<u8>>,
    /// Name of the request's message.
    pub method: Option<String>,
    /// UUID that the caller chose.
    pub request_id: Option<String>,
    /// SHA-256 over the request's body.
    pub request_digest: Option<Vec<u8>>,
    /// The first answer, where it cannot be derived from the acts.
    pub answer: Option<Vec<u8>>,
    /// Hash of the act before it; zeros for the first.
    pub previous_hash: Vec<u8>,
    /// Hash over this act and the one before it.
    pub hash: Vec<u8>,
}

/// No relations: the log stands by itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The act as the ledger hashes it.
    #[must_use]
    pub fn entry(&self) -> EntryRef<'_> {
        EntryRef {
            district: &self.district,
            subject: &self.subject,
            number: self.number.unsigned_abs(),
            kind: &self.kind,
            acted_at_us: self.acted_at_us,
            actor: &self.actor,
            actor_site: &self.actor_site,
            is_demonstration: self.is_demonstration,
            payload: &self.payload,
        }
    }
}

/// A stored hash.
///
/// # Panics
/// Never for rows that we wrote: a hash has 32 bytes.
#[must_use]
pub fn hash(bytes: &[u8]) -> Hash {
    let mut hash = Hash::default();
    if bytes.len() == hash.len() {
        hash.copy_from_slice(bytes);
    }
    hash
}
