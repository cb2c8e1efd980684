//! Running limits as the contract writes them: pure functions over its `Clock`.
//!
//! Which limits run and what a breach means is the business of the service that owns the matter; how a clock is
//! counted, stopped, moved and explained is the same for all of them (BB-8a, BB-8c, BX-2, BX-3).

pub mod clock;
pub mod time;
