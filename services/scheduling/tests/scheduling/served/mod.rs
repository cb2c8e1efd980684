//! The service over gRPC, on each database there is.

mod booking;
mod double;
mod refusals;
mod waiting;
mod world;
