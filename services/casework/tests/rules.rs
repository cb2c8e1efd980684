//! The rules of an assisted case: each requirement with what it allows and what it refuses, and properties over random
//! histories. No I/O.

use bangban_calendar::Calendar;
use bangban_casework::{
    domain::{
        Act, Outside, clock, complete, consent, contact, department, fold, material, mode, notice,
        opening, outcome,
        outside::timestamp,
        responsibility::{self, Who},
    },
    tasks,
};
use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::{
    casework::v1::{self as v1, Case, CaseState, ConsentForm, ConsentKind, ModeStep, SupplyForm},
    directory::v1::{
        CheckAssignmentResponse, ClockStop, Condition, Department, ItemLimit, ItemVersion,
        LimitName, LimitOwner, LimitStart, Material,
    },
    options::v1::Role,
    types::v1::{Channel, Tier, TimeUnit},
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

fn item() -> ItemVersion {
    let limit = |name: LimitName, amount, starts: LimitStart, owner: LimitOwner| ItemLimit {
        name: name.into(),
        amount,
        unit: TimeUnit::WorkingDay.into(),
        starts: starts.into(),
        owner: owner.into(),
        citation: "a rule".to_owned(),
    };
    let material = |code: &str, is_on_the_spot| Material {
        code: code.to_owned(),
        name: code.to_owned(),
        how_to_get: "at the office".to_owned(),
        is_required: true,
        is_on_the_spot,
        ..Material::default()
    };
    ItemVersion {
        code: "old-age-allowance".to_owned(),
        version: 1,
        name: "高龄津贴".to_owned(),
        effective_from: "2026-01-01".to_owned(),
        department: "civil-affairs".to_owned(),
        conditions: vec![Condition {
            code: "AGE_80".to_owned(),
            text: "80".to_owned(),
            citation: "a rule".to_owned(),
        }],
        limits: vec![
            limit(
                LimitName::Completeness,
                5,
                LimitStart::Filing,
                LimitOwner::Department,
            ),
            limit(
                LimitName::PromisedDecision,
                10,
                LimitStart::Acceptance,
                LimitOwner::Department,
            ),
            limit(
                LimitName::Extension,
                5,
                LimitStart::Acceptance,
                LimitOwner::Department,
            ),
            limit(
                LimitName::Delivery,
                1,
                LimitStart::Event,
                LimitOwner::Institution,
            ),
            limit(
                LimitName::Contact,
                0,
                LimitStart::Event,
                LimitOwner::Institution,
            ),
        ],
        clock_stops: vec![ClockStop {
            code: "EXPERT_REVIEW".to_owned(),
            citation: "行政许可法 art. 45".to_owned(),
        }],
        materials: vec![material("form", true), material("identity-card", false)],
        channels: vec![Channel::Window.into(), Channel::Online.into()],
        tiers: vec![Tier::Village.into()],
        ..ItemVersion::default()
    }
}

/// A case, the time, and the one who acts.
struct Story {
    case: Case,
    now: DateTime<Utc>,
    caller: Caller,
    calendar: Calendar,
    item: ItemVersion,
    department: Department,
    earlier: Option<Case>,
}

impl Story {
    /// Opened on Monday, 2026-03-02, at ten.
    fn opened() -> Self {
        let caller = Caller {
            subject: "li-na".to_owned(),
            roles: vec![Role::Agent],
            ..Caller::public()
        };
        let mut story = Self {
            case: Case::default(),
            now: "2026-03-02T02:00:00Z".parse().expect("an instant"),
            caller,
            calendar: Calendar::national(),
            item: item(),
            department: Department {
                id: "civil-affairs".to_owned(),
                ..Department::default()
            },
            earlier: None,
        };
        let acts = story.open(Channel::Online).expect("opened");
        story.apply(acts);
        story
    }

    fn outside(&self) -> Outside<'_> {
        Outside {
            now: self.now,
            caller: &self.caller,
            calendar: &self.calendar,
            item: &self.item,
            department: &self.department,
            earlier: self.earlier.as_ref(),
        }
    }

    fn open(&self, mode: Channel) -> Result<Vec<Act>, Refusal> {
        let request = v1::OpenCaseRequest {
            district: "zigui".to_owned(),
            item: "old-age-allowance".to_owned(),
            site: "station".to_owned(),
            channel: Channel::Window.into(),
            mode: mode.into(),
            kind: v1::CaseKind::Assist.into(),
            ..v1::OpenCaseRequest::default()
        };
        let assignment = CheckAssignmentResponse {
            region: "420527100001".to_owned(),
            closing_times: ["17:30", "17:30", "17:30", "17:30", "16:00", "", ""]
                .map(str::to_owned)
                .to_vec(),
            ..CheckAssignmentResponse::default()
        };
        opening::open(
            "c1".to_owned(),
            "42527-0000-0001-0".to_owned(),
            &request,
            &assignment,
            &self.outside(),
        )
    }

    fn apply(&mut self, acts: Vec<Act>) {
        for act in acts {
            fold::apply(&mut self.case, &act, timestamp(self.now), false);
        }
    }

    fn does<R>(
        &mut self,
        decide: fn(&Case, &R, &Outside<'_>) -> Result<Vec<Act>, Refusal>,
        request: R,
    ) {
        let acts = decide(&self.case, &request, &self.outside()).expect("allowed");
        self.apply(acts);
    }

    #[track_caller]
    fn refused<R>(
        &self,
        decide: fn(&Case, &R, &Outside<'_>) -> Result<Vec<Act>, Refusal>,
        request: R,
        reason: &str,
        requirement: &str,
    ) {
        let refusal = decide(&self.case, &request, &self.outside()).expect_err("refused");
        assert_eq!((refusal.reason, refusal.requirement), (reason, requirement));
        assert!(!refusal.zh.is_empty() && !refusal.en.is_empty());
    }

    fn told_and_consented() -> Self {
        let mut story = Self::opened();
        story.does(notice::give, v1::GiveNoticeRequest::default());
        story.does(consent::record, consenting(ConsentKind::Assistance));
        story
    }

    fn filed() -> Self {
        let mut story = Self::told_and_consented();
        story.does(material::take, take("form", SupplyForm::OnTheSpot));
        story.does(material::take, take("identity-card", SupplyForm::Brought));
        story.does(material::pass_pre_check, v1::PassPreCheckRequest::default());
        for step in mode::steps(Channel::Online, false) {
            story.does(mode::record_step, step_request(step));
        }
        story.does(
            department::file,
            v1::FileApplicationRequest {
                applicant_signed: true,
                ..Default::default()
            },
        );
        story
    }

    fn accepted() -> Self {
        let mut story = Self::filed();
        story.does(
            department::status,
            v1::ReportDepartmentStatusRequest {
                number: "M-1".to_owned(),
                status: "received".to_owned(),
                ..Default::default()
            },
        );
        let at = timestamp(story.now);
        story.does(
            department::accept,
            v1::ReportAcceptanceRequest {
                accepted_at: Some(at),
                ..Default::default()
            },
        );
        story
    }

    fn delivered() -> Self {
        let mut story = Self::accepted();
        let at = timestamp(story.now);
        story.does(
            department::decide,
            v1::ReportDecisionRequest {
                outcome: v1::DecisionOutcome::Granted.into(),
                decided_at: Some(at),
                ..Default::default()
            },
        );
        story.does(
            outcome::deliver,
            v1::DeliverResultRequest {
                means: v1::DeliveryMeans::InPerson.into(),
                identity_check: "identity card seen".to_owned(),
                ..Default::default()
            },
        );
        story
    }
}

fn consenting(kind: ConsentKind) -> v1::RecordConsentRequest {
    v1::RecordConsentRequest {
        kind: kind.into(),
        form: ConsentForm::Written.into(),
        ..Default::default()
    }
}

fn take(material: &str, supply: SupplyForm) -> v1::TakeMaterialRequest {
    v1::TakeMaterialRequest {
        material: material.to_owned(),
        supply: supply.into(),
        is_valid: true,
        ..Default::default()
    }
}

fn step_request(step: ModeStep) -> v1::RecordModeStepRequest {
    v1::RecordModeStepRequest {
        step: step.into(),
        ..Default::default()
    }
}

fn missing(codes: &[&str]) -> v1::ListMissingMaterialsRequest {
    let line = |code: &&str| v1::MissingMaterial {
        code: (*code).to_owned(),
        reason: "not there".to_owned(),
        ..Default::default()
    };
    v1::ListMissingMaterialsRequest {
        materials: codes.iter().map(line).collect(),
        ..Default::default()
    }
}

#[test]
fn bb_4_1a_nothing_is_done_without_consent_and_it_can_be_withdrawn_at_any_time() {
    let mut story = Story::opened();
    story.refused(
        material::take,
        take("form", SupplyForm::Brought),
        "CONSENT_MISSING",
        "BB-4.1a",
    );
    story.refused(
        consent::record,
        consenting(ConsentKind::Assistance),
        "NOTICE_MISSING",
        "BB-4.4a",
    );
    story.does(notice::give, v1::GiveNoticeRequest::default());
    let oral = |witness: &str| v1::RecordConsentRequest {
        form: ConsentForm::Oral.into(),
        witness: witness.to_owned(),
        ..consenting(ConsentKind::Assistance)
    };
    story.refused(consent::record, oral(""), "WITNESS_MISSING", "BB-4.1a");
    story.refused(
        consent::record,
        oral("li-na"),
        "WITNESS_IS_AGENT",
        "BB-4.1a",
    );
    story.does(consent::record, oral("neighbour"));
    story.does(
        consent::withdraw,
        v1::WithdrawConsentRequest {
            kind: ConsentKind::Assistance.into(),
            ..Default::default()
        },
    );
    assert_eq!(story.case.state(), CaseState::Ended);
    story.refused(
        material::take,
        take("form", SupplyForm::Brought),
        "OUT_OF_ORDER",
        "BB-8d",
    );
}

#[test]
fn bb_4_4a_the_notice_is_given_once_and_kept_as_given() {
    let mut story = Story::opened();
    let acts = notice::give(
        &story.case,
        &v1::GiveNoticeRequest::default(),
        &story.outside(),
    )
    .expect("given");
    let Some(Act::NoticeGiven(given)) = acts.first() else {
        panic!("a notice")
    };
    assert_eq!(
        given.notice.as_ref().and_then(|n| n.item.clone()),
        Some(item())
    );
    story.apply(acts);
    story.refused(
        notice::give,
        v1::GiveNoticeRequest::default(),
        "NOTICE_ALREADY_GIVEN",
        "BB-4.4a",
    );
}

#[test]
fn bb_4_4b_an_unmet_condition_is_explained_and_the_applicant_may_still_file() {
    let mut story = Story::told_and_consented();
    let explain = |condition: &str| v1::ExplainConditionRequest {
        condition: condition.to_owned(),
        files_anyway: true,
        ..Default::default()
    };
    story.refused(
        notice::explain,
        explain("HEIGHT"),
        "CONDITION_UNKNOWN",
        "BB-4.4b",
    );
    story.does(notice::explain, explain("AGE_80"));
    assert_eq!(story.case.state(), CaseState::Open);
    assert!(story.case.explanations[0].files_anyway);
}

#[test]
fn bb_10_1_2_1_2_everything_missing_is_listed_once_and_a_second_list_is_a_breach() {
    let mut story = Story::told_and_consented();
    story.refused(
        material::list_missing,
        missing(&["form"]),
        "LIST_INCOMPLETE",
        "BB-10.1.2.1.2",
    );
    story.refused(
        material::list_missing,
        missing(&["moon"]),
        "MATERIAL_UNKNOWN",
        "BB-4.4a",
    );
    story.does(material::list_missing, missing(&["form", "identity-card"]));
    assert!(story.case.breaches.is_empty());
    let changed = v1::ListMissingMaterialsRequest {
        changed_facts: "the card was lost".to_owned(),
        ..missing(&["form", "identity-card"])
    };
    story.does(material::list_missing, changed);
    assert!(
        story.case.breaches.is_empty(),
        "changed facts make a later list lawful"
    );
    story.does(material::list_missing, missing(&["form", "identity-card"]));
    assert_eq!(
        story.case.missing_lists.len(),
        3,
        "a second list is written, never suppressed"
    );
    assert_eq!(story.case.breaches[0].subject, "li-na");
    assert_eq!(story.case.breaches[0].requirement, "BB-10.1.2.1.2");
    story.refused(
        material::take,
        take("identity-card", SupplyForm::OnTheSpot),
        "NOT_ON_THE_SPOT",
        "BB-10.1.2.1.2",
    );
    story.refused(
        material::pass_pre_check,
        v1::PassPreCheckRequest::default(),
        "MATERIALS_MISSING",
        "BB-10.1.2.1.2",
    );
}

#[test]
fn bb_10_1_2_each_mode_has_its_steps_and_teaching_needs_consent() {
    let mut story = Story::told_and_consented();
    story.refused(
        mode::record_step,
        step_request(ModeStep::Printed),
        "STEP_NOT_OF_MODE",
        "BB-10.1.2",
    );
    story.refused(
        mode::record_step,
        step_request(ModeStep::Taught),
        "CONSENT_MISSING",
        "BB-10.1.2.2",
    );
    story.does(consent::record, consenting(ConsentKind::SelfGuided));
    story.does(mode::record_step, step_request(ModeStep::Taught));
    assert_eq!(
        story.open(Channel::Kiosk).expect_err("refused").reason,
        "CHANNEL_NOT_OFFERED"
    );
    assert_eq!(mode::steps(Channel::Window, false), [ModeStep::Accompanied]);
}

#[test]
fn bb_3_1_in_assistance_the_applicant_signs() {
    let mut story = Story::told_and_consented();
    let sign = |applicant_signed| v1::FileApplicationRequest {
        applicant_signed,
        ..Default::default()
    };
    story.refused(department::file, sign(true), "OUT_OF_ORDER", "BB-8d");
    story.does(material::take, take("form", SupplyForm::OnTheSpot));
    story.does(material::take, take("identity-card", SupplyForm::Brought));
    story.does(material::pass_pre_check, v1::PassPreCheckRequest::default());
    story.refused(department::file, sign(false), "SIGNATURE_MISSING", "BB-3.1");
    story.refused(
        department::file,
        sign(true),
        "MODE_STEPS_MISSING",
        "BB-10.1.2",
    );
}

#[test]
fn bb_8a_the_decision_is_due_in_working_days_from_acceptance() {
    let story = Story::accepted();
    let decision = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .expect("a clock");
    // Ten working days from Monday 2026-03-02, which does not count: the end of Monday 2026-03-16.
    let due = decision.due_at.as_ref().map(|t| t.seconds);
    let expected: DateTime<Utc> = "2026-03-16T16:00:00Z".parse().expect("an instant");
    assert_eq!(due, Some(expected.timestamp()));
    let completeness = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "completeness")
        .expect("a clock");
    assert!(
        completeness.ended_at.is_some(),
        "acceptance ends the limit for completeness"
    );
}

#[test]
fn bb_8a_a_clock_stops_only_on_a_cited_ground_and_is_extended_once() {
    let mut story = Story::accepted();
    let stop = |code: &str| v1::StopClockRequest {
        code: code.to_owned(),
        ..Default::default()
    };
    story.refused(
        department::stop,
        stop("LUNCH"),
        "STOP_WITHOUT_GROUND",
        "BB-8a",
    );
    story.refused(
        department::resume,
        v1::ResumeClockRequest::default(),
        "CLOCK_NOT_STOPPED",
        "BB-8a",
    );
    let before = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .and_then(|c| c.due_at);
    story.now += TimeDelta::days(1);
    story.does(department::stop, stop("EXPERT_REVIEW"));
    assert_eq!(
        story
            .case
            .clocks
            .iter()
            .find(|c| c.id == "decision")
            .and_then(|c| c.due_at),
        None
    );
    story.now += TimeDelta::days(7);
    story.does(department::resume, v1::ResumeClockRequest::default());
    let after = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .and_then(|c| c.due_at);
    assert!(
        after.map(|t| t.seconds) > before.map(|t| t.seconds),
        "no time passes while it stands still"
    );
    story.does(department::extend, v1::ExtendDecisionRequest::default());
    story.refused(
        department::extend,
        v1::ExtendDecisionRequest::default(),
        "ALREADY_EXTENDED",
        "BB-8a",
    );
}

#[test]
fn bb_10_1_3_delivery_checks_who_receives_and_post_is_received_when_it_is() {
    let mut story = Story::accepted();
    let at = timestamp(story.now);
    let decide = |outcome: v1::DecisionOutcome| v1::ReportDecisionRequest {
        outcome: outcome.into(),
        decided_at: Some(at),
        ..Default::default()
    };
    story.refused(
        department::decide,
        decide(v1::DecisionOutcome::Refused),
        "REMEDIES_MISSING",
        "BB-4.4a",
    );
    story.does(department::decide, decide(v1::DecisionOutcome::Granted));
    let by = |means: v1::DeliveryMeans| v1::DeliverResultRequest {
        means: means.into(),
        ..Default::default()
    };
    story.refused(
        outcome::deliver,
        by(v1::DeliveryMeans::InPerson),
        "IDENTITY_CHECK_MISSING",
        "BB-10.1.3",
    );
    story.refused(
        outcome::deliver,
        by(v1::DeliveryMeans::Post),
        "TRACKING_MISSING",
        "BB-10.1.3",
    );
    story.does(
        outcome::deliver,
        v1::DeliverResultRequest {
            carrier: "EMS".to_owned(),
            tracking_number: "E1".to_owned(),
            ..by(v1::DeliveryMeans::Post)
        },
    );
    assert!(
        complete::gaps(&story.case)
            .iter()
            .any(|g| g.reason == "DELIVERY"),
        "sent is not received"
    );
    story.now += TimeDelta::days(2);
    let at = timestamp(story.now);
    story.does(
        outcome::confirm,
        v1::ConfirmReceiptRequest {
            received_at: Some(at),
            ..Default::default()
        },
    );
    assert!(
        !complete::gaps(&story.case)
            .iter()
            .any(|g| g.reason == "DELIVERY")
    );
}

#[test]
fn bb_10_1_4_the_prompt_goes_out_once_and_bb_8d_nothing_is_filed_away_incomplete() {
    let mut story = Story::delivered();
    story.refused(
        outcome::file_away,
        v1::FileAwayRequest::default(),
        "RECORD_INCOMPLETE",
        "BB-8d",
    );
    story.does(outcome::prompt, v1::PromptEvaluationRequest::default());
    story.refused(
        outcome::prompt,
        v1::PromptEvaluationRequest::default(),
        "ALREADY_PROMPTED",
        "BB-10.1.4",
    );
    story.does(outcome::file_away, v1::FileAwayRequest::default());
    assert_eq!(story.case.state(), CaseState::FiledAway);
    story.refused(outcome::correct, correction(10_000), "ACT_UNKNOWN", "BB-8d");
    story.does(outcome::correct, correction(1));
    assert_eq!(story.case.state(), CaseState::FiledAway);
}

fn correction(act: u64) -> v1::RecordCorrectionRequest {
    v1::RecordCorrectionRequest {
        act,
        ..Default::default()
    }
}

#[test]
fn bb_4_2a_responsibility_moves_only_when_the_receiver_accepts() {
    let mut story = Story::opened();
    let offer = v1::OfferHandoverRequest {
        to_agent: "wang".to_owned(),
        to_site: "town".to_owned(),
        ..Default::default()
    };
    story.does(responsibility::offer, offer.clone());
    assert_eq!(story.case.agent, "li-na");
    story.refused(responsibility::offer, offer, "HANDOVER_PENDING", "BB-4.2a");
    let stranger = Caller {
        subject: "zhao".to_owned(),
        roles: vec![Role::Agent],
        ..Caller::public()
    };
    assert_eq!(
        responsibility::may(Who::Receiver, &story.case, &stranger)
            .expect_err("refused")
            .reason,
        "NOT_THE_RECEIVER"
    );
    assert_eq!(
        responsibility::may(Who::Responsible, &story.case, &stranger)
            .expect_err("refused")
            .reason,
        "NOT_RESPONSIBLE"
    );
    let acts = responsibility::accept(
        &story.case,
        &v1::AcceptHandoverRequest::default(),
        &CheckAssignmentResponse {
            region: "420527101".to_owned(),
            ..CheckAssignmentResponse::default()
        },
    )
    .expect("accepted");
    story.apply(acts);
    assert_eq!(
        (story.case.agent.as_str(), story.case.region.as_str()),
        ("wang", "420527101")
    );
}

#[test]
fn bb_8d_a_reported_instant_is_neither_in_the_future_nor_before_its_turn() {
    let story = Story::filed();
    let accept = |days: i64| v1::ReportAcceptanceRequest {
        accepted_at: Some(timestamp(story.now + TimeDelta::days(days))),
        ..Default::default()
    };
    story.refused(department::accept, accept(1), "TIME_IN_FUTURE", "BB-8d");
    story.refused(department::accept, accept(-1), "TIME_TOO_EARLY", "BB-8d");
}

#[test]
fn bb_4_1c_what_is_held_is_used_again_with_consent_while_it_is_good() {
    let mut story = Story::told_and_consented();
    let reused = v1::TakeMaterialRequest {
        reused_from: "c0".to_owned(),
        ..take("identity-card", SupplyForm::Reused)
    };
    story.refused(material::take, reused.clone(), "CONSENT_MISSING", "BB-4.1c");
    story.does(consent::record, consenting(ConsentKind::Reuse));
    // No such case.
    story.refused(
        material::take,
        reused.clone(),
        "REUSE_NOT_POSSIBLE",
        "BB-4.1c",
    );
    story.item.materials[1].reusable_for_days = 30;
    let held = v1::CaseMaterial {
        code: "identity-card".to_owned(),
        is_present: true,
        is_valid: true,
        copies: 1,
        taken_at: Some(timestamp(story.now - TimeDelta::days(30))),
        ..Default::default()
    };
    let earlier = Case {
        id: "c0".to_owned(),
        materials: vec![held],
        ..Case::default()
    };
    let with = |change: fn(&mut Case)| {
        let mut earlier = earlier.clone();
        change(&mut earlier);
        Some(earlier)
    };
    for (change, why) in [
        (
            (|c| c.applicant = "another".to_owned()) as fn(&mut Case),
            "somebody else's",
        ),
        (|c| c.materials[0].is_valid = false, "not valid"),
        (
            |c| c.materials[0].taken_at.as_mut().expect("taken").seconds -= 86_400,
            "too old",
        ),
        (|c| c.materials.clear(), "never taken"),
        (|c| c.id = "c1".to_owned(), "the same case"),
    ] {
        story.earlier = with(change);
        let refusal = material::take(&story.case, &reused, &story.outside()).expect_err(why);
        assert_eq!(refusal.reason, "REUSE_NOT_POSSIBLE", "{why}");
    }
    story.earlier = with(|_| ());
    story.does(material::take, reused);
    assert_eq!(story.case.materials[0].reused_from, "c0");
}

#[test]
fn bx_3_an_open_clock_is_counted_anew_and_says_why() {
    let mut story = Story::accepted();
    let before = clock::open(&story.case, "decision").expect("runs").due_at;
    let flood = bangban_calendar::Override {
        date: "2026-03-05".parse().expect("a date"),
        kind: bangban_calendar::OverrideKind::Rest,
        name: "flood".to_owned(),
        citation: "a notice".to_owned(),
    };
    let calendar = Calendar::national().with_overrides([flood]).expect("sound");
    let recounted = |case: &Case, why: &str| -> Vec<Act> {
        let moved =
            bangban_limits::clock::recounted(&case.clocks, why, &calendar).expect("counted");
        moved.into_iter().map(Act::ClockRecomputed).collect()
    };
    let acts = recounted(&story.case, "2026-03-05 flood");
    let moved: Vec<&Act> = acts
        .iter()
        .filter(|a| matches!(a, Act::ClockRecomputed(r) if r.clock == "decision"))
        .collect();
    assert_eq!(moved.len(), 1, "{acts:?}");
    story.apply(acts);
    let clock = clock::open(&story.case, "decision").expect("runs");
    let recount = clock.recounts.last().expect("on record");
    assert_eq!((recount.before, recount.after), (before, clock.due_at));
    assert_eq!(
        (recount.reason.as_str(), recount.calendar_version.as_str()),
        ("2026-03-05 flood", calendar.version())
    );
    let days = |at: Option<prost_types::Timestamp>| at.expect("due").seconds / 86_400;
    assert_eq!(days(clock.due_at) - days(before), 1);
    // Counted once: nothing moves a second time, and a day outside the limit moves nothing.
    assert_eq!(recounted(&story.case, ""), []);
}

#[test]
fn bb_8a_a_limit_ends_with_what_was_done_in_time_and_reported_late() {
    let mut story = Story::accepted();
    let due = clock::open(&story.case, "decision")
        .and_then(|c| c.due_at)
        .expect("due");
    let decided_at = timestamp(story.now + TimeDelta::hours(1));
    story.now += TimeDelta::days(30);
    let breaches = tasks::due_acts(&story.case, story.now.timestamp());
    assert!(breaches.iter().any(|a| matches!(a, Act::BreachRecorded(_))));
    story.apply(breaches);
    story.does(
        department::decide,
        v1::ReportDecisionRequest {
            outcome: v1::DecisionOutcome::Granted.into(),
            decided_at: Some(decided_at),
            ..Default::default()
        },
    );
    let decision = story
        .case
        .clocks
        .iter()
        .find(|c| c.id == "decision")
        .expect("ran");
    assert_eq!(decision.ended_at, Some(decided_at));
    assert!(decided_at.seconds < due.seconds && !story.case.breaches.is_empty());
}

#[test]
fn bb_8a_our_own_limit_ends_when_the_site_closes() {
    let mut story = Story::told_and_consented();
    // Monday; the limit of a contact is the same working day.
    story.does(
        contact::open,
        v1::OpenContactRequest {
            reason: v1::ContactReason::Problem.into(),
            text: "a page is missing".to_owned(),
            ..Default::default()
        },
    );
    let due = clock::open(&story.case, "contact-1")
        .and_then(|c| c.due_at)
        .expect("due");
    assert_eq!(
        due,
        timestamp("2026-03-02T09:30:00Z".parse().expect("an instant"))
    );
}

proptest! {
    /// Whatever is tried in whatever order: one responsible agent, acts counted without gaps, every refusal with a
    /// requirement, nothing filed away incomplete.
    #[test]
    fn random_histories_keep_the_promises(commands in proptest::collection::vec((0..20_usize, 0..3_i64), 1..80)) {
        let mut story = Story::opened();
        for (command, days) in commands {
            story.now += TimeDelta::days(days);
            let at = Some(timestamp(story.now));
            let (case, outside) = (&story.case, story.outside());
            let decided = match command {
                0 => notice::give(case, &v1::GiveNoticeRequest::default(), &outside),
                1 | 2 => consent::record(case, &consenting(ConsentKind::Assistance), &outside),
                3 => material::take(case, &take("form", SupplyForm::OnTheSpot), &outside),
                4 => material::take(case, &take("identity-card", SupplyForm::Brought), &outside),
                5 => material::list_missing(case, &missing(&["form", "identity-card"]), &outside),
                6 => material::pass_pre_check(case, &v1::PassPreCheckRequest::default(), &outside),
                7..=10 => mode::record_step(
                    case, &step_request(mode::steps(Channel::Online, false)[command - 7]), &outside),
                11 => department::file(
                    case, &v1::FileApplicationRequest { applicant_signed: true, ..Default::default() }, &outside),
                12 => department::accept(
                    case, &v1::ReportAcceptanceRequest { accepted_at: at, ..Default::default() }, &outside),
                13 => department::status(
                    case, &v1::ReportDepartmentStatusRequest { number: "M".to_owned(), ..Default::default() }, &outside),
                14 => department::decide(case, &v1::ReportDecisionRequest {
                    outcome: v1::DecisionOutcome::Granted.into(), decided_at: at, ..Default::default() }, &outside),
                15 => outcome::deliver(case, &v1::DeliverResultRequest {
                    means: v1::DeliveryMeans::InPerson.into(), identity_check: "seen".to_owned(),
                    ..Default::default() }, &outside),
                16 => outcome::prompt(case, &v1::PromptEvaluationRequest::default(), &outside),
                17 => outcome::file_away(case, &v1::FileAwayRequest::default(), &outside),
                18 => department::stop(
                    case, &v1::StopClockRequest { code: "EXPERT_REVIEW".to_owned(), ..Default::default() }, &outside),
                _ => department::resume(case, &v1::ResumeClockRequest::default(), &outside),
            };
            let before = story.case.act_count;
            match decided {
                Ok(acts) => {
                    let count = acts.len() as u64;
                    story.apply(acts);
                    prop_assert_eq!(story.case.act_count, before + count);
                }
                Err(refusal) => prop_assert!(refusal.requirement.starts_with("BB-"), "{}", refusal),
            }
            prop_assert_eq!(story.case.agent.as_str(), "li-na");
            if story.case.state() == CaseState::FiledAway {
                prop_assert!(complete::gaps(&story.case).is_empty());
            }
        }
    }
}
