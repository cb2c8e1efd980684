//! Appointments under load: everything in one process, over TCP, on PostgreSQL and Redis.

mod availability;
mod clerk;
mod desk;
mod month;
mod rate;
mod refusal;
mod slots;

pub use month::measure as measure_month;
pub use rate::{measure_hot, measure_spread};
pub use refusal::measure as measure_refusals;
