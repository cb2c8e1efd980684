//! The only thing that changes a booking, a place in the waiting list or a standing: an act is applied to the state
//! before it. Total: an act that was written is never refused.

use bangban_proto::bangban::scheduling::v1::{
    AppealDecided, Booking, BookingMoved, BookingState, FormerTime, OfferOutcome, Standing,
    Waiting, WaitingState,
};
use prost_types::Timestamp;

use super::{Act, standing as rules, time};

/// Kind of an act as the log names it.
#[must_use]
pub fn kind(act: &Act) -> &'static str {
    match act {
        Act::TemplatePut(_) => "template.put",
        Act::TemplateRemoved(_) => "template.removed",
        Act::ExceptionPut(_) => "exception.put",
        Act::ExceptionRemoved(_) => "exception.removed",
        Act::PublicationPut(_) => "publication.put",
        Act::BookingPolicyPut(_) => "booking_policy.put",
        Act::DayPublished(_) => "day.published",
        Act::DayChanged(_) => "day.changed",
        Act::ReservationLifted(_) => "reservation.lifted",
        Act::BookingConfirmed(_) => "booking.confirmed",
        Act::BookingMoved(_) => "booking.moved",
        Act::BookingCancelled(_) => "booking.cancelled",
        Act::CheckedIn(_) => "booking.checked_in",
        Act::ServiceStarted(_) => "service.started",
        Act::ServiceCompleted(_) => "service.completed",
        Act::NoShowRecorded(_) => "no_show.recorded",
        Act::BookingKept(_) => "booking.kept",
        Act::OtherTimesOffered(_) => "other_times.offered",
        Act::ReminderDue(_) => "reminder.due",
        Act::BreachRecorded(_) => "breach.recorded",
        Act::WaitingJoined(_) => "waiting.joined",
        Act::SeatOffered(_) => "seat.offered",
        Act::OfferEnded(_) => "offer.ended",
        Act::WaitingLeft(_) => "waiting.left",
        Act::WaitingBooked(_) => "waiting.booked",
        Act::OfferExtended(_) => "offer.extended",
        Act::MarkRecorded(_) => "mark.recorded",
        Act::StandingWarned(_) => "standing.warned",
        Act::BookingRested(_) => "booking.rested",
        Act::AppealMade(_) => "appeal.made",
        Act::AppealDecided(_) => "appeal.decided",
    }
}

/// Applies an act on a booking that happened at `at`.
pub fn booking(booking: &mut Booking, act: &Act, at: Timestamp, is_demonstration: bool) {
    match act {
        Act::BookingConfirmed(a) => *booking = a.booking.clone().unwrap_or_default(),
        Act::BookingMoved(a) => moved(booking, a, at),
        Act::BookingCancelled(a) => {
            booking.set_state(BookingState::Cancelled);
            booking.cancelled_at = Some(at);
            booking.cancel_reason = a.reason;
            booking.is_late_cancellation = a.is_late;
            booking.sequence += 1;
        }
        Act::CheckedIn(_) => {
            booking.set_state(BookingState::CheckedIn);
            booking.checked_in_at = Some(at);
        }
        Act::ServiceStarted(_) => {
            booking.set_state(BookingState::InService);
            booking.service_started_at = Some(at);
        }
        Act::ServiceCompleted(_) => {
            booking.set_state(BookingState::Completed);
            booking.completed_at = Some(at);
        }
        Act::NoShowRecorded(_) => {
            booking.set_state(BookingState::NoShow);
            booking.no_show_at = Some(at);
        }
        Act::BookingKept(_) => booking.is_kept = true,
        Act::OtherTimesOffered(a) => {
            booking.other_times.extend(a.other_times.clone());
            booking.is_kept = false;
        }
        Act::ReminderDue(a) => booking.reminders.extend(a.reminder),
        Act::BreachRecorded(a) => booking.breaches.extend(a.breach.clone()),
        _ => {}
    }
    booking.act_count += 1;
    booking.is_demonstration |= is_demonstration;
    booking.etag = booking.act_count.to_string();
}

