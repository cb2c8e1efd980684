//! The rules, by requirement.

mod answering;
mod converting;
mod personal;
mod rates;
mod referring;
mod registering;
mod responsible;
