//! The only thing that changes a consultation: an act is applied to the state before it.

use bangban_limits::clock as limits;
use bangban_proto::bangban::{
    casework::v1::{Clock, HandoverAccepted},
    consultation::v1::{Consultation, ConsultationState, ReferralAnswered},
};
use prost_types::Timestamp;

use super::Act;

/// Kind of an act as the log names it.
#[must_use]
pub fn kind(act: &Act) -> &'static str {
    match act {
        Act::Registered(_) => "consultation.registered",
        Act::Answered(_) => "consultation.answered",
        Act::Referred(_) => "consultation.referred",
        Act::ReferralAnswered(_) => "referral.answered",
        Act::ConversionStarted(_) => "conversion.started",
        Act::ConversionAcknowledged(_) => ACKNOWLEDGED,
        Act::ConversionRefused(_) => "conversion.refused",
        Act::Ended(_) => "consultation.ended",
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

/// Kind of the act by which a conversion is done.
pub const ACKNOWLEDGED: &str = "conversion.acknowledged";

fn clock<'a>(consultation: &'a mut Consultation, id: &str) -> Option<&'a mut Clock> {
    consultation.clocks.iter_mut().find(|c| c.id == id)
}

/// Where a consultation stands that is not being converted: it follows from what was done.
fn standing(consultation: &Consultation) -> ConsultationState {
    if consultation.answer.is_some() {
        ConsultationState::Answered
    } else if consultation.referrals.is_empty() {
        ConsultationState::Open
    } else {
        ConsultationState::Referred
    }
}

/// Applies an act that happened at `at`. Total: an act that was written is never refused.
pub fn apply(consultation: &mut Consultation, act: &Act, at: Timestamp, is_demonstration: bool) {
    match act {
        Act::Registered(a) => *consultation = a.consultation.clone().unwrap_or_default(),
        Act::Answered(a) => {
            consultation.answer.clone_from(&a.answer);
            consultation.set_state(ConsultationState::Answered);
        }
        Act::Referred(a) => {
            consultation.referrals.extend(a.referral.clone());
            consultation.set_state(ConsultationState::Referred);
        }
        Act::ReferralAnswered(a) => referral_answered(consultation, a),
        Act::ConversionStarted(a) => {
            consultation.conversion.clone_from(&a.conversion);
            consultation.set_state(ConsultationState::Converting);
        }
        Act::ConversionAcknowledged(a) => {
            if let Some(conversion) = &mut consultation.conversion {
                conversion.case.clone_from(&a.case);
                conversion.receipt.clone_from(&a.receipt);
                conversion.acknowledged_at = Some(at);
                conversion.refused_reason.clear();
            }
            end(consultation, ConsultationState::Converted, at);
        }
        Act::ConversionRefused(a) => {
            if let Some(conversion) = &mut consultation.conversion {
                conversion.refused_reason.clone_from(&a.reason);
            }
            let standing = standing(consultation);
            consultation.set_state(standing);
        }
        Act::Ended(a) => {
            end(consultation, ConsultationState::Ended, at);
            consultation.end_reason.clone_from(&a.reason);
        }
        Act::HandoverOffered(a) => consultation.handovers.extend(a.handover.clone()),
        Act::HandoverAccepted(a) => accepted(consultation, a, at),
        Act::HandoverDeclined(_) => {
            for handover in &mut consultation.handovers {
                if handover.accepted_at.is_none() && handover.declined_at.is_none() {
                    handover.declined_at = Some(at);
                }
            }
        }
        Act::CorrectionRecorded(a) => consultation.corrections.extend(a.correction.clone()),
        Act::BreachRecorded(a) => {
            if let Some(breach) = &a.breach {
                if let Some(clock) = clock(consultation, &breach.clock) {
                    clock.breached_at = Some(at);
                }
                consultation.breaches.push(breach.clone());
            }
        }
        Act::DueSoonWarned(a) => {
            if let Some(clock) = clock(consultation, &a.clock) {
                clock.warned_at = Some(at);
            }
        }
        Act::ClockRecomputed(a) => {
            if let Some(clock) = clock(consultation, &a.clock) {
                limits::moved(clock, a, at);
            }
        }
        Act::ClockStarted(a) => consultation.clocks.extend(a.clock.clone()),
        Act::ClockEnded(a) => {
            if let Some(clock) = clock(consultation, &a.clock) {
                clock.ended_at = a.at.or(Some(at));
            }
        }
    }
    consultation.act_count += 1;
    consultation.is_demonstration |= is_demonstration;
    consultation.next_due_at = limits::next_due_at(&consultation.clocks);
    consultation.etag = consultation.act_count.to_string();
}

fn referral_answered(consultation: &mut Consultation, act: &ReferralAnswered) {
    for referral in &mut consultation.referrals {
        if referral.number == act.number {
            referral.answer.clone_from(&act.answer);
            referral.issuer.clone_from(&act.issuer);
            referral.proof.clone_from(&act.proof);
            referral.answered_at = act.answered_at;
        }
    }
}

fn accepted(consultation: &mut Consultation, act: &HandoverAccepted, at: Timestamp) {
    for handover in &mut consultation.handovers {
        if handover.accepted_at.is_none() && handover.declined_at.is_none() {
            handover.accepted_at = Some(at);
        }
    }
    consultation.agent.clone_from(&act.agent);
    consultation.site.clone_from(&act.site);
    consultation.region.clone_from(&act.region);
    consultation.closing_times.clone_from(&act.closing_times);
}

fn end(consultation: &mut Consultation, state: ConsultationState, at: Timestamp) {
    consultation.set_state(state);
    consultation.ended_at = Some(at);
    for clock in consultation
        .clocks
        .iter_mut()
        .filter(|c| c.ended_at.is_none())
    {
        clock.ended_at = Some(at);
    }
}
