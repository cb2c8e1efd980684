//! The first property of assisted cases: any command in any order, without a plan.

use bangban_casework::domain::{
    complete, consent, department, limit, material, mode, notice, outcome, outside::timestamp,
};
use bangban_proto::bangban::{
    casework::v1::{self as v1, CaseState, ConsentKind, SupplyForm},
    types::v1::Channel,
};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::story::{Story, consenting, missing, step_request, take};

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
                18 => limit::stop(
                    case, &v1::StopClockRequest { code: "EXPERT_REVIEW".to_owned(), ..Default::default() }, &outside),
                _ => limit::resume(case, &v1::ResumeClockRequest::default(), &outside),
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
