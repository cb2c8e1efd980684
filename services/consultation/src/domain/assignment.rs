//! Who may take a contact: active, trained, of that site, and no relative (BB-5.2, BB-6).
//!
//! Skills do not matter here: whoever is asked registers the contact and is responsible until somebody else has accepted
//! (BB-4.2a). They gate cases (BB-6.3).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    directory::v1::{Applicant, Site, Staff, StaffStatus, TrainingKind},
    types::v1::SpecialGroup,
};
use chrono::NaiveDate;

/// Directory's word on somebody who takes a consultation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assigned {
    /// Staff id.
    pub staff: String,
    /// Site.
    pub site: String,
    /// Region code of the site.
    pub region: String,
    /// Hour at which the site closes on each weekday, Monday first; empty where it is closed.
    pub closing_times: Vec<String>,
    /// Mask of the applicant's name; empty without an applicant.
    pub applicant_mask: String,
    /// The applicant's special groups (BB-7.1.1).
    pub groups: Vec<i32>,
}

/// Whether a member of staff may take a contact of this applicant at this site today.
///
/// # Errors
/// STAFF_NOT_ACTIVE, STAFF_OF_ANOTHER_SITE (BB-5.2); PRE_SERVICE_TRAINING_MISSING (BB-6.2); CONFLICT_OF_INTEREST
/// (BB-6.1); APPLICANT_ERASED (BB-10.1.1c).
pub fn check(
    staff: &Staff,
    site: &Site,
    applicant: Option<&Applicant>,
    today: NaiveDate,
) -> Result<Assigned, Refusal> {
    if staff.status() != StaffStatus::Active {
        return Err(Refusal::precondition(
            "STAFF_NOT_ACTIVE",
            "BB-5.2",
            "该人员已停岗或离岗，不能接待咨询",
            "the person is suspended or has left",
        ));
    }
    if staff.site != site.id {
        return Err(Refusal::precondition(
            "STAFF_OF_ANOTHER_SITE",
            "BB-5.2",
            "该人员不在此站点服务",
            "the person serves at another site",
        ));
    }
    let today = today.to_string();
    let is_trained = staff.trainings.iter().any(|t| {
        t.kind() == TrainingKind::PreService && t.completed_on <= today && today <= t.valid_until
    });
    if !is_trained {
        return Err(Refusal::precondition(
            "PRE_SERVICE_TRAINING_MISSING",
            "BB-6.2",
            "该人员没有有效的岗前培训记录，不能接待咨询",
            "no pre-service training that still counts is on record",
        ));
    }
    let is_theirs = |a: &Applicant| staff.conflicts.iter().any(|c| c.applicant == a.id);
    if applicant.is_some_and(is_theirs) {
        return Err(Refusal::precondition(
            "CONFLICT_OF_INTEREST",
            "BB-6.1",
            "该人员与服务对象有利害关系，应当回避，请由其他人员接待",
            "the person has declared a conflict of interest with this applicant: a colleague must take the contact",
        ));
    }
    if applicant.is_some_and(|a| a.is_erased) {
        return Err(Refusal::precondition(
            "APPLICANT_ERASED",
            "BB-10.1.1c",
            "该服务对象的个人信息已删除，请重新登记",
            "the person was forgotten: register the person anew",
        ));
    }
    let groups = applicant.map(|a| a.groups.clone()).unwrap_or_default();
    Ok(Assigned {
        staff: staff.id.clone(),
        site: site.id.clone(),
        region: site.region.clone(),
        closing_times: closing_times(site),
        applicant_mask: applicant.map(|a| a.name_mask.clone()).unwrap_or_default(),
        groups: groups
            .into_iter()
            .filter(|g| *g != SpecialGroup::Unspecified as i32)
            .collect(),
    })
}

/// The last closing time of each weekday, Monday first; empty where the site is closed (民法典 art. 203).
fn closing_times(site: &Site) -> Vec<String> {
    (1..=7)
        .map(|weekday| {
            let of_day = site.opening_hours.iter().filter(|h| h.weekday == weekday);
            of_day.map(|h| h.closes.clone()).max().unwrap_or_default()
        })
        .collect()
}
