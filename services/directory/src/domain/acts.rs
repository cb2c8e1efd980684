//! Names of acts, as the log and its readers know them.

use bangban_proto::bangban::directory::v1::{DirectoryAct, directory_act::Act};
use prost::Message as _;

/// The kind under which an act stands in the log: the name of its field, as noun and verb.
#[must_use]
pub fn kind(act: &Act) -> &'static str {
    match act {
        Act::DistrictCreated(_) => "district.created",
        Act::RegionsImported(_) => "regions.imported",
        Act::SiteOpened(_) => "site.opened",
        Act::SiteUpdated(_) => "site.updated",
        Act::StaffEnrolled(_) => "staff.enrolled",
        Act::TrainingRecorded(_) => "training.recorded",
        Act::AssessmentRecorded(_) => "assessment.recorded",
        Act::SkillGranted(_) => "skill.granted",
        Act::SkillRevoked(_) => "skill.revoked",
        Act::StaffSuspended(_) => "staff.suspended",
        Act::StaffReinstated(_) => "staff.reinstated",
        Act::StaffDismissed(_) => "staff.dismissed",
        Act::ConflictDeclared(_) => "conflict.declared",
        Act::ApplicantRegistered(_) => "applicant.registered",
        Act::ApplicantUpdated(_) => "applicant.updated",
        Act::ApplicantErased(_) => "applicant.erased",
        Act::ApplicantRevealed(_) => REVEALED,
        Act::DepartmentPut(_) => "department.put",
        Act::ItemPublished(_) => PUBLISHED,
        Act::ItemWithdrawn(_) => WITHDRAWN,
        Act::RulePublished(_) => "rule.published",
        Act::RuleAttested(_) => "rule.attested",
        Act::CalendarAmended(_) => "calendar.amended",
        Act::CalendarYearLoaded(_) => "calendar_year.loaded",
        Act::ClockAdvanced(_) => "clock.advanced",
        Act::EntitlementNear(_) => NEAR,
    }
}

/// The subject under which the acts on a thing of this kind stand in the log.
#[must_use]
pub fn subject(kind: &str, id: &str) -> String {
    match kind {
        "item_head" => format!("items/{id}"),
        "staff" => format!("staff/{id}"),
        "calendar_year" => format!("calendar/{id}"),
        // There is one of each: in a district, or in the installation.
        "calendar" | "clock" | "regions" => kind.to_owned(),
        kind => format!("{kind}s/{id}"),
    }
}

/// Kind of the act of looking at sealed data.
pub const REVEALED: &str = "applicant.revealed";
/// Kind of the act of publishing a version of an item.
pub const PUBLISHED: &str = "item.published";
/// Kind of the act of withdrawing an item.
pub const WITHDRAWN: &str = "item.withdrawn";
/// Kind of the act of noting that an entitlement is about to begin.
pub const NEAR: &str = "entitlement.near";

/// An act in protobuf's wire format.
#[must_use]
pub fn payload(act: Act) -> Vec<u8> {
    DirectoryAct { act: Some(act) }.encode_to_vec()
}
