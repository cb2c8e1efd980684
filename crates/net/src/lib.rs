//! How services reach each other and are reached: balancing, retries, deadlines, TLS, limits, draining.
//!
//! [`client`] is the calling side: a channel that every generated client takes. [`peer`] signs calls in somebody's name.
//! [`admission`] refuses early what a server cannot answer in time.

pub mod admission;
pub mod client;
pub mod peer;
