//! Tables of directory: the only place that knows them. Nothing reads rows of a district without a scope.

pub mod assignment;
pub mod history;
pub mod lock;
pub mod migrations;
pub mod regions;
pub mod reminders;
pub mod resource;
pub mod sealed;
pub mod unique;
