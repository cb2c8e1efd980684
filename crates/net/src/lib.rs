//! How services reach each other and are reached: balancing, retries, deadlines, TLS, limits, draining.
//!
//! [`client`] is the calling side: a channel that every generated client takes. [`peer`] signs calls in somebody's name.
//! [`server`] is the other side: what it accepts, and how it ends. [`tls`] holds the certificates of both.
//! [`admission`] refuses early what a server cannot answer in time.

pub mod admission;
pub mod client;
pub mod peer;
pub mod server;
pub mod tls;
