//! The gate in front of the seats.
//!
//! PostgreSQL decides who has a seat: one row for each, so that nothing said here can overbook. The gate, in Redis or in
//! memory, keeps the crowd away from it: it picks a free seat for each who asks and answers "full" by itself. What it
//! must get right is that "full": **nobody is told so while a seat is free**. How that is kept through lost writes, stale
//! servers and processes that die is the subject of `docs/decisions/0009-the-gate.md`. It needs of the service that
//!
//! * a seat becomes free only by a release: its row is due by the database's clock ([`Row::Due`]), then
//!   [`Gate::release`], then one statement guarded by the generation which that answered, then [`Gate::freed`];
//! * pictures of a day ([`DayState`]) are read from the database's primary, in one snapshot that is younger than the
//!   [`Gate::begin_rebuild`] or [`Gate::look`] before;
//! * a slot's number never means another slot, and seats that a slot gains begin as rows that are due.
//!
//! This crate knows nothing of SQL, gRPC or applicants.

mod audit;
mod counts;
mod day;
mod error;
mod gate;
mod generations;
mod health;
mod kind;
mod memory;
mod picked;
mod redis;
mod servers;
mod settings;
mod state;
mod value;
mod watch;

pub use audit::{Audited, Look};
pub use counts::Counts;
pub use day::{Day, Place, Who};
pub use error::{BoxError, Error, Unavailable};
pub use gate::{Begun, Gate, Rebuild};
pub use generations::Generations;
pub use health::Health;
pub use picked::{Picked, Seat};
pub use servers::Servers;
pub use settings::Settings;
pub use state::{DayState, Free, Row, SlotState};
