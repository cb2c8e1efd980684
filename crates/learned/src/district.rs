//! Districts, and what a caller may see of one (BB-1).

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_store::Error;

use crate::known::{Known, Learned};

/// What a caller may see of a district. A district never moves, so the database is asked of each only once.
///
/// # Errors
/// DISTRICT_UNKNOWN, SCOPE_OUTSIDE_DISTRICT (BB-1); the database's.
pub async fn scope(learned: &Learned, caller: &Caller, district: &str) -> Result<Scope, Error> {
    of(&*learned.lasting(district).await?, caller, district).map_err(Error::from)
}

/// The same from what is known.
///
/// # Errors
/// DISTRICT_UNKNOWN, SCOPE_OUTSIDE_DISTRICT (BB-1).
pub fn of(known: &Known, caller: &Caller, district: &str) -> Result<Scope, Refusal> {
    let itself = known.district.as_ref().ok_or_else(|| unknown(district))?;
    Scope::of(caller, district, &itself.region)
}

/// DISTRICT_UNKNOWN (BB-1).
#[must_use]
pub fn unknown(district: &str) -> Refusal {
    Refusal::not_found(
        "DISTRICT_UNKNOWN",
        "BB-1",
        format!("没有区县 {district}"),
        format!("there is no district {district:?}"),
    )
    .field("district", "unknown")
}
