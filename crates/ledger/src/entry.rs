//! One act, and its hash.

use sha2::{Digest, Sha256};

/// SHA-256 over an act and the hash of the act before it.
pub type Hash = [u8; 32];

/// What stands for "the act before" in front of the first act of a case.
pub const START: Hash = [0; 32];

/// Keeps these hashes apart from any other use of SHA-256, and names the order of the fields.
const DOMAIN: &[u8] = b"bangban-act-v1\0";

/// One act of a case, as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The district's id.
    pub district: String,
    /// Whose chain it is: the case's id.
    pub subject: String,
    /// The act's place in its chain, from 1, without gaps.
    pub number: u64,
    /// The kind of act: the event's name in the contract.
    pub kind: String,
    /// When it was done, in microseconds since 1970-01-01T00:00:00Z.
    pub acted_at_us: i64,
    /// Who did it: a staff member's or an applicant's id, or the system actor of a service. Never a name.
    pub actor: String,
    /// The site that the actor stood for; empty where there is none.
    pub actor_site: String,
    /// Whether it was done under a demonstration clock.
    pub is_demonstration: bool,
    /// The stored bytes of the event.
    pub payload: Vec<u8>,
}

/// An [`Entry`] that borrows, so that a row is hashed where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// See [`Entry::district`].
    pub district: &'a str,
    /// See [`Entry::subject`].
    pub subject: &'a str,
    /// See [`Entry::number`].
    pub number: u64,
    /// See [`Entry::kind`].
    pub kind: &'a str,
    /// See [`Entry::acted_at_us`].
    pub acted_at_us: i64,
    /// See [`Entry::actor`].
    pub actor: &'a str,
    /// See [`Entry::actor_site`].
    pub actor_site: &'a str,
    /// See [`Entry::is_demonstration`].
    pub is_demonstration: bool,
    /// See [`Entry::payload`].
    pub payload: &'a [u8],
}

impl<'a> From<&'a Entry> for EntryRef<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            district: &entry.district,
            subject: &entry.subject,
            number: entry.number,
            kind: &entry.kind,
            acted_at_us: entry.acted_at_us,
            actor: &entry.actor,
            actor_site: &entry.actor_site,
            is_demonstration: entry.is_demonstration,
            payload: &entry.payload,
        }
    }
}

impl Entry {
    /// The hash that the next act of the case builds on; `previous` is [`START`] for the first.
    #[must_use]
    pub fn hash(&self, previous: &Hash) -> Hash {
        EntryRef::from(self).hash(previous)
    }
}

impl EntryRef<'_> {
    /// See [`Entry::hash`]. Allocates nothing.
    ///
    /// Strings and bytes carry their length in front, so that no two acts share an encoding.
    #[must_use]
    pub fn hash(&self, previous: &Hash) -> Hash {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(previous);
        bytes(&mut hash, self.district.as_bytes());
        bytes(&mut hash, self.subject.as_bytes());
        hash.update(self.number.to_be_bytes());
        bytes(&mut hash, self.kind.as_bytes());
        hash.update(self.acted_at_us.to_be_bytes());
        bytes(&mut hash, self.actor.as_bytes());
        bytes(&mut hash, self.actor_site.as_bytes());
        hash.update([u8::from(self.is_demonstration)]);
        bytes(&mut hash, self.payload);
        hash.finalize().into()
    }
}

pub(crate) fn bytes(hash: &mut Sha256, value: &[u8]) {
    hash.update((value.len() as u64).to_be_bytes());
    hash.update(value);
}
