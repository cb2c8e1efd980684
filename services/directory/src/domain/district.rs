//! Districts.

use bangban_codes::slug::DistrictId;
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    CreateDistrictRequest, District, DistrictCreated, directory_act::Act,
};

use super::Decision;

/// Founds a district on a region.
///
/// # Errors
/// DISTRICT_EXISTS; REGION_UNKNOWN; the form of its id.
pub fn create(
    exists: bool,
    region_is_known: bool,
    request: &CreateDistrictRequest,
    now: prost_types::Timestamp,
) -> Decision<District> {
    DistrictId::parse(&request.district).map_err(|e| {
        Refusal::invalid(e.reason(), "", e.zh(), e.to_string()).field("district", e.to_string())
    })?;
    if exists {
        return Err(district_exists());
    }
    if !region_is_known {
        return Err(region_unknown("region"));
    }
    let district = District {
        id: request.district.clone(),
        name: request.name.clone(),
        region: request.region.clone(),
        number: request.number,
        etag: super::etag(1),
        created_at: Some(now),
    };
    Ok((
        Act::DistrictCreated(DistrictCreated {
            district: Some(district.clone()),
        }),
        district,
    ))
}

/// DISTRICT_EXISTS.
#[must_use]
pub fn district_exists() -> Refusal {
    Refusal::exists(
        "DISTRICT_EXISTS",
        "",
        "该辖区标识已被使用",
        "there is a district with this id",
    )
}

/// DISTRICT_NUMBER_TAKEN: two districts with one number would issue the same receipts.
#[must_use]
pub fn number_taken() -> Refusal {
    Refusal::exists(
        "DISTRICT_NUMBER_TAKEN",
        "",
        "该编号已属于另一辖区，回执号会重复",
        "the number belongs to another district: receipts would clash",
    )
    .field("number", "belongs to another district")
}

/// REGION_UNKNOWN.
#[must_use]
pub fn region_unknown(field: &str) -> Refusal {
    Refusal::not_found(
        "REGION_UNKNOWN",
        "BB-1",
        "区划代码不在现行区划数据中",
        "the region code is not in the data set in force",
    )
    .field(field, "is not in the data set in force")
}

/// DISTRICT_UNKNOWN.
#[must_use]
pub fn district_unknown() -> Refusal {
    Refusal::not_found(
        "DISTRICT_UNKNOWN",
        "",
        "没有该辖区",
        "there is no such district",
    )
}
