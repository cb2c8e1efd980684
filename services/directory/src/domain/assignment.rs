//! Who may be given a matter (BB-5.2, BB-6).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    directory::v1::{CheckAssignmentRequest, Staff, StaffStatus, TrainingKind},
    types::v1::Channel,
};
use chrono::NaiveDate;

use super::{day, staff};

/// Whether `agent` may be given the matter today.
///
/// # Errors
/// Each with its requirement: STAFF_NOT_ACTIVE, STAFF_OF_ANOTHER_SITE (BB-5.2); PRE_SERVICE_TRAINING_MISSING
/// (BB-6.2); SKILL_MISSING (BB-6.3); CONFLICT_OF_INTEREST (BB-6.1).
pub fn check(
    agent: &Staff,
    request: &CheckAssignmentRequest,
    today: NaiveDate,
) -> Result<(), Refusal> {
    if agent.status() != StaffStatus::Active {
        return Err(staff::not_active());
    }
    if agent.site != request.site {
        return Err(Refusal::precondition(
            "STAFF_OF_ANOTHER_SITE",
            "BB-5.2",
            "该人员不在此站点服务",
            "the person serves at another site",
        ));
    }
    let is_trained = agent.trainings.iter().any(|t| {
        t.kind() == TrainingKind::PreService
            && day(&t.completed_on, "").is_ok_and(|d| d <= today)
            && day(&t.valid_until, "").is_ok_and(|d| today <= d)
    });
    if !is_trained {
        return Err(Refusal::precondition(
            "PRE_SERVICE_TRAINING_MISSING",
            "BB-6.2",
            "该人员没有有效的岗前培训记录，不能派件",
            "no pre-service training that still counts is on record: no case may be given",
        ));
    }
    let is_skilled = agent.skill.as_ref().is_some_and(|skill| {
        (skill.items.is_empty() || skill.items.contains(&request.item))
            && (request.channel == Channel::Unspecified as i32
                || skill.channels.contains(&request.channel))
    });
    if !is_skilled {
        return Err(Refusal::precondition(
            "SKILL_MISSING",
            "BB-6.3",
            "该人员没有此事项或此渠道的技能认定",
            "the person has not been granted the skill for this item or channel",
        ));
    }
    if agent
        .conflicts
        .iter()
        .any(|c| c.applicant == request.applicant)
    {
        return Err(Refusal::precondition(
            "CONFLICT_OF_INTEREST",
            "BB-6.1",
            "该人员与申请人有利害关系，应当回避",
            "the person has declared a conflict of interest with this applicant",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bangban_proto::bangban::directory::v1::{Conflict, Skill, Training};

    use super::*;

    fn agent() -> Staff {
        Staff {
            site: "centre".into(),
            status: StaffStatus::Active as i32,
            trainings: vec![Training {
                kind: TrainingKind::PreService as i32,
                completed_on: "2026-01-01".into(),
                valid_until: "2026-11-24".into(),
                certificate: "1".into(),
            }],
            skill: Some(Skill {
                items: vec!["licence".into()],
                channels: vec![Channel::Window as i32],
            }),
            conflicts: vec![Conflict {
                applicant: "aunt".into(),
                relation: "aunt".into(),
            }],
            ..Staff::default()
        }
    }

    fn request() -> CheckAssignmentRequest {
        CheckAssignmentRequest {
            site: "centre".into(),
            item: "licence".into(),
            channel: Channel::Window as i32,
            applicant: "stranger".into(),
            ..CheckAssignmentRequest::default()
        }
    }

    fn refused(
        agent: &Staff,
        request: &CheckAssignmentRequest,
        today: &str,
    ) -> (&'static str, &'static str) {
        let refusal = check(agent, request, day(today, "").expect("a day")).expect_err("refused");
        (refusal.reason, refusal.requirement)
    }

    #[test]
    fn every_refusal_cites_its_requirement() {
        let today = "2026-11-24";
        assert!(check(&agent(), &request(), day(today, "").expect("a day")).is_ok());
        let suspended = Staff {
            status: StaffStatus::Suspended as i32,
            ..agent()
        };
        assert_eq!(
            refused(&suspended, &request(), today),
            ("STAFF_NOT_ACTIVE", "BB-5.2")
        );
        let elsewhere = CheckAssignmentRequest {
            site: "village".into(),
            ..request()
        };
        assert_eq!(
            refused(&agent(), &elsewhere, today),
            ("STAFF_OF_ANOTHER_SITE", "BB-5.2")
        );
        assert_eq!(
            refused(&agent(), &request(), "2026-11-25"),
            ("PRE_SERVICE_TRAINING_MISSING", "BB-6.2")
        );
        let other = CheckAssignmentRequest {
            item: "allowance".into(),
            ..request()
        };
        assert_eq!(
            refused(&agent(), &other, today),
            ("SKILL_MISSING", "BB-6.3")
        );
        let kiosk = CheckAssignmentRequest {
            channel: Channel::Kiosk as i32,
            ..request()
        };
        assert_eq!(
            refused(&agent(), &kiosk, today),
            ("SKILL_MISSING", "BB-6.3")
        );
        let aunt = CheckAssignmentRequest {
            applicant: "aunt".into(),
            ..request()
        };
        assert_eq!(
            refused(&agent(), &aunt, today),
            ("CONFLICT_OF_INTEREST", "BB-6.1")
        );
    }

    #[test]
    fn no_channel_in_particular_and_no_item_in_particular_are_enough() {
        let any = CheckAssignmentRequest {
            channel: 0,
            ..request()
        };
        let all = Staff {
            skill: Some(Skill {
                items: Vec::new(),
                channels: vec![1],
            }),
            ..agent()
        };
        assert!(check(&all, &any, day("2026-11-24", "").expect("a day")).is_ok());
    }
}
