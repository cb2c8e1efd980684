//! Whether a consultation was handled in time: what the rate is computed from (BB-8c).

use bangban_limits::clock::next_due_at;
use bangban_proto::bangban::{
    casework::v1::Clock,
    consultation::v1::{Consultation, ConsultationState},
};
use prost_types::Timestamp;

use super::complete;

/// What counts for the rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handling {
    /// When the applicant's answer was or is due; unset when the applicant had given up before.
    pub due_at: Option<Timestamp>,
    /// When the applicant had the answer, or a case of it; unset while neither.
    pub handled_at: Option<Timestamp>,
    /// One of its limits was missed: a referral that comes late is late, also when the answer then comes in time.
    pub is_late: bool,
    /// When it was answered or ended, whichever came first.
    pub closed_at: Option<Timestamp>,
    /// Nothing is missing in the register.
    pub is_complete: bool,
}

fn before(a: &Timestamp, b: &Timestamp) -> bool {
    (a.seconds, a.nanos) < (b.seconds, b.nanos)
}

fn is_late(clock: &Clock) -> bool {
    match (&clock.ended_at, &clock.due_at) {
        (Some(ended), Some(due)) => before(due, ended),
        _ => false,
    }
}

/// What counts of a consultation.
#[must_use]
pub fn of(consultation: &Consultation) -> Handling {
    let answered_at = consultation.answer.as_ref().and_then(|a| a.answered_at);
    let converted_at = consultation
        .conversion
        .as_ref()
        .and_then(|c| c.acknowledged_at);
    let owed = consultation.clocks.last();
    let is_given_up = consultation.state() == ConsultationState::Ended
        && !consultation.clocks.iter().any(is_late);
    Handling {
        due_at: next_due_at(&consultation.clocks)
            .or(owed.and_then(|c| c.due_at))
            .filter(|_| !is_given_up),
        handled_at: answered_at.or(converted_at),
        is_late: consultation.clocks.iter().any(is_late),
        closed_at: answered_at.or(consultation.ended_at),
        is_complete: complete::gaps(consultation).is_empty(),
    }
}
