//! The rules of appointments. Pure: no I/O, no clock, no randomness of their own.

pub mod appointment;
pub mod change;
pub mod delay;
pub mod fold;
pub mod hold;
pub mod ics;
pub mod link;
pub mod outside;
pub mod person;
pub mod plan;
pub mod policy;
pub mod publish;
pub mod rate;
pub mod reminder;
pub mod seat;
pub mod slot;
pub mod standing;
pub mod template;
pub mod time;
pub mod waiting;

pub use bangban_proto::bangban::scheduling::v1::scheduling_act::Act;
pub use outside::Outside;
