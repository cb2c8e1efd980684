use bangban_kit::identity::Caller;
use bangban_proto::bangban::scheduling::v1::FormerTime;
use proptest::prelude::*;

use super::*;
use crate::domain::{fold, policy};

const SLOT_MINUTES: i64 = 30;

/// So many minutes after the start of the appointment.
fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + 60 * minute, 0).expect("an instant")
}

/// An appointment whose site offered other times then, that was moved then, and that is kept all the same.
fn booking(offered: Option<i64>, moved: Option<i64>, is_kept: bool) -> Booking {
    let other_times = offered.map(|minute| OtherTimes {
        offered_at: Some(timestamp(at(minute))),
        ..OtherTimes::default()
    });
    let former = moved.map(|minute| FormerTime {
        moved_at: Some(timestamp(at(minute))),
        ..FormerTime::default()
    });
    Booking {
        state: BookingState::Confirmed.into(),
        site: "town-centre".to_owned(),
        slot: "town-centre.2026-12-01.0".to_owned(),
        confirmed_at: Some(timestamp(at(-6_000))),
        starts_at: Some(timestamp(at(0))),
        ends_at: Some(timestamp(at(SLOT_MINUTES))),
        other_times: other_times.into_iter().collect(),
        former_times: former.into_iter().collect(),
        is_kept,
        ..Booking::default()
    }
}

/// Whether the site took away the time that the appointment has.
fn is_offered(offered: Option<i64>, moved: Option<i64>) -> bool {
    offered.is_some_and(|offered| moved.is_none_or(|moved| moved < offered))
}

fn minute() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(-5_000_i64..0)
}

proptest! {
    /// Who does not come to a time that the site kept is a no-show, and nobody else is.
    #[test]
    fn bb_9_2b_a_time_that_was_taken_away_ends_as_the_institutions_breach_and_any_other_as_a_no_show(
        offered in minute(), moved in minute(), is_kept: bool, late in 0_i64..10_000,
    ) {
        let mut booking = booking(offered, moved, is_kept);
        let (caller, rules) = (Caller::system("scheduling"), policy::filled(&BookingPolicy::default()));
        let outside = Outside { now: at(SLOT_MINUTES + late), caller: &caller, policy: &rules };
        let acts = due(&booking, &outside);
        for act in &acts {
            fold::booking(&mut booking, act, timestamp(outside.now), false);
        }
        if is_offered(offered, moved) && !is_kept {
            let [Act::BreachRecorded(_), Act::BookingCancelled(cancelled)] = &acts[..] else {
                return Err(TestCaseError::fail(format!("{acts:?}")));
            };
            prop_assert_eq!((cancelled.reason(), cancelled.is_late), (CancelReason::Site, false));
            prop_assert_eq!(&booking.breaches[0].subject, &booking.site);
            prop_assert_eq!(booking.breaches.len(), 1);
            prop_assert_eq!(booking.state(), BookingState::Cancelled);
        } else {
            prop_assert!(matches!(acts[..], [Act::NoShowRecorded(_)]), "{:?}", acts);
            prop_assert!(booking.breaches.is_empty());
        }
        prop_assert_eq!(due(&booking, &outside), vec![], "once");
        prop_assert_eq!(next_due(&booking, &rules, outside.now), None);
    }

    /// Only a time that somebody else could have had is given up too late.
    #[test]
    fn bb_9_2b_what_the_site_cannot_keep_is_never_cancelled_or_moved_too_late(
        offered in minute(), moved_then in minute(), is_kept: bool, is_given: bool, before in 1_i64..500,
    ) {
        let booking = booking(offered, moved_then, is_kept);
        let (caller, rules) = (Caller::system("scheduling"), policy::filled(&BookingPolicy::default()));
        let outside = Outside { now: at(-before), caller: &caller, policy: &rules };
        let counts = before < 120 && is_given && !is_kept && !is_offered(offered, moved_then);
        let acts = cancel(&booking, CancelReason::Applicant, is_given, &outside).expect("in time");
        let [Act::BookingCancelled(cancelled)] = &acts[..] else {
            return Err(TestCaseError::fail("other acts"));
        };
        prop_assert_eq!(cancelled.is_late, counts);
        let Act::BookingMoved(act) = moved(&booking, BookingMoved::default(), is_given, &outside) else {
            return Err(TestCaseError::fail("another act"));
        };
        prop_assert_eq!(act.is_late, counts);
    }

    /// What the site gives up while it lasts is a service that did not start in time.
    #[test]
    fn bb_9_2b_what_the_site_gives_up_once_it_has_begun_is_its_breach(
        offered in minute(), moved in minute(), is_kept: bool, is_given: bool, minute in -500_i64..60,
    ) {
        let mut booking = booking(offered, moved, is_kept);
        let (caller, rules) = (Caller::system("li-na"), policy::filled(&BookingPolicy::default()));
        let outside = Outside { now: at(minute), caller: &caller, policy: &rules };
        let acts = cancel(&booking, CancelReason::Site, is_given, &outside);
        if minute >= SLOT_MINUTES {
            prop_assert_eq!(acts.expect_err("it is over").reason, "CANCEL_TOO_LATE");
            return Ok(());
        }
        for act in acts.expect("given up") {
            fold::booking(&mut booking, &act, timestamp(outside.now), false);
        }
        prop_assert_eq!(booking.state(), BookingState::Cancelled);
        prop_assert!(!booking.is_late_cancellation);
        let subjects: Vec<_> = booking.breaches.iter().map(|breach| breach.subject.as_str()).collect();
        let expected: &[&str] = if minute < 0 { &[] } else { &["town-centre"] };
        prop_assert_eq!(subjects, expected);
    }
}

/// The site took the time away: other times were offered, and nobody is reminded of this one, unless it is kept.
#[test]
fn bb_9_2b_nobody_is_reminded_of_a_time_that_the_site_cannot_keep() {
    let rules = policy::filled(&BookingPolicy::default());
    for (offered, is_kept, is_reminded) in [
        (None, false, true),
        (Some(-5_000), false, false),
        (Some(-5_000), true, true),
    ] {
        let booking = booking(offered, None, is_kept);
        let (caller, now) = (Caller::system("scheduling"), at(-1_400));
        let outside = Outside {
            now,
            caller: &caller,
            policy: &rules,
        };
        let acts = due(&booking, &outside);
        assert_eq!(
            matches!(acts[..], [Act::ReminderDue(_)]),
            is_reminded,
            "{acts:?}"
        );
        assert_eq!(acts.is_empty(), !is_reminded);
        // Its end is looked at all the same.
        let next = next_due(&booking, &rules, now);
        assert_eq!(next == Some(at(SLOT_MINUTES)), !is_reminded, "{next:?}");
    }
}
