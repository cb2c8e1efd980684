//! Districts, and what a caller may see of one (BB-1).

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_proto::bangban::directory::v1::District;
use bangban_store::{Error, Store, copy};

/// What a caller may see of a district.
///
/// # Errors
/// DISTRICT_UNKNOWN, SCOPE_OUTSIDE_DISTRICT (BB-1); the database's.
pub async fn scope(store: &Store, caller: &Caller, district: &str) -> Result<Scope, Error> {
    let known = copy::get::<District>(&store.db, district, "district", district).await?;
    let known = known.ok_or_else(|| unknown(district))?;
    Ok(Scope::of(caller, district, &known.region)?)
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
