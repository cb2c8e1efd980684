//! The service over gRPC, on each database there is.

mod booking;
mod degraded;
pub mod double;
mod figures;
mod gates;
mod refusals;
pub mod server;
mod waiting;
pub mod world;
