//! The codes and numbers of Chinese assisted government services: region codes, identity
//! documents, credit codes, telephone numbers, postal codes, names and addresses, and the
//! platform's own receipt numbers and district ids.
//!
//! This crate is pure. It does no I/O, has no clock (a date such as "today" is an argument) and no
//! global state; it knows how a number is formed, never whether it was issued. Whether a region
//! exists today, or a person holds a document, is versioned data of other crates.
//!
//! Personal numbers have no `Display`, and their `Debug` shows a mask: the full text leaves a value
//! only through a method whose name says so (`as_str`, `normalized`, `index_form`), which is what
//! gets sealed. No [`Error`] carries the text that was refused.
//!
//! To add a code: a file with one type, `parse` returning [`Error`], a [`Subject`] that names it in
//! both languages, and tests from the standard's own samples.

#[macro_use]
mod text;
mod check;
mod error;

pub mod document;
pub mod enterprise;
pub mod name;
pub mod person;
pub mod postal;
pub mod receipt;
pub mod region;
pub mod slug;
pub mod telephone;

pub use document::{Document, DocumentKind};
pub use enterprise::CreditCode;
pub use error::{Error, Fault, Subject};
pub use name::{PersonName, mask_address, mask_enterprise, mask_name};
pub use person::{ResidentId, Sex};
pub use postal::PostalCode;
pub use receipt::{ReceiptNumber, Serial};
pub use region::{RegionCode, Tier};
pub use slug::DistrictId;
pub use telephone::Telephone;
