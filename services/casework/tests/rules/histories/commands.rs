//! Commands of random histories, given as the service gives them.

use bangban_casework::domain::{
    Act, Outside, consent, contact, delegation, department, limit, material, mode, notice, outcome,
    outside::timestamp,
    problem, reserved,
    responsibility::{self, Who},
};
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        self as v1, Capacity, Case, ConsentKind, Continuation, DecisionOutcome, DelegationEnd,
        DeliveryMeans, SignatureForm, SupplyForm,
    },
    directory::v1::Power,
    types::v1::{Channel, TimeUnit},
};
use chrono::{Days, TimeDelta};
use prost_types::Timestamp;

use super::{
    History, Plan, Step,
    choices::{By, What, next, turn},
};
use crate::story::{
    POWERS, accepted_at, answer, assignment, consenting, correction, correction_notice, decided_at,
    document, draft, ending, filing, in_person, missing, offer, sign, status, step_request, take,
};

/// An instant before, at or after now.
fn around(outside: &Outside<'_>, variant: u8) -> Option<Timestamp> {
    let minutes = match variant {
        5 => -60 * 30,
        6 => -60 * 24 * 6,
        7 => 10,
        _ => 0,
    };
    Some(timestamp(outside.now + TimeDelta::minutes(minutes)))
}

fn drafting(plan: &Plan, variant: u8, outside: &Outside<'_>) -> v1::DraftDelegationRequest {
    let powers: Vec<Power> = POWERS
        .into_iter()
        .enumerate()
        .filter(|(at, _)| plan.powers & (1 << at) != 0)
        .map(|(_, power)| power)
        .collect();
    let today = (outside.now + TimeDelta::hours(8)).date_naive();
    let day = |days: u64| (today + Days::new(days)).to_string();
    let (from, until) = match variant {
        0..=3 => (day(0), day(plan.term_days)),
        4 => (day(2), day(9)),
        5 => (day(plan.term_days + 1), day(plan.term_days + 30)),
        6 => (day(0), day(400)),
        _ => (day(10), day(5)),
    };
    draft(&powers, &from, &until)
}

fn signing(
    case: &Case,
    plan: &Plan,
    variant: u8,
    outside: &Outside<'_>,
) -> v1::SignDelegationRequest {
    let last = case.agreements.len().max(1);
    let number = if variant == 4 { 1 } else { last };
    let mut request = sign(u32::try_from(number).unwrap_or(1), around(outside, variant));
    if let Some(signature) = request.signature.as_mut().filter(|_| plan.is_enterprise) {
        signature.set_capacity(Capacity::Seal);
        signature.set_form(SignatureForm::Seal);
        "seal register".clone_into(&mut signature.capacity_proof);
    }
    if let Some(signature) = request.signature.as_mut().filter(|_| variant == 3) {
        signature.witness.clone_from(&case.agent);
    }
    request
}

fn end(case: &Case, variant: u8) -> v1::EndDelegationRequest {
    let gone = if case.is_enterprise {
        DelegationEnd::Dissolution
    } else {
        DelegationEnd::Death
    };
    match variant {
        0 => ending(gone, Continuation::Unspecified, "a paper"),
        1 => ending(gone, Continuation::NotKnown, "a paper"),
        2 => ending(gone, Continuation::Acknowledged, "a paper"),
        3 => ending(gone, Continuation::UntilDone, "a paper"),
        4 => ending(
            DelegationEnd::Incapacity,
            Continuation::Unspecified,
            "a paper",
        ),
        5 => ending(gone, Continuation::Unspecified, ""),
        _ => ending(DelegationEnd::Resigned, Continuation::Unspecified, ""),
    }
}

fn taking(variant: u8) -> v1::TakeMaterialRequest {
    match variant {
        0 => take("form", SupplyForm::OnTheSpot),
        2 => v1::TakeMaterialRequest {
            originals: 1,
            receipt: "R-1".to_owned(),
            ..take("identity-card", SupplyForm::Brought)
        },
        3 => v1::TakeMaterialRequest {
            is_valid: false,
            ..take("form", SupplyForm::Brought)
        },
        4 => take("identity-card", SupplyForm::OnTheSpot),
        _ => take("identity-card", SupplyForm::Supplemented),
    }
}

fn delivery(variant: u8) -> v1::DeliverResultRequest {
    match variant {
        4 | 5 => v1::DeliverResultRequest {
            means: DeliveryMeans::Post.into(),
            carrier: "EMS".to_owned(),
            tracking_number: "E-1".to_owned(),
            ..Default::default()
        },
        6 => v1::DeliverResultRequest {
            means: DeliveryMeans::Post.into(),
            ..Default::default()
        },
        _ => in_person(),
    }
}

