//! The gate against real servers, which the tests start themselves, and against a database that keeps rows exactly.

mod account;
mod bytes;
mod faults;
mod identity;
mod migration;
mod model;
mod server;
mod speed;
mod truth;
mod workload;
