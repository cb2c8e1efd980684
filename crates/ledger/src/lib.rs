//! The ledger (台账): one hash chain per case, its export, and the offline verification of an export (BB-10.1.5).
//!
//! Pure: it knows no database and no clock, and keeps no key. The store hashes an act with [`EntryRef::hash`] in the
//! transaction that writes it, streams an export with [`Writer`], and anyone [`verify`]s the file, with this crate or
//! from `docs/ledger-format.md` alone.
//!
//! What a chain proves: the acts of a case are those that were hashed, in that order, none between first and last
//! removed. What it cannot prove by itself: that the owner of the database did not compute a whole chain anew, or cut
//! its tail and restate the head. Against that stands the [`Checkpoint`] (BX-6): once a day the heads of all chains that
//! grew, in one signed hash that others keep; [`verify_with`] compares. [`verify_each`] hands out every head for other
//! comparisons. Personal data never enter a payload in the clear, only salted commitments, so that a person can be
//! forgotten and the chain still holds.
//!
//! To add a kind of line: a struct in `line.rs`, a method of [`Writer`], an arm in `verify.rs`, a section in the
//! document; old verifiers report it as [`ProblemKind::UnknownLine`] and go on.

mod checkpoint;
mod entry;
mod instant;
mod kept;
mod key;
mod line;
mod lines;
pub mod merkle;
mod report;
mod text;
mod verify;
mod writer;

pub use checkpoint::{Checkpoint, Leaf};
pub use entry::{Entry, EntryRef, Hash, START};
pub use kept::{Kept, Trust};
pub use key::{PublicKey, Signature, SigningKey, is_signed, key_id};
pub use line::Head;
pub use lines::MAX_LINE_BYTES;
pub use report::{MAX_PROBLEMS, Problem, ProblemKind, Report};
pub use verify::{Ledger, verify, verify_each, verify_with};
pub use writer::Writer;

/// The format's name, in the head line of every export.
pub const FORMAT: &str = "bangban-ledger";
/// The format's version. It rises when a verifier of the version before would judge wrongly.
pub const VERSION: u32 = 1;
