//! The rules of appointments. Pure: no I/O, no clock, no randomness of their own.

pub mod change;
pub mod delay;
pub mod hold;
pub mod ics;
pub mod link;
pub mod person;
pub mod plan;
pub mod policy;
pub mod publish;
pub mod rate;
pub mod reminder;
pub mod standing;
pub mod template;
pub mod time;
pub mod waiting;
