//! The rules of a case: each requirement with what it allows and what it refuses, and properties over random histories.
//! No I/O.

mod agency;
mod assist;
mod histories;
mod story;
