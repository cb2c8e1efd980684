//! When the applicant is reminded of an appointment: several times before it, each of them an act in the feed.

use bangban_limits::time::timestamp;
use bangban_proto::bangban::scheduling::v1::{Booking, BookingPolicy, BookingState, Reminder};
use chrono::{DateTime, TimeDelta, Utc};

use super::{appointment, policy, time};

/// When the appointment got the time that it has: confirmed, or last moved.
fn settled_at(booking: &Booking) -> DateTime<Utc> {
    let moved = booking
        .former_times
        .last()
        .and_then(|t| t.moved_at.as_ref());
    time::of(moved.or(booking.confirmed_at.as_ref()))
}

/// Reminders of an appointment at the time that it has, given or not, the first one first. One that would lie before
/// the booking or the move is none: who has just booked knows.
#[must_use]
pub fn reminders(booking: &Booking, rules: &BookingPolicy) -> Vec<(DateTime<Utc>, u32)> {
    let (settled, starts) = (settled_at(booking), time::of(booking.starts_at.as_ref()));
    let mut times: Vec<_> = policy::filled(rules)
        .reminder_minutes
        .into_iter()
        .map(|minutes| (starts - TimeDelta::minutes(minutes.into()), minutes))
        .filter(|(at, _)| *at > settled && *at < starts)
        .collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Reminders that are not given yet.
fn open(booking: &Booking, rules: &BookingPolicy) -> Vec<(DateTime<Utc>, u32)> {
    // Of a time that the site cannot keep nobody is reminded: others were offered.
    if booking.state() != BookingState::Confirmed || appointment::is_taken_away(booking) {
        return Vec::new();
    }
    // Reminders of a former time became due before the move, and those of this one lie behind it.
    let given = booking
        .reminders
        .iter()
        .map(|r| time::of(r.due_at.as_ref()))
        .max();
    let mut times = reminders(booking, rules);
    times.retain(|(at, _)| given.is_none_or(|given| given < *at));
    times
}

/// When the next reminder becomes due, or became due and was not given.
#[must_use]
pub fn next_at(booking: &Booking, rules: &BookingPolicy) -> Option<DateTime<Utc>> {
    open(booking, rules).first().map(|(at, _)| *at)
}

/// The reminder to give now. Of several that were missed it is the last, and none once the slot has started: a service
/// that stood still does not ring three times.
#[must_use]
pub fn due(booking: &Booking, rules: &BookingPolicy, now: DateTime<Utc>) -> Option<Reminder> {
    if now >= time::of(booking.starts_at.as_ref()) {
        return None;
    }
    let missed = open(booking, rules)
        .into_iter()
        .rev()
        .find(|(at, _)| *at <= now);
    missed.map(|(at, minutes)| Reminder {
        minutes,
        due_at: Some(timestamp(at)),
    })
}

#[cfg(test)]
mod tests {
    use bangban_proto::bangban::scheduling::v1::FormerTime;
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 24 * 60;

    fn instant(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + 60 * minute, 0).expect("an instant")
    }

    fn booking(booked: i64, starts: i64) -> Booking {
        Booking {
            state: BookingState::Confirmed.into(),
            confirmed_at: Some(timestamp(instant(booked))),
            starts_at: Some(timestamp(instant(starts))),
            ..Booking::default()
        }
    }

    fn rules(minutes: &[u32]) -> BookingPolicy {
        BookingPolicy {
            reminder_minutes: minutes.to_vec(),
            ..BookingPolicy::default()
        }
    }

    #[test]
    fn who_books_for_tomorrow_is_not_reminded_of_what_lies_behind() {
        let (booking, rules) = (booking(0, 20 * 60), rules(&[3 * 1440, 1440, 120]));
        assert_eq!(reminders(&booking, &rules), [(instant(18 * 60), 120)]);
        assert_eq!(due(&booking, &rules, instant(18 * 60 - 1)), None);
        let given = due(&booking, &rules, instant(18 * 60)).expect("due");
        assert_eq!(
            (given.minutes, time::of(given.due_at.as_ref())),
            (120, instant(18 * 60))
        );
        assert_eq!(
            due(&booking, &rules, instant(20 * 60)),
            None,
            "it has started"
        );
    }

    #[test]
    fn an_appointment_that_was_moved_is_reminded_of_anew_and_one_that_was_cancelled_is_not() {
        let rules = BookingPolicy::default();
        let mut booking = booking(0, 10 * DAY);
        let first = due(&booking, &rules, instant(7 * DAY)).expect("three days before");
        booking.reminders.push(first);
        assert_eq!(next_at(&booking, &rules), Some(instant(9 * DAY)));
        booking.former_times.push(FormerTime {
            moved_at: Some(timestamp(instant(7 * DAY + 60))),
            ..FormerTime::default()
        });
        booking.starts_at = Some(timestamp(instant(20 * DAY)));
        assert_eq!(next_at(&booking, &rules), Some(instant(17 * DAY)));
        booking.set_state(BookingState::Cancelled);
        assert_eq!(next_at(&booking, &rules), None);
        assert_eq!(due(&booking, &rules, instant(19 * DAY)), None);
    }

    proptest! {
        #[test]
        fn each_reminder_is_given_at_most_once_in_order_and_never_after_the_start(
            ahead in 1_i64..10_000, minutes in prop::collection::vec(10_u32..12_000, 0..6),
            sweeps in prop::collection::vec(0_i64..3_000, 0..40),
        ) {
            let rules = rules(&minutes);
            let mut booking = booking(0, ahead);
            let all = reminders(&booking, &rules);
            let (mut minute, mut given) = (0, Vec::new());
            for step in sweeps {
                minute += step;
                let now = instant(minute);
                if let Some(reminder) = due(&booking, &rules, now) {
                    prop_assert!(now < instant(ahead));
                    given.push(time::of(reminder.due_at.as_ref()));
                    booking.reminders.push(reminder);
                    prop_assert_eq!(due(&booking, &rules, now), None, "once");
                }
                // Before the start a sweep leaves nothing behind that was due.
                if minute < ahead {
                    prop_assert!(next_at(&booking, &rules).is_none_or(|at| at > now));
                    let last = all.iter().rev().find(|(at, _)| *at <= now);
                    prop_assert_eq!(given.last(), last.map(|(at, _)| at));
                }
            }
            prop_assert!(given.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
