//! What every service needs around its rules.
//!
//! [`refusal`] says no with a requirement and in two languages; [`identity`] and [`access`] find out who calls and
//! whether they may; [`scope`] is what they may see; [`page`] makes lists that go on; [`config`],
//! [`serve`] and [`peers`] are how a process starts, listens, calls others and ends. Knows no database and no domain.

pub mod access;
pub mod config;
pub mod identity;
pub mod page;
pub mod peers;
pub mod refusal;
pub mod scope;
pub mod serve;
