//! The agent team on record.

use bangban_proto::bangban::{
    directory::v1::{staff_service_server::StaffService as _, *},
    options::v1::Role,
    types::v1::Channel,
};

use crate::instance::*;

on_both! {
    bb_5_2_training_assessments_and_status_are_on_record
    bb_5_2_a_stale_etag_overwrites_nothing
    an_id_is_taken_wherever_in_the_district
    a_repeated_request_gives_the_first_answer
}

fn assess(assessed_on: &str, etag: &str) -> RecordAssessmentRequest {
    RecordAssessmentRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        assessment: Some(Assessment {
            assessed_on: assessed_on.into(),
            score: 92,
            remark: "优秀".into(),
        }),
        etag: etag.into(),
    }
}

async fn read(at: &Instance) -> Staff {
    let request = GetStaffRequest {
        district: DISTRICT.into(),
        staff: "agent".into(),
        after: String::new(),
    };
    let answer = at.directory.get_staff(by(&operator(), request)).await;
    answer.expect("read").into_inner()
}

async fn bb_5_2_training_assessments_and_status_are_on_record(at: &Instance) {
    at.open_sites().await;
    at.agent("agent", "town").await;
    let assessed = assess("2026-01-31", "");
    let answer = at.directory.record_assessment(by(&operator(), assessed));
    answer.await.expect("recorded");
    let ahead = at
        .directory
        .record_assessment(by(&operator(), assess("2099-01-31", "")));
    assert_eq!(refused(ahead.await), with("DATE_IN_FUTURE", "BB-5.2"));
    let agent = read(at).await;
    assert_eq!(agent.status(), StaffStatus::Active);
    assert_eq!(agent.region, "420527101");
    assert_eq!((agent.trainings.len(), agent.assessments[0].score), (1, 92));
    let reversed = RecordTrainingRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        training: Some(Training {
            kind: TrainingKind::Continuing as i32,
            completed_on: "2026-01-31".into(),
            valid_until: "2026-01-30".into(),
            certificate: "1".into(),
        }),
        etag: String::new(),
    };
    let answer = at.directory.record_training(by(&operator(), reversed));
    assert_eq!(refused(answer.await), with("DATES_REVERSED", "BB-6.2"));
    let reinstate = ReinstateStaffRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        reason: "x".into(),
        etag: String::new(),
    };
    let answer = at.directory.reinstate_staff(by(&operator(), reinstate));
    assert_eq!(refused(answer.await), with("STAFF_NOT_SUSPENDED", "BB-5.2"));
}

async fn bb_5_2_a_stale_etag_overwrites_nothing(at: &Instance) {
    at.open_sites().await;
    let before = at.enrol("agent", "town").await;
    at.grant("agent", &[], &[Channel::Window]).await;
    let answer = at
        .directory
        .record_assessment(by(&operator(), assess("2026-01-31", &before.etag)));
    assert_eq!(refused(answer.await), with("STALE_ETAG", "BB-8d"));
    let now = read(at).await;
    assert!(now.assessments.is_empty());
    let answer = at
        .directory
        .record_assessment(by(&operator(), assess("2026-01-31", &now.etag)));
    answer.await.expect("recorded");
}

async fn an_id_is_taken_wherever_in_the_district(at: &Instance) {
    at.open_sites().await;
    at.enrol("agent", "town").await;
    let again = EnrolStaffRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: Some(Staff {
            id: "agent".into(),
            name: "别人".into(),
            site: "other-town".into(),
            roles: vec![Role::Agent as i32],
            ..Staff::default()
        }),
    };
    // Who cannot see the other one is refused all the same.
    let caller = from_region("420527102");
    let answer = at.directory.enrol_staff(by(&caller, again.clone())).await;
    assert_eq!(refused(answer), with("STAFF_EXISTS", ""));
    let elsewhere = EnrolStaffRequest {
        request_id: id(),
        staff: again.staff.map(|s| Staff {
            id: "new".into(),
            site: "town".into(),
            ..s
        }),
        ..again
    };
    let answer = at.directory.enrol_staff(by(&caller, elsewhere)).await;
    assert_eq!(refused(answer), with("SITE_UNKNOWN", "BB-1"));
}

async fn a_repeated_request_gives_the_first_answer(at: &Instance) {
    at.open_sites().await;
    at.enrol("agent", "town").await;
    let request = assess("2026-01-31", "");
    let once = at
        .directory
        .record_assessment(by(&operator(), request.clone()));
    let once = once.await.expect("recorded").into_inner();
    at.grant("agent", &[], &[Channel::Window]).await;
    let again = at
        .directory
        .record_assessment(by(&operator(), request.clone()));
    assert_eq!(again.await.expect("repeated").into_inner(), once);
    let other = RecordAssessmentRequest {
        assessment: None,
        ..request
    };
    let answer = at.directory.record_assessment(by(&operator(), other)).await;
    assert_eq!(refused(answer), with("REQUEST_ID_REUSED", ""));
    assert_eq!(read(at).await.assessments.len(), 1);
}
