//! What is promised of any case at any time, read without the rules where that can be done.

use bangban_casework::domain::{Act, clock};
use bangban_limits::{clock as limits, time::local};
use bangban_proto::bangban::casework::v1::{Case, CaseState, Clock};
use chrono::{DateTime, Utc};
use proptest::prelude::*;

use crate::story::Story;

/// What may still happen when a case is over: what we owe, and corrections.
pub fn outlives(case: &Case, act: &Act) -> bool {
    match act {
        Act::CorrectionRecorded(_) | Act::MaterialReturned(_) => true,
        Act::ContactClosed(_)
        | Act::ProblemAnswered(_)
        | Act::ReceiptConfirmed(_)
        | Act::DepartmentTold(_)
        | Act::ClockEnded(_) => case.state() == CaseState::Ended,
        _ => false,
    }
}

/// What a record has that was filed away, read without the rules.
pub fn is_whole(case: &Case) -> Result<(), TestCaseError> {
    let record = case.department_record.clone().unwrap_or_default();
    let received = case.delivery.as_ref().and_then(|d| d.received_at);
    prop_assert!(case.notice.is_some() && !case.consents.is_empty());
    prop_assert!(case.pre_checked_at.is_some() && case.filing.is_some());
    prop_assert!(record.decision.is_some() && !record.number.is_empty());
    prop_assert!(received.is_some() && case.evaluation.is_some());
    prop_assert!(case.contacts.iter().all(|c| c.closed_at.is_some()));
    prop_assert!(case.problems.iter().all(|p| p.answered_at.is_some()));
    Ok(())
}

fn decision(case: &Case) -> Option<&Clock> {
    clock::open(case, "decision")
}

/// Working days of the decision that are left at an instant.
fn left(clock: &Clock, at: DateTime<Utc>, story: &Story) -> u32 {
    let running = limits::running(clock).expect("a start");
    let at = at.with_timezone(&bangban_calendar::SHANGHAI);
    bangban_calendar::remaining(&story.calendar, &running, limits::closing(clock), at)
        .expect("counted")
        .amount
}

/// Time that passes leaves less, or the same.
pub fn left_shrinks(
    before: &Case,
    then: DateTime<Utc>,
    story: &Story,
) -> Result<(), TestCaseError> {
    if let Some(clock) = decision(before) {
        prop_assert!(left(clock, story.now, story) <= left(clock, then, story));
    }
    Ok(())
}

/// A command leaves no more than there was: but for what an extension adds, and for a stop that is reported later than it
/// began, which gives back no more than was left when it began.
pub fn left_grows_with_extensions_only(
    before: &Case,
    acts: &[Act],
    story: &Story,
) -> Result<(), TestCaseError> {
    let (Some(old), Some(new)) = (decision(before), decision(&story.case)) else {
        return Ok(());
    };
    let mut most = left(old, story.now, story);
    for act in acts {
        match act {
            Act::DecisionExtended(a) => {
                most += a.extension.as_ref().map_or(0, |e| e.amount);
            }
            Act::ClockStopped(a) => {
                let from = a
                    .stop
                    .as_ref()
                    .and_then(|s| s.from.as_ref().and_then(local));
                most = left(old, from.expect("an instant").to_utc(), story);
            }
            _ => {}
        }
    }
    prop_assert!(
        left(new, story.now, story) <= most,
        "what is left of a decision grew: {acts:?}"
    );
    Ok(())
}

/// No time passes while a clock stands.
pub fn stands_still(clock: &Clock, story: &Story) -> Result<(), TestCaseError> {
    let Some(stop) = clock.stops.iter().find(|s| s.to.is_none()) else {
        return Ok(());
    };
    let from = stop.from.as_ref().and_then(local).expect("an instant");
    prop_assert_eq!(clock.due_at, None);
    prop_assert_eq!(
        left(clock, story.now, story),
        left(clock, from.to_utc(), story)
    );
    let now = story.now.timestamp();
    let called = limits::calls(std::slice::from_ref(clock), now);
    prop_assert_eq!(called, vec![], "nobody is late while the clock stands");
    Ok(())
}
