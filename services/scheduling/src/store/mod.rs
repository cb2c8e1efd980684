//! The only place that knows scheduling's tables.

pub mod booking;
pub mod capacity;
pub mod due;
mod key;
pub mod load;
mod migrations;
mod person;
pub mod picture;
pub mod plans;
mod query;
pub mod rules;
mod seat;
mod slot;
pub(crate) mod still;
pub mod waiting;

pub use key::{DayKey, NoKey, SeatKey, SlotKey};
pub use migrations::Migrator;
pub use person::Person;
pub use query::*;
pub use seat::Seat;
pub use slot::{SlotRow, at, us};
