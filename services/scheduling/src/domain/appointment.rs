//! An appointment from its confirmation to its end: given up, moved, kept or not (BB-9.2b).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{Breach, BreachKind, BreachRecorded},
    scheduling::v1::{
        Booking, BookingCancelled, BookingMoved, BookingPolicy, BookingState, CancelReason,
        CheckedIn, NoShowRecorded, OtherTimes, ReminderDue, ServiceCompleted, ServiceStarted,
    },
    types::v1::Channel,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Act, Outside,
    outside::{instant, timestamp},
    rate::{self, Kept, Verdict},
    reminder, time,
};

/// A state as a clerk reads it.
#[must_use]
pub fn state_zh(state: BookingState) -> &'static str {
    match state {
        BookingState::Unspecified => "未知",
        BookingState::Confirmed => "已预约",
        BookingState::CheckedIn => "已签到",
        BookingState::InService => "办理中",
        BookingState::Completed => "已办结",
        BookingState::Cancelled => "已取消",
        BookingState::NoShow => "未到",
    }
}

/// OUT_OF_ORDER (BB-8d), unless the appointment stands there.
fn is_in(booking: &Booking, states: &[BookingState], zh: &str, en: &str) -> Result<(), Refusal> {
    let state = booking.state();
    if states.contains(&state) {
        return Ok(());
    }
    Err(Refusal::precondition(
        "OUT_OF_ORDER",
        "BB-8d",
        format!("{zh}（当前状态：{}）", state_zh(state)),
        format!(
            "{en} (the appointment is {})",
            state.as_str_name().trim_start_matches("BOOKING_STATE_")
        ),
    ))
}

/// Gives an appointment up, before it begins: afterwards it was kept or it was not. What the site cannot keep is never
/// late, whoever gives it up, and may turn out while it lasts: then it is the institution's breach, as a service that starts
/// too late is. `is_given` says whether its slot still gives its seat.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d), CANCEL_TOO_LATE (BB-9.2b).
pub fn cancel(
    booking: &Booking,
    reason: CancelReason,
    is_given: bool,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    is_in(
        booking,
        &[BookingState::Confirmed],
        "只有尚未签到的预约才能取消",
        "only an appointment whose applicant is not there yet is cancelled",
    )?;
    let end = match reason {
        CancelReason::Site => &booking.ends_at,
        _ => &booking.starts_at,
    };
    if outside.now >= time::of(end.as_ref()) {
        return Err(Refusal::precondition(
            "CANCEL_TOO_LATE",
            "BB-9.2b",
            "预约时段已开始或已过，不能取消；未到场的记为未到，可在期限内申诉",
            "its time has begun and it is not given up any more: who does not come is a no-show, and may appeal",
        ));
    }
    let cancelled = Act::BookingCancelled(BookingCancelled {
        reason: reason.into(),
        is_late: is_late(booking, is_given, outside) && reason != CancelReason::Site,
    });
    let has_begun = outside.now >= time::of(booking.starts_at.as_ref());
    let breach = has_begun.then(|| breach(booking, &booking.site, outside.now));
    Ok(breach.into_iter().chain([cancelled]).collect())
}

/// Whether giving its time up now is so late that it counts. A time that the site cannot keep, or has no seat for any more,
/// is of use to nobody else, and never given up too late.
fn is_late(booking: &Booking, is_given: bool, outside: &Outside<'_>) -> bool {
    let until = TimeDelta::minutes(outside.policy.cancel_until_minutes.into());
    let is_free_to = !is_given || booking.is_kept || offered(booking).is_some();
    !is_free_to && outside.now > time::of(booking.starts_at.as_ref()) - until
}

/// The other times that were offered because the site cannot keep the one that the appointment has (BB-9.2b).
#[must_use]
pub fn offered(booking: &Booking) -> Option<&OtherTimes> {
    let moved = booking.former_times.last();
    let moved = moved.map(|f| time::of(f.moved_at.as_ref()));
    let last = booking.other_times.last();
    last.filter(|o| moved.is_none_or(|moved| moved < time::of(o.offered_at.as_ref())))
}

/// Whether the site could not keep the time that the appointment has, and its applicant was told so (BB-9.2b).
#[must_use]
pub fn is_taken_away(booking: &Booking) -> bool {
    !booking.is_kept && offered(booking).is_some()
}

/// Whether any of them could be offered so far: where nothing was free, they are none.
#[must_use]
pub fn has_other_times(booking: &Booking) -> bool {
    offered(booking).is_some_and(|other| !other.slots.is_empty())
}

/// Whether an appointment may be moved.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d), MOVE_TOO_LATE, SLOT_SAME (BB-9.2b).
pub fn may_move(booking: &Booking, slot: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
    is_in(
        booking,
        &[BookingState::Confirmed],
        "只有尚未签到的预约才能改期",
        "only an appointment whose applicant is not there yet is moved",
    )?;
    if now >= time::of(booking.starts_at.as_ref()) {
        return Err(Refusal::precondition(
            "MOVE_TOO_LATE",
            "BB-9.2b",
            "预约时段已开始，不能改期；请现场取号或另行预约",
            "its time has begun: take a number on the spot, or book again",
        ));
    }
    if booking.slot == slot {
        return Err(Refusal::invalid(
            "SLOT_SAME",
            "BB-9.2b",
            "该预约已在此时段，请选择其他时段",
            "the appointment is at that time already: choose another",
        )
        .field("slot", "the one that it has"));
    }
    Ok(())
}

