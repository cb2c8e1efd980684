//! What can go wrong, and when to ask again.

use std::time::Duration;

/// The gate cannot be asked now: without it no seat is promised and none comes back; everything else works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gate in front of the seats is out of reach: try again in {} ms", after.as_millis())]
pub struct Unavailable {
    /// When asking again makes sense.
    pub after: Duration,
}

/// What was asked for cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A district's or site's id holds a brace.
    #[error("ids of districts and sites hold no braces: name them by slug or UUID")]
    Braces,
    /// The address of Redis cannot be read.
    #[error(
        "REDIS_URL cannot be used: {0}. Write redis://HOST:PORT, redis-sentinel://HOST:PORT,…/MASTER or redis-cluster://HOST:PORT,… (rediss… for TLS)"
    )]
    Url(String),
    /// The gate cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A day with more seats than the layout holds, or more reserved seats than there are.
    #[error(
        "a day holds at most 65,535 seats in 65,535 slots, and a slot reserves no more seats than it has"
    )]
    TooMany,
}

/// An error of the service's database, as [`crate::Generations`] reports it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
