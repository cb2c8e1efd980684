//! The only thing that changes a case: an act is applied to the state before it.

use bangban_limits::clock as limits;
use bangban_proto::bangban::casework::v1::{
    Agreement, Case, CaseKind, CaseState, Clock, ConsentKind, DelegationEnd, ModeChange,
};
use prost_types::Timestamp;

use super::Act;

/// Kind of an act as the log names it.
#[must_use]
pub fn kind(act: &Act) -> &'static str {
    match act {
        Act::CaseOpened(_) => "case.opened",
        Act::ModeChosen(_) => "mode.chosen",
        Act::NoticeGiven(_) => "notice.given",
        Act::ConditionExplained(_) => "condition.explained",
        Act::DelegationDrafted(_) => "delegation.drafted",
        Act::DelegationSigned(_) => "delegation.signed",
        Act::DelegationEnded(_) => "delegation.ended",
        Act::DelegationContinued(_) => "delegation.continued",
        Act::DepartmentTold(_) => "department.told",
        Act::InPersonRecorded(_) => "in_person.recorded",
        Act::DocumentReceived(_) => "document.received",
        Act::ConsentRecorded(_) => "consent.recorded",
        Act::ConsentWithdrawn(_) => "consent.withdrawn",
        Act::MaterialTaken(_) => "material.taken",
        Act::MaterialReturned(_) => "material.returned",
        Act::MissingListed(_) => "missing.listed",
        Act::PreCheckPassed(_) => "pre_check.passed",
        Act::ModeStepRecorded(_) => "mode_step.recorded",
        Act::ApplicationFiled(_) => "application.filed",
        Act::DepartmentStatusReported(_) => "department_status.reported",
        Act::AcceptanceReported(_) => "acceptance.reported",
        Act::CorrectionNoticeReported(_) => "correction_notice.reported",
        Act::CorrectionAnswered(_) => "correction.answered",
        Act::ClockStopped(_) => "clock.stopped",
        Act::ClockResumed(_) => "clock.resumed",
        Act::DecisionExtended(_) => "decision.extended",
        Act::DecisionReported(_) => "decision.reported",
        Act::ContactOpened(_) => "contact.opened",
        Act::ContactClosed(_) => "contact.closed",
        Act::ProblemRaised(_) => "problem.raised",
        Act::ProblemAnswered(_) => "problem.answered",
        Act::ResultDelivered(_) => "result.delivered",
        Act::ReceiptConfirmed(_) => "receipt.confirmed",
        Act::EvaluationPrompted(_) => "evaluation.prompted",
        Act::FiledAway(_) => "case.filed_away",
        Act::HandoverOffered(_) => "handover.offered",
        Act::HandoverAccepted(_) => "handover.accepted",
        Act::HandoverDeclined(_) => "handover.declined",
        Act::CorrectionRecorded(_) => "correction.recorded",
        Act::BreachRecorded(_) => "breach.recorded",
        Act::DueSoonWarned(_) => "due_soon.warned",
        Act::ClockRecomputed(_) => "clock.recomputed",
        Act::ClockStarted(_) => "clock.started",
        Act::ClockEnded(_) => "clock.ended",
    }
}

fn clock<'a>(case: &'a mut Case, id: &str) -> Option<&'a mut Clock> {
    case.clocks.iter_mut().find(|c| c.id == id)
}

