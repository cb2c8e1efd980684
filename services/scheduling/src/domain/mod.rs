//! The rules of appointments. Pure: no I/O, no clock, no randomness of their own.

pub mod delay;
pub mod hold;
pub mod ics;
pub mod link;
pub mod policy;
pub mod rate;
pub mod reminder;
pub mod time;