fn decision(variant: u8) -> DecisionOutcome {
    match variant {
        1 => DecisionOutcome::Refused,
        2 => DecisionOutcome::NotAccepted,
        3 => DecisionOutcome::Withdrawn,
        _ => DecisionOutcome::Granted,
    }
}

/// The number of the entry of a list that is not done yet; else one that may not exist.
fn undone<T>(entries: &[T], variant: u8, is_open: impl Fn(&T) -> bool) -> u32 {
    let open = entries.iter().position(is_open).filter(|_| variant < 6);
    open.map_or(u32::from(variant), |at| u32::try_from(at).unwrap_or(0) + 1)
}

/// Gives the command as the service does: first whether the caller may, then what the rule says.
pub fn give(history: &mut History, step: &Step) -> Result<Vec<Act>, Refusal> {
    let story = &mut history.story;
    let what = match step.what {
        What::Next => next(&story.case, &history.plan),
        What::Turn(n) => match turn(&story.case, n) {
            What::Next => next(&story.case, &history.plan),
            other => other,
        },
        other => other,
    };
    let by = match what {
        // Hand-overs are answered by those to whom they were offered, most often.
        What::AcceptOffer | What::DeclineOffer if step.by == By::Responsible => By::Receiver,
        _ => step.by,
    };
    story.caller = by.caller(&story.case);
    let (case, outside) = (&story.case, &story.outside());
    responsibility::may(who(what), case, outside.caller)?;
    match what {
        What::Draft(n) => delegation::draft(case, &drafting(&history.plan, n, outside), outside),
        What::Sign(n) => delegation::sign(case, &signing(case, &history.plan, n, outside), outside),
        What::Revoke => delegation::revoke(case, &v1::RevokeDelegationRequest::default(), outside),
        What::End(n) => delegation::end(case, &end(case, n), outside),
        What::Tell => {
            delegation::tell_department(case, &v1::TellDepartmentRequest::default(), outside)
        }
        What::Offer(n) => {
            let (to_agent, to_site) = match n {
                0..=3 if case.agent != "wang" => ("wang", case.site.as_str()),
                0..=3 => ("zhou", case.site.as_str()),
                4 => (case.agent.as_str(), "station"),
                5 => ("li-na", "station"),
                _ => ("sun", "town"),
            };
            let agreed = if n % 2 == 0 { "agreed" } else { "" };
            responsibility::offer(case, &offer(to_agent, to_site, agreed), outside)
        }
        What::AcceptOffer => responsibility::accept(case, &assignment("420527100001"), outside),
        What::DeclineOffer => {
            responsibility::decline(case, &v1::DeclineHandoverRequest::default(), outside)
        }
        _ => prepare(what, case, outside),
    }
}

fn who(what: What) -> Who {
    match what {
        What::Status(_)
        | What::Accept(_)
        | What::Correction(_)
        | What::Stop(_)
        | What::Resume(_)
        | What::Extend
        | What::Decide(_)
        | What::AnswerProblem(_) => Who::Department,
        What::Revoke | What::Withdraw(_) | What::Confirm => Who::Applicant,
        What::AcceptOffer | What::DeclineOffer => Who::Receiver,
        What::Correct => Who::Corrector,
        _ => Who::Responsible,
    }
}

/// From the notice to filing.
fn prepare(what: What, case: &Case, outside: &Outside<'_>) -> Result<Vec<Act>, Refusal> {
    match what {
        What::Notice => notice::give(case, &v1::GiveNoticeRequest::default(), outside),
        What::Consent(n) => {
            let kinds = [ConsentKind::Assistance, ConsentKind::Reuse];
            consent::record(case, &consenting(kinds[usize::from(n > 4)]), outside)
        }
        What::Withdraw(n) => {
            let kinds = [ConsentKind::Assistance, ConsentKind::Reuse];
            let request = v1::WithdrawConsentRequest {
                kind: kinds[usize::from(n > 4)].into(),
                ..Default::default()
            };
            consent::withdraw(case, &request, outside)
        }
        What::Take(n) => material::take(case, &taking(n), outside),
        What::Return(n) => {
            let request = v1::ReturnMaterialRequest {
                material: "identity-card".to_owned(),
                receipt: if n == 0 { "" } else { "R-2" }.to_owned(),
                ..Default::default()
            };
            material::give_back(case, &request, outside)
        }
        What::ListMissing => {
            material::list_missing(case, &missing(&["form", "identity-card"]), outside)
        }
        What::PreCheck => {
            material::pass_pre_check(case, &v1::PassPreCheckRequest::default(), outside)
        }
        What::Mode(n) => {
            let modes = [Channel::Online, Channel::Window, Channel::Kiosk];
            let request = v1::ChooseModeRequest {
                mode: modes[usize::from(n) % 3].into(),
                ..Default::default()
            };
            mode::choose(case, &request, outside)
        }
        What::ModeStep(n) => {
            let steps = mode::steps(case.mode(), true);
            mode::record_step(
                case,
                &step_request(steps[usize::from(n) % steps.len()]),
                outside,
            )
        }
        What::InPerson => {
            let request = v1::RecordInPersonActRequest {
                code: "REAL_NAME_CHECK".to_owned(),
                ..Default::default()
            };
            reserved::in_person(case, &request, outside)
        }
        What::File(signed) => department::file(case, &filing(signed), outside),
        _ => report(what, case, outside),
    }
}

