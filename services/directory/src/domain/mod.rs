//! The rules of directory. Pure: state, request and what the outside knows go in; an act with the new state, or a
//! refusal that names its requirement, comes out.

pub mod acts;
pub mod applicant;
pub mod assignment;
pub mod calendar;
pub mod catalogue;
pub mod complaint;
pub mod district;
pub mod entitlement;
pub mod regions;
pub mod rule;
pub mod site;
pub mod staff;
pub mod yaml;

use bangban_kit::refusal::{Kind, Refusal};
use bangban_proto::bangban::directory::v1::directory_act::Act;
use chrono::NaiveDate;

/// An act and the state that it leads to.
pub type Decision<S> = Result<(Act, S), Refusal>;

/// A day as the contract writes it.
///
/// # Errors
/// DATE_IMPOSSIBLE with the field.
pub fn day(text: &str, field: &str) -> Result<NaiveDate, Refusal> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        Refusal::invalid(
            "DATE_IMPOSSIBLE",
            "",
            format!("“{text}”不是有效日期，应为 YYYY-MM-DD"),
            format!("{text:?} is no day: write YYYY-MM-DD"),
        )
        .field(field, "is no day of the calendar")
    })
}

/// The etag of a version.
#[must_use]
pub fn etag(version: u64) -> String {
    version.to_string()
}

/// Refuses an etag that is not the version's; an empty one was not read and is not compared.
///
/// # Errors
/// STALE_ETAG (BB-8d).
pub fn same_etag(given: &str, version: u64) -> Result<(), Refusal> {
    if given.is_empty() || given == etag(version) {
        return Ok(());
    }
    Err(Refusal::new(
        Kind::Stale,
        "STALE_ETAG",
        "BB-8d",
        "该记录已被他人修改，请刷新后重试",
        "somebody else has changed this since it was read: read it again",
    )
    .field("etag", "is not the current one"))
}
