//! Casework: assisted cases from the first contact to the ledger.

pub mod domain;
