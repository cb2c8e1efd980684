//! Who may be given a matter: answered from the rows, right at once.

use bangban_proto::bangban::{
    clock::v1::{AdvanceClockRequest, clock_service_server::ClockService as _},
    directory::v1::{
        applicant_service_server::ApplicantService as _, site_service_server::SiteService as _,
        staff_service_server::StaffService as _, *,
    },
    types::v1::{Channel, SpecialGroup, Tier},
};

use crate::instance::*;

on_both! {
    bb_5_2_suspension_reinstatement_and_leaving_decide_at_once
    bb_6_2_without_training_that_counts_today_nobody_is_given_a_case
    bb_6_2_a_training_ends_to_count_as_time_goes_by
    bb_6_3_items_and_channels_gate_assignment
    bb_6_1_nobody_is_given_a_case_of_a_relative
    bb_7_1_1_the_answer_tells_groups_and_what_a_case_needs
    bb_1_the_scope_is_checked_before_anything_is_told
    what_is_not_there_is_named_in_order
}

async fn start(at: &Instance) -> CheckAssignmentRequest {
    at.open_sites().await;
    at.agent("agent", "town").await;
    assignment(&at.register(lin()).await.id)
}

async fn bb_5_2_suspension_reinstatement_and_leaving_decide_at_once(at: &Instance) {
    let request = start(at).await;
    at.check(request.clone()).await.expect("assigned");
    let suspend = SuspendStaffRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        reason: "考核不合格".into(),
        etag: String::new(),
    };
    let suspended = at.directory.suspend_staff(by(&operator(), suspend)).await;
    suspended.expect("suspended");
    assert_eq!(
        refused(at.check(request.clone()).await),
        with("STAFF_NOT_ACTIVE", "BB-5.2")
    );
    let reinstate = ReinstateStaffRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        reason: "复核合格".into(),
        etag: String::new(),
    };
    let back = at.directory.reinstate_staff(by(&operator(), reinstate));
    back.await.expect("reinstated");
    at.check(request.clone()).await.expect("assigned again");
    let elsewhere = CheckAssignmentRequest {
        site: "village".into(),
        ..request.clone()
    };
    assert_eq!(
        refused(at.check(elsewhere).await),
        with("STAFF_OF_ANOTHER_SITE", "BB-5.2")
    );
    let dismiss = DismissStaffRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        reason: "离职".into(),
        etag: String::new(),
    };
    let dismissed = at.directory.dismiss_staff(by(&operator(), dismiss)).await;
    dismissed.expect("dismissed");
    assert_eq!(
        refused(at.check(request).await),
        with("STAFF_NOT_ACTIVE", "BB-5.2")
    );
}

async fn bb_6_2_without_training_that_counts_today_nobody_is_given_a_case(at: &Instance) {
    let request = start(at).await;
    at.enrol("new", "town").await;
    at.grant("new", &[], &[Channel::Window]).await;
    let new = CheckAssignmentRequest {
        staff: "new".into(),
        ..request
    };
    let missing = with("PRE_SERVICE_TRAINING_MISSING", "BB-6.2");
    assert_eq!(refused(at.check(new.clone()).await), missing);
    at.train("new", "2020-12-31").await;
    assert_eq!(refused(at.check(new.clone()).await), missing);
    at.train("new", "2099-12-31").await;
    at.check(new).await.expect("assigned");
}

async fn bb_6_2_a_training_ends_to_count_as_time_goes_by(at: &Instance) {
    let request = start(at).await;
    at.enrol("new", "town").await;
    at.grant("new", &[], &[Channel::Window]).await;
    let now = at.directory.store().now().await.expect("the time");
    let until = now.local().date_naive() + chrono::Days::new(30);
    at.train("new", &until.to_string()).await;
    let new = CheckAssignmentRequest {
        staff: "new".into(),
        ..request
    };
    at.check(new.clone()).await.expect("assigned");
    let advance = AdvanceClockRequest {
        request_id: id(),
        by: Some(prost_types::Duration {
            seconds: 31 * 86_400,
            nanos: 0,
        }),
        to: None,
    };
    let advanced = at.directory.advance_clock(by(&operator(), advance)).await;
    advanced.expect("advanced");
    assert_eq!(
        refused(at.check(new).await),
        with("PRE_SERVICE_TRAINING_MISSING", "BB-6.2")
    );
}

async fn bb_6_3_items_and_channels_gate_assignment(at: &Instance) {
    let request = start(at).await;
    let missing = with("SKILL_MISSING", "BB-6.3");
    let kiosk = CheckAssignmentRequest {
        channel: Channel::Kiosk as i32,
        ..request.clone()
    };
    assert_eq!(refused(at.check(kiosk.clone()).await), missing);
    let items = &["food-business-licence"];
    at.grant("agent", items, &[Channel::Kiosk, Channel::Window])
        .await;
    assert_eq!(refused(at.check(request.clone()).await), missing);
    let food = CheckAssignmentRequest {
        item: "food-business-licence".into(),
        ..kiosk
    };
    at.check(food.clone()).await.expect("assigned");
    let revoke = RevokeSkillRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        reason: "抽查不合格".into(),
        etag: String::new(),
    };
    let revoked = at.directory.revoke_skill(by(&operator(), revoke)).await;
    revoked.expect("revoked");
    assert_eq!(refused(at.check(food).await), missing);
}

