//! The only place that knows casework's tables.

pub mod calendars;
pub mod checkpoints;
mod migrations;
mod query;
mod row;

pub use migrations::Migrator;
pub use query::{By, by_id, find, list, needing_attention, quality};
pub use row::{Loaded, insert, load, update};