/// Applies an act that happened at `at`. Total: an act that was written is never refused.
pub fn apply(case: &mut Case, act: &Act, at: Timestamp, is_demonstration: bool) {
    match act {
        Act::CaseOpened(a) => *case = a.case.clone().unwrap_or_default(),
        Act::ModeChosen(a) => {
            case.mode_changes.push(ModeChange {
                from: case.mode,
                to: a.mode,
                changed_at: Some(at),
            });
            case.mode = a.mode;
            case.is_self_guided = a.is_self_guided;
        }
        Act::NoticeGiven(a) => {
            // The whole text stands in the act; the state keeps that it was given.
            let mut notice = a.notice.clone().unwrap_or_default();
            notice.item = None;
            notice.department = None;
            case.notice = Some(notice);
        }
        Act::ConditionExplained(a) => case.explanations.extend(a.explanation.clone()),
        Act::ConsentRecorded(a) => case.consents.extend(a.consent.clone()),
        Act::ConsentWithdrawn(a) => {
            for consent in &mut case.consents {
                if consent.kind == a.kind && consent.withdrawn_at.is_none() {
                    consent.withdrawn_at = Some(at);
                }
            }
            if a.kind() == ConsentKind::Assistance {
                end(case, CaseState::Ended, at);
                case.end_reason.clone_from(&a.reason);
            }
        }
        Act::MaterialTaken(a) => {
            if let Some(material) = &a.material {
                case.materials.retain(|m| m.code != material.code);
                case.materials.push(material.clone());
            }
        }
        Act::MaterialReturned(a) => {
            for material in case.materials.iter_mut().filter(|m| m.code == a.code) {
                material.returned_at = Some(at);
            }
        }
        Act::MissingListed(a) => case.missing_lists.extend(a.list.clone()),
        Act::PreCheckPassed(_) => {
            case.pre_checked_at = Some(at);
            case.set_state(CaseState::PreChecked);
        }
        Act::ModeStepRecorded(a) => case.mode_steps.extend(a.step.clone()),
        Act::ApplicationFiled(a) => {
            case.filing.clone_from(&a.filing);
            case.set_state(CaseState::Filed);
            // Who acts and signs in person, without an agreement, is assisted (BB-3.1).
            if in_force(case).next().is_none() {
                case.set_kind(CaseKind::Assist);
            }
        }
        Act::BreachRecorded(a) => {
            if let Some(breach) = &a.breach {
                if let Some(clock) = clock(case, &breach.clock) {
                    clock.breached_at = Some(at);
                }
                case.breaches.push(breach.clone());
            }
        }
        Act::ContactOpened(a) => {
            case.contacts.extend(a.contact.clone());
            case.contact_count += 1;
        }
        Act::ContactClosed(a) => {
            for contact in case.contacts.iter_mut().filter(|c| c.number == a.number) {
                contact.is_reached = a.is_reached;
                contact.outcome.clone_from(&a.outcome);
                contact.channel = a.channel;
                contact.closed_at = Some(at);
            }
        }
        Act::ProblemRaised(a) => case.problems.extend(a.problem.clone()),
        Act::ProblemAnswered(a) => {
            for problem in case.problems.iter_mut().filter(|p| p.number == a.number) {
                problem.answer.clone_from(&a.answer);
                problem.answered_at = Some(at);
            }
        }
        Act::ResultDelivered(a) => {
            case.delivery.clone_from(&a.delivery);
            case.set_state(CaseState::Delivered);
        }
        Act::ReceiptConfirmed(a) => {
            if let Some(delivery) = &mut case.delivery {
                delivery.received_at = a.received_at;
                delivery.proof.clone_from(&a.proof);
            }
        }
        Act::EvaluationPrompted(a) => case.evaluation.clone_from(&a.prompt),
        Act::FiledAway(_) => end(case, CaseState::FiledAway, at),
        Act::HandoverOffered(a) => case.handovers.extend(a.handover.clone()),
        Act::HandoverAccepted(a) => {
            for handover in &mut case.handovers {
                if handover.accepted_at.is_none() && handover.declined_at.is_none() {
                    handover.accepted_at = Some(at);
                }
            }
            case.agent.clone_from(&a.agent);
            case.site.clone_from(&a.site);
            case.region.clone_from(&a.region);
            case.closing_times.clone_from(&a.closing_times);
            for agreement in in_force(case) {
                agreement.agent.clone_from(&a.agent);
                agreement.institution.clone_from(&a.site);
            }
        }
        Act::HandoverDeclined(_) => {
            for handover in &mut case.handovers {
                if handover.accepted_at.is_none() && handover.declined_at.is_none() {
                    handover.declined_at = Some(at);
                }
            }
        }
        Act::CorrectionRecorded(a) => case.corrections.extend(a.correction.clone()),
        Act::InPersonRecorded(a) => case.in_person_done.extend(a.done.clone()),
        Act::DocumentReceived(a) => case.document.clone_from(&a.document),
        Act::DelegationDrafted(_)
        | Act::DelegationSigned(_)
        | Act::DelegationEnded(_)
        | Act::DelegationContinued(_)
        | Act::DepartmentTold(_) => apply_delegation(case, act, at),
        Act::ClockStarted(_)
        | Act::ClockEnded(_)
        | Act::ClockStopped(_)
        | Act::ClockResumed(_)
        | Act::ClockRecomputed(_)
        | Act::DecisionExtended(_)
        | Act::DueSoonWarned(_) => apply_clock(case, act, at),
        Act::DepartmentStatusReported(_)
        | Act::AcceptanceReported(_)
        | Act::CorrectionNoticeReported(_)
        | Act::CorrectionAnswered(_)
        | Act::DecisionReported(_) => apply_department(case, act, at),
    }
    case.act_count += 1;
    case.is_demonstration |= is_demonstration;
    case.next_due_at = limits::next_due_at(&case.clocks);
    case.etag = case.act_count.to_string();
}

