//! The service over gRPC, on each database there is.

mod anew;
mod ask;
mod booking;
mod cared;
mod changes;
mod degraded;
pub mod double;
mod figures;
mod full;
mod gates;
mod generation;
mod kept;
mod learned;
mod linked;
mod log;
mod many;
mod no_shows;
mod offers;
mod planned;
mod promises;
mod refusals;
mod reminders;
pub mod server;
mod unknown;
mod upgraded;
mod waiting;
pub mod world;
