//! Exports: good ones verify, and no change to one goes unnoticed.

mod format;
mod limits;
mod properties;
mod sample;
mod tamper;
