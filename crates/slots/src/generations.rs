//! The number in the database that says which Redis is believed.

use async_trait::async_trait;

use crate::BoxError;

/// Where the service keeps the generation: one row of one number (BIGINT), 0 at first.
///
/// A Redis is believed only while it was admitted under the generation that stands in the database. Whoever finds a
/// server that nobody admitted (it restarted, was promoted, is another one) replaces the number, and everything that
/// was stored under the old one counts as lost. The number is never interpreted by the service.
#[async_trait]
pub trait Generations: Send + Sync + 'static {
    /// The number that is committed now. Asked every 300 ms, never on the path of a request. From the primary, not
    /// from a replica of the database.
    async fn read(&self) -> Result<i64, BoxError>;

    /// Writes `new` if `old` still stands, and answers what stands afterwards, committed: `new`, or what somebody else
    /// wrote before.
    async fn replace(&self, old: i64, new: i64) -> Result<i64, BoxError>;
}

const NONCE_BITS: u32 = 32;

/// The number after `generation`: its count rises by one, the rest is random, so that two who try at the same time
/// never admit two servers under one number.
pub(crate) fn after(generation: i64, nonce: u32) -> i64 {
    ((count(generation) as i64 + 1) << NONCE_BITS) | i64::from(nonce)
}

/// How many times the generation was replaced.
pub(crate) fn count(generation: i64) -> u64 {
    (generation >> NONCE_BITS).unsigned_abs()
}
