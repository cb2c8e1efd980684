//! The only place that knows casework's tables.

pub mod calendars;
mod migrations;
mod row;

pub use migrations::Migrator;
pub use row::{
    Loaded, Opening, Query, apply_scope, by_id, find, insert, list, load, needing_attention,
    opening, quality, update,
};
