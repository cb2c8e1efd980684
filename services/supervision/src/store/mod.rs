//! The only place that knows supervision's tables.

pub mod kept;
mod migrations;

pub use migrations::Migrator;
