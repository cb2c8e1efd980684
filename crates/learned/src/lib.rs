//! What a service learns from directory and keeps, and the one thing that it asks each time.
//!
//! A service that lives on directory's feed takes it in with [`effects::FromDirectory`], takes what it knows
//! from [`known::Learned`], and creates the tables of [`revision`] in a migration of its own.

pub mod absence;
pub mod assignment;
pub mod calendar;
pub mod district;
pub mod effects;
pub mod known;
pub mod revision;