fn moved(booking: &mut Booking, to: &BookingMoved, at: Timestamp) {
    booking.former_times.push(FormerTime {
        slot: std::mem::replace(&mut booking.slot, to.slot.clone()),
        starts_at: std::mem::replace(&mut booking.starts_at, to.starts_at),
        ends_at: std::mem::replace(&mut booking.ends_at, to.ends_at),
        moved_at: Some(at),
        moved_by: to.moved_by.clone(),
        is_late: to.is_late,
    });
    booking.seat = to.seat;
    booking.epoch = to.epoch;
    booking.site.clone_from(&to.site);
    booking.region.clone_from(&to.region);
    booking.group.clone_from(&to.group);
    booking.sequence += 1;
    booking.is_kept = false;
}

/// Applies an act on a place in the waiting list.
pub fn waiting(waiting: &mut Waiting, act: &Act, at: Timestamp, is_demonstration: bool) {
    match act {
        Act::WaitingJoined(a) => *waiting = a.waiting.clone().unwrap_or_default(),
        Act::SeatOffered(a) => {
            waiting.offers.extend(a.offer.clone());
            waiting.set_state(WaitingState::Offered);
        }
        Act::OfferExtended(a) => {
            for offer in waiting.offers.iter_mut().filter(|o| o.number == a.number) {
                offer.hold.clone_from(&a.hold);
            }
        }
        Act::OfferEnded(a) => {
            ended(waiting, a.number, a.outcome());
            waiting.set_state(WaitingState::Waiting);
        }
        Act::WaitingLeft(_) => {
            waiting.set_state(WaitingState::Left);
            waiting.ended_at = Some(at);
        }
        Act::WaitingBooked(a) => {
            let last = waiting.offers.last().map_or(0, |offer| offer.number);
            ended(waiting, last, OfferOutcome::Accepted);
            waiting.booking.clone_from(&a.booking);
            waiting.set_state(WaitingState::Booked);
            waiting.ended_at = Some(at);
        }
        _ => {}
    }
    waiting.act_count += 1;
    waiting.is_demonstration |= is_demonstration;
    waiting.etag = waiting.act_count.to_string();
}

fn ended(waiting: &mut Waiting, number: u32, outcome: OfferOutcome) {
    for offer in waiting.offers.iter_mut().filter(|o| o.number == number) {
        offer.set_outcome(outcome);
    }
}

/// Applies an act on a person's standing.
pub fn standing(standing: &mut Standing, act: &Act, at: Timestamp, is_demonstration: bool) {
    match act {
        Act::MarkRecorded(a) => standing.marks.extend(a.mark.clone()),
        Act::StandingWarned(_) => standing.warned_at = Some(at),
        Act::BookingRested(a) => standing.rests_until = a.until,
        Act::AppealMade(a) => standing.appeals.extend(a.appeal.clone()),
        Act::AppealDecided(a) => decided(standing, a, at),
        _ => {}
    }
    standing.act_count += 1;
    standing.is_demonstration |= is_demonstration;
    standing.etag = standing.act_count.to_string();
}

/// An appeal that was upheld lifts the mark that it is against, and the rest that followed from it.
fn decided(standing: &mut Standing, decided: &AppealDecided, at: Timestamp) {
    let mut appeals = standing.appeals.iter_mut();
    let Some(appeal) = appeals.find(|appeal| appeal.number == decided.number) else {
        return;
    };
    appeal.decided_at = Some(at);
    appeal.is_upheld = decided.is_upheld;
    appeal.decided_by.clone_from(&decided.decided_by);
    if !decided.is_upheld {
        return;
    }
    let (booking, made_at) = (appeal.booking.clone(), time::of(appeal.made_at.as_ref()));
    let lifted = rules::appealed(standing, &booking, made_at).cloned();
    for mark in &mut standing.marks {
        mark.is_lifted |= Some(&*mark) == lifted.as_ref();
    }
    standing.rests_until = None;
}