/// What comes from the department.
fn report(what: What, case: &Case, outside: &Outside<'_>) -> Result<Vec<Act>, Refusal> {
    match what {
        What::Status(n) => {
            department::status(case, &status(if n == 7 { "M-2" } else { "M-1" }), outside)
        }
        What::Accept(n) => department::accept(case, &accepted_at(around(outside, n)), outside),
        What::Correction(n) => {
            let number = case
                .department_record
                .as_ref()
                .map_or(0, |r| r.corrections.len());
            let request = v1::ReportCorrectionNoticeRequest {
                number: format!("N-{number}"),
                ..correction_notice(around(outside, n))
            };
            department::correction(case, &request, outside)
        }
        What::Answer(n) => {
            let record = case.department_record.as_ref();
            let open = record
                .and_then(|r| r.corrections.iter().find(|c| c.answered_at.is_none()))
                .filter(|_| n < 6);
            let number = open.map_or("N-0", |c| c.number.as_str());
            department::answer_correction(case, &answer(number), outside)
        }
        What::Stop(n) => {
            let request = v1::StopClockRequest {
                code: if n == 0 { "LUNCH" } else { "EXPERT_REVIEW" }.to_owned(),
                from: around(outside, n).filter(|_| n > 3),
                ..Default::default()
            };
            limit::stop(case, &request, outside)
        }
        What::Resume(n) => {
            let request = v1::ResumeClockRequest {
                at: around(outside, n).filter(|_| n > 3),
                ..Default::default()
            };
            limit::resume(case, &request, outside)
        }
        What::Extend => limit::extend(case, &v1::ExtendDecisionRequest::default(), outside),
        What::Decide(n) => {
            department::decide(case, &decided_at(decision(n), around(outside, n)), outside)
        }
        What::Receive(n) => {
            reserved::receive_document(case, &document(around(outside, n)), outside)
        }
        _ => finish(what, case, outside),
    }
}

/// Contacts, problems, and the end.
fn finish(what: What, case: &Case, outside: &Outside<'_>) -> Result<Vec<Act>, Refusal> {
    match what {
        What::Deliver(n) => outcome::deliver(case, &delivery(n), outside),
        What::Confirm => {
            let request = v1::ConfirmReceiptRequest {
                received_at: around(outside, 0),
                ..Default::default()
            };
            outcome::confirm(case, &request, outside)
        }
        What::Contact => {
            let request = v1::OpenContactRequest {
                reason: v1::ContactReason::Problem.into(),
                ..Default::default()
            };
            contact::open(case, &request, outside)
        }
        What::CloseContact(n) => {
            let request = v1::CloseContactRequest {
                number: undone(&case.contacts, n, |c| c.closed_at.is_none()),
                ..Default::default()
            };
            contact::close(case, &request, outside)
        }
        What::Problem => {
            let request = v1::RaiseProblemRequest {
                amount: 2,
                unit: TimeUnit::WorkingDay.into(),
                ..Default::default()
            };
            problem::raise(case, &request, outside)
        }
        What::AnswerProblem(n) => {
            let request = v1::AnswerProblemRequest {
                number: undone(&case.problems, n, |p| p.answered_at.is_none()),
                ..Default::default()
            };
            problem::answer(case, &request, outside)
        }
        What::Prompt => outcome::prompt(case, &v1::PromptEvaluationRequest::default(), outside),
        What::FileAway => outcome::file_away(case, &v1::FileAwayRequest::default(), outside),
        _ => outcome::correct(case, &correction(1), outside),
    }
}
