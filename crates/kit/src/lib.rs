//! What every service needs around its rules.
//!
//! [`refusal`] says no with a requirement and in two languages; [`identity`] and [`access`] find out who calls and
//! whether they may; [`link`] is the way they came; [`scope`] is what they may see; [`page`] makes lists that go on;
//! [`config`] and [`logs`] are how a process starts. Knows no network, no database and no domain.

pub mod access;
pub mod config;
pub mod identity;
pub mod link;
pub mod logs;
pub mod page;
pub mod refusal;
pub mod scope;
