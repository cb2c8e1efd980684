//! The rules of a consultation. Pure: no I/O, no clock, no tables.
//!
//! A command is decided by a function of the consultation, the request and what the outside knows; it answers the acts
//! that follow, or a refusal that cites its requirement. [`fold::apply`] is the only thing that changes a consultation.
//! To add a command: a message and an act in the contract, a function here that decides it, an arm in `fold`, a line in
//! `rpc`.

pub mod answer;
pub mod assignment;
pub mod clock;
pub mod complete;
pub mod conversion;
pub mod end;
pub mod fold;
pub mod handling;
pub mod outside;
pub mod referral;
pub mod register;
pub mod responsibility;
pub mod text;

pub use assignment::Assigned;
pub use bangban_proto::bangban::consultation::v1::consultation_act::Act;
pub use outside::Outside;
