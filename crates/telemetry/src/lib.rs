//! What a process tells about itself: traces and metrics by OpenTelemetry's conventions, and logs that name their trace.
//!
//! [`start`] sets a process up as its configuration says; without one nothing is measured, and nothing is sent anywhere.
//! [`server::CallLayer`] and [`client`] watch calls, [`sql`] statements; [`gauges`] is what services count now and then.
//! Everything asks for itself whether somebody listens, so that whoever is watched holds nothing.
//!
//! Personal data never get here: what is told are names of methods and tables, codes, counts and times. Messages of
//! refusals, values of statements and paths that are in no contract are not.

mod body;
mod call;
pub mod client;
pub mod gauges;
mod headers;
pub mod logs;
mod methods;
mod page;
mod prometheus;
mod providers;
pub mod server;
mod settings;
mod signals;
pub mod sql;
mod start;
mod summary;

pub use self::{
    settings::{Log, LogFormat, Settings},
    start::{END, Error, Telemetry, start},
};
