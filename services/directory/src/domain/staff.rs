//! The agent team: trained, assessed and dynamically managed (BB-5.2, BB-6).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Assessment, AssessmentRecorded, Conflict, ConflictDeclared, Skill, SkillGranted, SkillRevoked,
    Staff, StaffDismissed, StaffEnrolled, StaffReinstated, StaffStatus, StaffSuspended, Training,
    TrainingRecorded, directory_act::Act,
};
use chrono::NaiveDate;

use super::{Decision, day};

/// What may happen to a member of staff.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// A training was completed.
    Train(&'a Training),
    /// An assessment was made.
    Assess(&'a Assessment),
    /// Masters items and channels.
    Grant(&'a Skill),
    /// Does not any more.
    Revoke(&'a str),
    /// Gets nothing for the time being.
    Suspend(&'a str),
    /// Gets work again.
    Reinstate(&'a str),
    /// Leaves for good.
    Dismiss(&'a str),
    /// Is close to an applicant.
    Declare(&'a Conflict),
}

/// Takes somebody into the team of a site that lies in `region`.
#[must_use]
pub fn enrol(staff: &Staff, region: &str, now: prost_types::Timestamp) -> (Act, Staff) {
    let staff = Staff {
        id: staff.id.clone(),
        name: staff.name.clone(),
        site: staff.site.clone(),
        roles: staff.roles.clone(),
        status: StaffStatus::Active as i32,
        region: region.to_owned(),
        etag: super::etag(1),
        updated_at: Some(now),
        ..Staff::default()
    };
    (
        Act::StaffEnrolled(StaffEnrolled {
            staff: Some(staff.clone()),
        }),
        staff,
    )
}

/// Decides a change on the state that was read.
///
/// # Errors
/// STAFF_NOT_ACTIVE, STAFF_NOT_SUSPENDED (BB-5.2); DATES_REVERSED, DATE_IN_FUTURE (BB-6.2).
pub fn change(mut staff: Staff, change: Change<'_>, today: NaiveDate) -> Decision<Staff> {
    let status = staff.status();
    if status == StaffStatus::Left {
        return Err(not_active());
    }
    let act = match change {
        Change::Train(training) => {
            let completed = day(&training.completed_on, "training.completed_on")?;
            if day(&training.valid_until, "training.valid_until")? < completed {
                return Err(Refusal::invalid(
                    "DATES_REVERSED",
                    "BB-6.2",
                    "培训有效期早于完成日期",
                    "the training ends to count before it was completed",
                )
                .field("training.valid_until", "lies before completed_on"));
            }
            not_ahead(completed, today, "training.completed_on")?;
            staff.trainings.push(training.clone());
            Act::TrainingRecorded(TrainingRecorded {
                training: Some(training.clone()),
            })
        }
        Change::Assess(assessment) => {
            not_ahead(
                day(&assessment.assessed_on, "assessment.assessed_on")?,
                today,
                "assessment.assessed_on",
            )?;
            staff.assessments.push(assessment.clone());
            Act::AssessmentRecorded(AssessmentRecorded {
                assessment: Some(assessment.clone()),
            })
        }
        Change::Grant(skill) => {
            staff.skill = Some(skill.clone());
            Act::SkillGranted(SkillGranted {
                skill: Some(skill.clone()),
            })
        }
        Change::Revoke(reason) => {
            if staff.skill.take().is_none() {
                return Err(Refusal::precondition(
                    "SKILL_MISSING",
                    "BB-6.3",
                    "该人员没有已认定的技能",
                    "the person has no skill to take back",
                ));
            }
            Act::SkillRevoked(SkillRevoked {
                reason: reason.to_owned(),
            })
        }
        Change::Suspend(reason) => {
            if status != StaffStatus::Active {
                return Err(not_active());
            }
            staff.status = StaffStatus::Suspended as i32;
            Act::StaffSuspended(StaffSuspended {
                reason: reason.to_owned(),
            })
        }
        Change::Reinstate(reason) => {
            if status != StaffStatus::Suspended {
                return Err(Refusal::precondition(
                    "STAFF_NOT_SUSPENDED",
                    "BB-5.2",
                    "该人员没有被停岗",
                    "the person is not suspended",
                ));
            }
            staff.status = StaffStatus::Active as i32;
            Act::StaffReinstated(StaffReinstated {
                reason: reason.to_owned(),
            })
        }
        Change::Dismiss(reason) => {
            staff.status = StaffStatus::Left as i32;
            Act::StaffDismissed(StaffDismissed {
                reason: reason.to_owned(),
            })
        }
        Change::Declare(conflict) => {
            staff
                .conflicts
                .retain(|c| c.applicant != conflict.applicant);
            staff.conflicts.push(conflict.clone());
            Act::ConflictDeclared(ConflictDeclared {
                conflict: Some(conflict.clone()),
            })
        }
    };
    Ok((act, staff))
}

fn not_ahead(date: NaiveDate, today: NaiveDate, field: &str) -> Result<(), Refusal> {
    if date <= today {
        return Ok(());
    }
    Err(Refusal::invalid(
        "DATE_IN_FUTURE",
        "BB-5.2",
        "日期晚于今天",
        "the day lies in the future",
    )
    .field(field, "lies in the future"))
}

/// STAFF_NOT_ACTIVE.
#[must_use]
pub fn not_active() -> Refusal {
    Refusal::precondition(
        "STAFF_NOT_ACTIVE",
        "BB-5.2",
        "该人员已停岗或离岗，不能派件",
        "the person is suspended or has left",
    )
}

/// STAFF_UNKNOWN.
#[must_use]
pub fn staff_unknown() -> Refusal {
    Refusal::not_found(
        "STAFF_UNKNOWN",
        "BB-5.2",
        "没有该人员",
        "there is no such member of staff",
    )
}

/// STAFF_EXISTS.
#[must_use]
pub fn staff_exists() -> Refusal {
    Refusal::exists(
        "STAFF_EXISTS",
        "",
        "该人员标识已被使用",
        "there is a member of staff with this id",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day")
    }

    fn agent(status: StaffStatus) -> Staff {
        Staff {
            id: "a".into(),
            status: status as i32,
            ..Staff::default()
        }
    }

    #[test]
    fn status_changes_in_order_and_refusals_cite_the_team_rule() {
        let (_, suspended) =
            change(agent(StaffStatus::Active), Change::Suspend("x"), today()).expect("suspended");
        assert_eq!(suspended.status(), StaffStatus::Suspended);
        let refused =
            change(suspended.clone(), Change::Suspend("x"), today()).expect_err("refused");
        assert_eq!(
            (refused.reason, refused.requirement),
            ("STAFF_NOT_ACTIVE", "BB-5.2")
        );
        let (_, active) = change(suspended, Change::Reinstate("x"), today()).expect("reinstated");
        let refused = change(active, Change::Reinstate("x"), today()).expect_err("refused");
        assert_eq!(
            (refused.reason, refused.requirement),
            ("STAFF_NOT_SUSPENDED", "BB-5.2")
        );
        assert!(change(agent(StaffStatus::Left), Change::Dismiss("x"), today()).is_err());
    }

    #[test]
    fn a_training_is_neither_reversed_nor_ahead() {
        let train = |completed: &str, until: &str| {
            let training = Training {
                completed_on: completed.into(),
                valid_until: until.into(),
                ..Training::default()
            };
            change(
                agent(StaffStatus::Active),
                Change::Train(&training),
                today(),
            )
            .map_err(|r| r.reason)
        };
        assert!(train("2026-11-24", "2027-11-24").is_ok());
        assert_eq!(
            train("2026-11-24", "2026-11-23").expect_err("refused"),
            "DATES_REVERSED"
        );
        assert_eq!(
            train("2026-11-25", "2027-11-23").expect_err("refused"),
            "DATE_IN_FUTURE"
        );
        assert_eq!(
            train("2026-02-30", "2027-11-23").expect_err("refused"),
            "DATE_IMPOSSIBLE"
        );
    }
}
