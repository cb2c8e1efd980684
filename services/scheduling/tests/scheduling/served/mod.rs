//! The service over gRPC, on each database there is.

mod booking;
pub mod double;
mod gates;
mod refusals;
pub mod server;
mod waiting;
pub mod world;
