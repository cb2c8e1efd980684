//! The limit of a decision: what stops it, lets it go on and extends it (BB-8a; 行政许可法 arts. 42, 45).

use bangban_kit::refusal::Refusal;
use bangban_limits::clock as limits;
use bangban_proto::bangban::{
    casework::v1::{
        Case, Clock, ClockResumed, ClockStopped, DecisionExtended, ExtendDecisionRequest,
        Extension, ResumeClockRequest, Stop, StopClockRequest,
    },
    directory::v1::LimitName,
};

use super::{
    Act, Outside, clock,
    outside::{instant, reported},
};

/// The clocks of the decision that run or stand: the promised limit, which counts for BB-8a, and that of the law. What
/// stops or extends the decision stops or extends both.
///
/// # Errors
/// CLOCK_NOT_RUNNING.
fn decision_clocks(case: &Case) -> Result<(&Clock, Vec<&Clock>), Refusal> {
    let all: Vec<&Clock> = ["decision", "statutory-decision"]
        .iter()
        .filter_map(|id| clock::open(case, id))
        .collect();
    let first = all.first().copied().ok_or_else(|| {
        Refusal::precondition(
            "CLOCK_NOT_RUNNING",
            "BB-8a",
            "决定期限未在计算",
            "the decision clock does not run",
        )
    })?;
    Ok((first, all))
}

/// Stops the decision clock on a ground of the item's version (行政许可法 art. 45).
///
/// # Errors
/// CLOCK_NOT_RUNNING, STOP_WITHOUT_GROUND.
pub fn stop(
    case: &Case,
    request: &StopClockRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let (clock, all) = decision_clocks(case)?;
    if all.iter().flat_map(|c| &c.stops).any(|s| s.to.is_none()) {
        return Err(Refusal::precondition(
            "CLOCK_NOT_RUNNING",
            "BB-8a",
            "期限已经停止",
            "the clock stands already",
        ));
    }
    let ground = outside
        .item
        .clock_stops
        .iter()
        .find(|s| s.code == request.code)
        .ok_or_else(|| {
            Refusal::invalid(
                "STOP_WITHOUT_GROUND",
                "BB-8a",
                "没有该停止事由：停止期限须有法定或事项规定的依据",
                "this is no ground of the item: a clock stops only on a cited rule",
            )
            .field("code", "no ground of the item")
        })?;
    let from = match &request.from {
        None => outside.at().unwrap_or_default(),
        given => reported("from", given.as_ref(), clock.started_at.as_ref(), outside)?,
    };
    let stop = Stop {
        code: ground.code.clone(),
        citation: ground.citation.clone(),
        from: Some(from),
        to: None,
        told: request.told.clone(),
    };
    let mut acts = Vec::new();
    for clock in &all {
        let mut standing = (*clock).clone();
        standing.stops.push(stop.clone());
        let (passed, _) = limits::due(outside.calendar, &standing)?;
        if passed.is_none() {
            acts.push(Act::ClockStopped(ClockStopped {
                clock: clock.id.clone(),
                stop: Some(stop.clone()),
            }));
        }
    }
    if acts.is_empty() {
        return Err(Refusal::precondition(
            "CLOCK_NOT_RUNNING",
            "BB-8a",
            "期限在此之前已经届满，不能再停止",
            "the limit had passed before: what is late is not made undone by a stop",
        ));
    }
    Ok(acts)
}

/// Lets the decision clock go on.
///
/// # Errors
/// CLOCK_NOT_STOPPED.
pub fn resume(
    case: &Case,
    request: &ResumeClockRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let (_, all) = decision_clocks(case)?;
    let mut stops = all.iter().flat_map(|c| &c.stops);
    let standing = stops.find(|s| s.to.is_none()).ok_or_else(|| {
        Refusal::precondition(
            "CLOCK_NOT_STOPPED",
            "BB-8a",
            "期限并未停止",
            "the clock does not stand still",
        )
    })?;
    let at = match &request.at {
        None => outside.at().unwrap_or_default(),
        given => reported("at", given.as_ref(), standing.from.as_ref(), outside)?,
    };
    let mut acts = Vec::new();
    for clock in all {
        let mut changed = clock.clone();
        let mut is_standing = false;
        for stop in changed.stops.iter_mut().filter(|s| s.to.is_none()) {
            stop.to = Some(at);
            is_standing = true;
        }
        if is_standing {
            acts.push(Act::ClockResumed(ClockResumed {
                clock: clock.id.clone(),
                at: Some(at),
            }));
            acts.extend(clock::recomputed(
                clock,
                &changed,
                "resumed",
                outside.calendar,
            )?);
        }
    }
    Ok(acts)
}

/// Records the one extension (行政许可法 art. 42).
///
/// # Errors
/// CLOCK_NOT_RUNNING, ALREADY_EXTENDED, EXTENSION_NOT_PROVIDED, EXTENSION_TOO_LATE.
pub fn extend(
    case: &Case,
    request: &ExtendDecisionRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let (_, all) = decision_clocks(case)?;
    if all.iter().any(|c| !c.extensions.is_empty()) {
        return Err(Refusal::precondition(
            "ALREADY_EXTENDED",
            "BB-8a",
            "只能延长一次",
            "it was extended once already",
        ));
    }
    let limit = outside
        .item
        .limits
        .iter()
        .find(|l| l.name() == LimitName::Extension && l.amount > 0)
        .ok_or_else(|| {
            Refusal::precondition(
                "EXTENSION_NOT_PROVIDED",
                "BB-8a",
                "该事项没有规定可以延长",
                "the item provides for no extension",
            )
        })?;
    let extension = Extension {
        amount: limit.amount,
        unit: limit.unit,
        approved_by: request.approved_by.clone(),
        reason: request.reason.clone(),
        citation: limit.citation.clone(),
        told: request.told.clone(),
        extended_at: outside.at(),
    };
    // What is late is not made undone by an extension: only a limit that has not passed is extended.
    let has_passed = |clock: &&Clock| {
        clock
            .due_at
            .and_then(|due| instant(&due))
            .is_some_and(|due| due < outside.now)
    };
    let mut acts = Vec::new();
    for clock in all.into_iter().filter(|c| !has_passed(c)) {
        let mut changed = clock.clone();
        changed.extensions.push(extension.clone());
        acts.push(Act::DecisionExtended(DecisionExtended {
            clock: clock.id.clone(),
            extension: Some(extension.clone()),
        }));
        acts.extend(clock::recomputed(
            clock,
            &changed,
            "extended",
            outside.calendar,
        )?);
    }
    if acts.is_empty() {
        return Err(Refusal::precondition(
            "EXTENSION_TOO_LATE",
            "BB-8a",
            "期限已经届满，不能再延长",
            "the limit has passed: what is late is not made undone by an extension",
        ));
    }
    Ok(acts)
}