fn end(case: &mut Case, state: CaseState, at: Timestamp) {
    case.set_state(state);
    case.ended_at = Some(at);
    for clock in case.clocks.iter_mut().filter(|c| c.ended_at.is_none()) {
        clock.ended_at = Some(at);
    }
}

/// Agreements that are signed and have not ended.
fn in_force(case: &mut Case) -> impl Iterator<Item = &mut Agreement> {
    case.agreements
        .iter_mut()
        .filter(|a| a.signed_at.is_some() && a.ended_at.is_none())
}

fn apply_delegation(case: &mut Case, act: &Act, at: Timestamp) {
    let numbered = |case: &mut Case, number: u32, change: &dyn Fn(&mut Agreement)| {
        for agreement in case.agreements.iter_mut().filter(|a| a.number == number) {
            change(agreement);
        }
    };
    match act {
        Act::DelegationDrafted(a) => {
            if let Some(draft) = &a.agreement {
                // The texts stay with the act, as the notice does.
                case.agreements.push(Agreement {
                    text: String::new(),
                    authorisation: String::new(),
                    ..draft.clone()
                });
            }
        }
        Act::DelegationSigned(a) => {
            case.set_kind(CaseKind::Agency);
            numbered(case, a.number, &|agreement| {
                agreement.signature.clone_from(&a.signature);
                agreement.signed_at = Some(at);
            });
        }
        Act::DelegationEnded(a) => {
            numbered(case, a.number, &|agreement| {
                agreement.ended_at = Some(at);
                agreement.end = a.end;
                agreement.end_reason.clone_from(&a.reason);
                agreement.end_proof.clone_from(&a.proof);
            });
            match a.end() {
                DelegationEnd::Death | DelegationEnd::Dissolution => {
                    end(case, CaseState::Ended, at);
                    case.end_reason.clone_from(&a.reason);
                }
                DelegationEnd::Completed => {}
                // The powers end, the application does not: from here on the applicant acts, and is assisted.
                _ if in_force(case).next().is_none() => case.set_kind(CaseKind::Assist),
                _ => {}
            }
        }
        Act::DelegationContinued(a) => numbered(case, a.number, &|agreement| {
            agreement.continuation = a.continuation;
            agreement.continuation_proof.clone_from(&a.proof);
        }),
        Act::DepartmentTold(a) => numbered(case, a.number, &|agreement| {
            agreement.department_told_at = Some(at);
        }),
        _ => {}
    }
}

fn apply_clock(case: &mut Case, act: &Act, at: Timestamp) {
    match act {
        Act::ClockStarted(a) => case.clocks.extend(a.clock.clone()),
        Act::ClockEnded(a) => {
            if let Some(clock) = clock(case, &a.clock) {
                clock.ended_at = a.at.or(Some(at));
            }
        }
        Act::ClockStopped(a) => {
            if let Some(clock) = clock(case, &a.clock) {
                clock.stops.extend(a.stop.clone());
                clock.due_at = None;
            }
        }
        Act::ClockResumed(a) => {
            if let Some(clock) = clock(case, &a.clock) {
                for stop in clock.stops.iter_mut().filter(|s| s.to.is_none()) {
                    stop.to = a.at;
                }
            }
        }
        Act::ClockRecomputed(a) => {
            if let Some(clock) = clock(case, &a.clock) {
                limits::moved(clock, a, at);
            }
        }
        Act::DecisionExtended(a) => {
            if let Some(clock) = clock(case, &a.clock) {
                clock.extensions.extend(a.extension.clone());
            }
        }
        Act::DueSoonWarned(a) => {
            if let Some(clock) = clock(case, &a.clock) {
                clock.warned_at = Some(at);
            }
        }
        _ => {}
    }
}

fn apply_department(case: &mut Case, act: &Act, at: Timestamp) {
    let record = case.department_record.get_or_insert_default();
    match act {
        Act::DepartmentStatusReported(a) => {
            if !a.number.is_empty() {
                record.number.clone_from(&a.number);
            }
            record.statuses.extend(a.status.clone());
        }
        Act::AcceptanceReported(a) => {
            record.acceptance.clone_from(&a.acceptance);
            case.set_state(CaseState::Accepted);
        }
        Act::CorrectionNoticeReported(a) => record.corrections.extend(a.notice.clone()),
        Act::CorrectionAnswered(a) => {
            for notice in record
                .corrections
                .iter_mut()
                .filter(|c| c.number == a.number)
            {
                notice.answered_at = Some(at);
            }
        }
        Act::DecisionReported(a) => {
            record.decision.clone_from(&a.decision);
            case.set_state(CaseState::Decided);
        }
        _ => {}
    }
}
