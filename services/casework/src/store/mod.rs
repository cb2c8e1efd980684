//! The only place that knows casework's tables.

pub mod calendars;
pub mod checkpoints;
mod migrations;
mod row;

pub use migrations::Migrator;
pub use row::{
    Loaded, Query, apply_scope, by_id, find, insert, list, load, needing_attention, quality, update,
};
