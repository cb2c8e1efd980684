//! What every service stores alike.
//!
//! [`act`] is the one append-only log: event, ledger entry and record of requests in a row. [`write`] puts acts and
//! the new state down in one transaction, on PostgreSQL in one statement. [`feed`] serves the log and [`consume`]
//! lives on another's; [`copy`] keeps what was learned. [`query`] reads rows within a scope. [`clock`] is the time that rules are judged by. [`open`]
//! connects, [`migrate`] brings the tables up to date under a lock. Knows no domain.

pub mod act;
mod adopt;
mod arrays;
mod batch;
pub mod clock;
pub mod command;
pub mod consume;
pub mod copy;
pub mod error;
pub mod feed;
pub mod figures;
mod lag;
mod lanes;
pub mod migrate;
pub mod open;
pub mod position;
pub mod query;
pub mod question;
mod queue;
pub mod tables;
mod together;
mod traced;
pub mod wait;
pub mod write;

pub use clock::Now;
pub use error::Error;
pub use open::Store;
pub use position::Position;
pub use traced::{Connection, Transaction};