/// The act of moving to a slot that was found free. `is_given` says whether its own slot still gives its seat: from one that
/// does not it is never late.
#[must_use]
pub fn moved(booking: &Booking, to: BookingMoved, is_given: bool, outside: &Outside<'_>) -> Act {
    Act::BookingMoved(BookingMoved {
        moved_by: outside.actor(),
        is_late: is_late(booking, is_given, outside),
        ..to
    })
}

/// The applicant is there.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d), CHECK_IN_TOO_EARLY, CHECK_IN_TOO_LATE (BB-9.2b).
pub fn check_in(
    booking: &Booking,
    channel: Channel,
    outside: &Outside<'_>,
) -> Result<Act, Refusal> {
    is_in(
        booking,
        &[BookingState::Confirmed],
        "该预约不能签到",
        "nobody checks in to it",
    )?;
    rate::may_check_in(booking, outside.policy, outside.now)?;
    Ok(Act::CheckedIn(CheckedIn {
        channel: channel.into(),
    }))
}

/// Service starts. Outside the slot it is the institution's breach (BB-9.2b).
///
/// # Errors
/// OUT_OF_ORDER (BB-8d).
pub fn start(booking: &Booking, outside: &Outside<'_>) -> Result<Vec<Act>, Refusal> {
    is_in(
        booking,
        &[BookingState::CheckedIn],
        "请先签到，再开始办理",
        "the applicant checks in first",
    )?;
    let mut acts = vec![Act::ServiceStarted(ServiceStarted {
        agent: outside.caller.subject.clone(),
    })];
    let kept = Kept {
        started_at: Some(outside.now),
        ..kept(booking)
    };
    if rate::verdict(&kept, outside.now) == Verdict::Breach && booking.breaches.is_empty() {
        acts.push(breach(booking, &outside.caller.subject, outside.now));
    }
    Ok(acts)
}

/// Service has ended.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d).
pub fn complete(booking: &Booking) -> Result<Act, Refusal> {
    is_in(
        booking,
        &[BookingState::InService],
        "尚未开始办理，不能办结",
        "service has not started",
    )?;
    Ok(Act::ServiceCompleted(ServiceCompleted {}))
}

/// Whether links are made for it: while it can be moved or cancelled.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d).
pub fn is_open(booking: &Booking) -> Result<(), Refusal> {
    is_in(
        booking,
        &[BookingState::Confirmed],
        "该预约已不能改期或取消",
        "it is neither moved nor cancelled any more",
    )
}

fn breach(booking: &Booking, subject: &str, now: DateTime<Utc>) -> Act {
    Act::BreachRecorded(BreachRecorded {
        breach: Some(Breach {
            kind: BreachKind::Late.into(),
            subject: subject.to_owned(),
            requirement: "BB-9.2b".to_owned(),
            clock: booking.slot.clone(),
            recorded_at: Some(timestamp(now)),
        }),
    })
}

/// What happened to it, as the rate sees it.
#[must_use]
pub fn kept(booking: &Booking) -> Kept {
    Kept {
        starts_at: time::of(booking.starts_at.as_ref()),
        ends_at: time::of(booking.ends_at.as_ref()),
        checked_in_at: booking.checked_in_at.as_ref().and_then(instant),
        started_at: booking.service_started_at.as_ref().and_then(instant),
        is_taken_away: is_taken_away(booking),
    }
}

/// When something is due unasked: a reminder, or the end of the slot. Once the slot has started, a reminder that was missed
/// is due no more: it would be looked at for ever and never given.
#[must_use]
pub fn next_due(
    booking: &Booking,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (starts_at, ends_at) = (
        time::of(booking.starts_at.as_ref()),
        time::of(booking.ends_at.as_ref()),
    );
    match booking.state() {
        BookingState::Confirmed => {
            let next = reminder::next_at(booking, rules).filter(|_| now < starts_at);
            Some(next.unwrap_or(ends_at))
        }
        BookingState::CheckedIn if booking.breaches.is_empty() => Some(ends_at),
        _ => None,
    }
}

/// What is due unasked: a reminder; a no-show, which is nobody's breach; the institution's breach of a service that did not
/// start for one who was there, and of a time that the site took away from somebody who has no other: that one ends with
/// it (BB-9.2b).
#[must_use]
pub fn due(booking: &Booking, rules: &Outside<'_>) -> Vec<Act> {
    let now = rules.now;
    match (booking.state(), rate::verdict(&kept(booking), now)) {
        (BookingState::Confirmed, Verdict::NoShow) => vec![Act::NoShowRecorded(NoShowRecorded {})],
        (BookingState::Confirmed, Verdict::Breach) => vec![
            breach(booking, &booking.site, now),
            Act::BookingCancelled(BookingCancelled {
                reason: CancelReason::Site.into(),
                is_late: false,
            }),
        ],
        (BookingState::CheckedIn, Verdict::Breach) if booking.breaches.is_empty() => {
            vec![breach(booking, &booking.site, now)]
        }
        _ => {
            let reminder = reminder::due(booking, rules.policy, now);
            let due = |reminder| {
                Act::ReminderDue(ReminderDue {
                    reminder: Some(reminder),
                })
            };
            reminder.map(due).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests;