async fn bb_6_1_nobody_is_given_a_case_of_a_relative(at: &Instance) {
    let request = start(at).await;
    let declare = DeclareConflictRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: "agent".into(),
        applicant: request.applicant.clone(),
        relation: "母亲".into(),
        etag: String::new(),
    };
    let agent = bangban_kit::identity::Caller {
        subject: "agent".into(),
        ..from_region("420527101")
    };
    let mut colleague = agent.clone();
    colleague.subject = "colleague".into();
    colleague.roles = vec![bangban_proto::bangban::options::v1::Role::Agent];
    let answer = at
        .directory
        .declare_conflict(by(&colleague, declare.clone()));
    assert_eq!(refused(answer.await), with("CONFLICT_OF_ANOTHER", "BB-6.1"));
    let declared = at.directory.declare_conflict(by(&agent, declare)).await;
    declared.expect("declared");
    assert_eq!(
        refused(at.check(request.clone()).await),
        with("CONFLICT_OF_INTEREST", "BB-6.1")
    );
    let other = RegisterApplicantRequest {
        document: "110101199003070134".into(),
        name: "方守义".into(),
        ..lin()
    };
    let stranger = CheckAssignmentRequest {
        applicant: at.register(other).await.id,
        ..request
    };
    at.check(stranger).await.expect("assigned");
}

async fn bb_7_1_1_the_answer_tells_groups_and_what_a_case_needs(at: &Instance) {
    at.open_sites().await;
    let hours = |weekday, opens: &str, closes: &str| OpeningHours {
        weekday,
        opens: opens.into(),
        closes: closes.into(),
    };
    let busy = at
        .create_site(Site {
            opening_hours: vec![
                hours(1, "14:00", "17:30"),
                hours(1, "08:30", "12:00"),
                hours(6, "09:00", "12:00"),
            ],
            ..site("busy", Tier::Town, "420527106")
        })
        .await;
    at.agent("agent", "busy").await;
    let person = at
        .register(RegisterApplicantRequest {
            groups: vec![SpecialGroup::Disabled as i32],
            ..lin()
        })
        .await;
    let request = CheckAssignmentRequest {
        site: "busy".into(),
        ..assignment(&person.id)
    };
    let told = at.check(request.clone()).await.expect("assigned");
    let told = told.into_inner();
    assert_eq!(told.applicant_mask, person.name_mask);
    let groups = [SpecialGroup::Elderly as i32, SpecialGroup::Disabled as i32];
    assert_eq!(told.groups, groups);
    assert_eq!(
        (told.region.as_str(), told.district_number),
        ("420527106", 42527)
    );
    assert_eq!(told.closing_times, ["17:30", "", "", "", "", "12:00", ""]);
    // Read from the rows: what changes is told with the next answer.
    let update = UpdateSiteRequest {
        district: DISTRICT.into(),
        request_id: id(),
        etag: busy.etag.clone(),
        site: Some(Site {
            opening_hours: vec![hours(7, "09:00", "16:00")],
            ..busy
        }),
    };
    let updated = at.directory.update_site(by(&operator(), update)).await;
    updated.expect("updated");
    let told = at.check(request.clone()).await.expect("assigned");
    assert_eq!(told.into_inner().closing_times[6], "16:00");
    let erase = EraseApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: person.id,
        reason: "本人要求".into(),
        etag: "1".into(),
    };
    let erased = at.directory.erase_applicant(by(&operator(), erase)).await;
    erased.expect("erased");
    assert_eq!(
        refused(at.check(request).await),
        with("APPLICANT_ERASED", "")
    );
}

async fn bb_1_the_scope_is_checked_before_anything_is_told(at: &Instance) {
    let request = start(at).await;
    for region in ["42", "420527", "420527102"] {
        let caller = from_region(region);
        let answer = at.directory.check_assignment(by(&caller, request.clone()));
        answer.await.expect("a case may come from another site");
    }
    let unknown = CheckAssignmentRequest {
        staff: "nobody".into(),
        ..request
    };
    for region in ["420528", "43", "420528101"] {
        let caller = from_region(region);
        let answer = at.directory.check_assignment(by(&caller, unknown.clone()));
        assert_eq!(
            refused(answer.await),
            with("SCOPE_OUTSIDE_DISTRICT", "BB-1")
        );
    }
}

async fn what_is_not_there_is_named_in_order(at: &Instance) {
    let request = CheckAssignmentRequest {
        applicant: id(),
        ..assignment("")
    };
    assert_eq!(
        refused(at.check(request.clone()).await),
        with("DISTRICT_UNKNOWN", "")
    );
    at.found_district().await;
    assert_eq!(
        refused(at.check(request.clone()).await),
        with("STAFF_UNKNOWN", "BB-5.2")
    );
    at.create_site(site("county", Tier::County, "420527")).await;
    at.agent("agent", "county").await;
    assert_eq!(
        refused(at.check(request.clone()).await),
        with("SITE_UNKNOWN", "BB-1")
    );
    at.create_site(site("town", Tier::Town, "420527101")).await;
    assert_eq!(
        refused(at.check(request).await),
        with("APPLICANT_UNKNOWN", "")
    );
}
