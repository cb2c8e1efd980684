//! The only place that knows consultation's tables.

mod calendars;
mod due;
mod load;
mod migrations;
mod query;
mod register;
mod row;

pub use calendars::{outdated, unmoved};
pub use due::{converting, needing_attention};
pub use load::{Loaded, load};
pub use migrations::Migrator;
pub use query::{find, list, rates, registered};
pub use register::register;
pub use row::{insert, participant, update};
