//! Clocks of a consultation: `answer` and `reply`, both the institution's (BB-8c, BB-10.1.1b, BB-10.2.1).

use bangban_kit::refusal::Refusal;
use bangban_limits::clock as limits;
use bangban_proto::bangban::{
    casework::v1::{CaseKind, Clock, ClockEnded, ClockStarted},
    consultation::v1::Consultation,
    directory::v1::LimitOwner,
    types::v1::TimeUnit,
};

use super::{Act, Outside};

/// An answer or a referral, by the end of the working day of asking.
pub const ANSWER: &str = "answer";

/// The applicant's answer, by the end of the working day after the referral.
pub const REPLY: &str = "reply";

fn start(
    consultation: &Consultation,
    (id, days, citation): (&str, u32, &str),
    outside: &Outside<'_>,
) -> Result<Act, Refusal> {
    let clock = Clock {
        id: id.to_owned(),
        owner: LimitOwner::Institution.into(),
        amount: days,
        unit: TimeUnit::WorkingDay.into(),
        citation: citation.to_owned(),
        started_at: outside.at(),
        closing_times: consultation.closing_times.clone(),
        ..Clock::default()
    };
    Ok(Act::ClockStarted(ClockStarted {
        clock: Some(limits::started(clock, outside.calendar)?),
    }))
}

/// Starts `answer`: 0 working days from asking. Outside working hours it ends with the next working day.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn start_answer(consultation: &Consultation, outside: &Outside<'_>) -> Result<Act, Refusal> {
    let citation = match consultation.kind() {
        CaseKind::Agency => "BB-8c、BB-10.2.1",
        _ => "BB-8c、BB-10.1.1a",
    };
    start(consultation, (ANSWER, 0, citation), outside)
}

/// Starts `reply`: 1 working day from the first referral, whose day does not count. None when it was started already:
/// asking a second department gives the applicant no later answer.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn start_reply(
    consultation: &Consultation,
    outside: &Outside<'_>,
) -> Result<Option<Act>, Refusal> {
    if consultation.clocks.iter().any(|c| c.id == REPLY) {
        return Ok(None);
    }
    let citation = match consultation.kind() {
        CaseKind::Agency => "BB-10.2.1（期限借用 BB-10.1.1b）",
        _ => "BB-10.1.1b",
    };
    start(consultation, (REPLY, 1, citation), outside).map(Some)
}

/// Ends a clock if it runs.
#[must_use]
pub fn ended(consultation: &Consultation, id: &str) -> Option<Act> {
    limits::open(&consultation.clocks, id).map(|clock| {
        Act::ClockEnded(ClockEnded {
            clock: clock.id.clone(),
            at: None,
        })
    })
}

/// The requirement that a late clock breaks.
#[must_use]
pub fn requirement(consultation: &Consultation, clock: &str) -> &'static str {
    match (clock, consultation.kind()) {
        (REPLY, CaseKind::Agency) => "BB-10.2.1",
        (REPLY, _) => "BB-10.1.1b",
        _ => "BB-8c",
    }
}
