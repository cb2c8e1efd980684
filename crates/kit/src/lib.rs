//! What every service needs around its rules.
//!
//! [`refusal`] says no with a requirement and in two languages; [`identity`] and [`access`] find out who calls and
//! whether they may; [`link`] is the way they came; [`scope`] is what they may see; [`page`] makes lists that go on;
//! [`config`] is what a process is told, [`secret`] what it keeps to itself. Knows no network, no database and no domain.

pub mod access;
pub mod config;
pub mod identity;
pub mod link;
pub mod page;
pub mod refusal;
pub mod scope;
pub mod secret;
