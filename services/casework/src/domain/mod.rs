//! The rules of a case. Pure: no I/O, no clock, no tables.
//!
//! A command is decided by a function of the case, the request and what the outside knows; it answers the acts that
//! follow, or a refusal that cites its requirement. [`fold::apply`] is the only thing that changes a case. To add a
//! command: a message and an act in the contract, a function here that decides it, an arm in `fold`, a line in `rpc`.

pub mod agency;
pub mod clock;
pub mod complete;
pub mod consent;
pub mod contact;
pub mod delegation;
pub mod department;
pub mod fold;
pub mod limit;
pub mod material;
pub mod mode;
pub mod notice;
pub mod opening;
pub mod outcome;
pub mod outside;
pub mod problem;
pub mod reserved;
pub mod responsibility;
pub mod template;

pub use bangban_proto::bangban::casework::v1::case_act::Act;
pub use outside::Outside;
