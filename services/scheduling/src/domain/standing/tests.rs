use bangban_proto::bangban::scheduling::v1::FormerTime;
use proptest::prelude::*;

use super::*;
use crate::domain::fold;

fn at(day: i64) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2026-11-01T01:00:00Z".parse().expect("an instant");
    first + TimeDelta::days(day)
}

fn booking(id: &str) -> Booking {
    Booking {
        id: id.to_owned(),
        ..Booking::default()
    }
}

fn late(id: &str) -> Booking {
    Booking {
        is_late_cancellation: true,
        cancel_reason: CancelReason::Applicant.into(),
        ..booking(id)
    }
}

fn moved_late(id: &str) -> Booking {
    Booking {
        former_times: vec![FormerTime {
            is_late: true,
            ..FormerTime::default()
        }],
        ..booking(id)
    }
}

fn rules() -> BookingPolicy {
    BookingPolicy::default()
}

/// The acts, applied as the service applies them.
fn happen(standing: &mut Standing, acts: &[Act], now: DateTime<Utc>) {
    for act in acts {
        fold::standing(standing, act, timestamp(now), false);
    }
}

fn misses(standing: &mut Standing, id: &str, day: i64) {
    let acts = no_show(standing, &booking(id), &rules(), at(day));
    happen(standing, &acts, at(day));
}

fn appeals(standing: &mut Standing, id: &str, day: i64) -> Result<(), Refusal> {
    let act = appeal(standing, id, AppealGround::Ill, &rules(), at(day))?;
    happen(standing, &[act], at(day));
    Ok(())
}

fn decided(standing: &mut Standing, number: u32, is_upheld: bool, day: i64) -> Result<(), Refusal> {
    let decider = Actor {
        subject: "supervisor".to_owned(),
        ..Actor::default()
    };
    let acts = decide(
        standing,
        (number, is_upheld),
        (&decider, &["li-na"]),
        &rules(),
        at(day),
    )?;
    happen(standing, &acts, at(day));
    Ok(())
}

fn refused(standing: &Standing, day: i64) -> Option<(&'static str, &'static str)> {
    may_book(standing, false, at(day))
        .err()
        .map(|r| (r.reason, r.requirement))
}

#[test]
fn the_first_no_show_is_a_warning_and_the_second_makes_booking_rest() {
    let mut standing = Standing::default();
    misses(&mut standing, "a", 0);
    assert!(standing.warned_at.is_some() && standing.rests_until.is_none());
    assert_eq!(refused(&standing, 1), None);
    misses(&mut standing, "b", 10);
    let refusal = may_book(&standing, false, at(11)).expect_err("rests");
    assert_eq!(
        (refusal.reason, refusal.requirement),
        ("BOOKING_RESTS", "BB-9.2b")
    );
    assert!(
        refusal.zh.contains("申诉") && refusal.zh.contains("12月11日"),
        "{}",
        refusal.zh
    );
    assert!(
        refusal.en.contains("appeal") && refusal.en.contains("11 December"),
        "{}",
        refusal.en
    );
    assert_eq!(refused(&standing, 39), Some(("BOOKING_RESTS", "BB-9.2b")));
    assert_eq!(refused(&standing, 40), None, "it is over");
}

#[test]
fn a_no_show_of_long_ago_counts_no_more() {
    let mut standing = Standing::default();
    misses(&mut standing, "a", 0);
    misses(&mut standing, "b", 31);
    assert_eq!(refused(&standing, 31), None);
    assert_eq!(standing.marks.len(), 2, "it stays on record");
}

#[test]
fn people_of_special_groups_are_exempt() {
    let assisted = Booking {
        is_assisted: true,
        ..late("a")
    };
    let standing = Standing::default();
    assert!(no_show(&standing, &assisted, &rules(), at(0)).is_empty());
    assert!(cancelled(&standing, &assisted, &rules(), at(0)).is_empty());
    let rests = Standing {
        rests_until: Some(timestamp(at(30))),
        ..Standing::default()
    };
    assert!(
        may_book(&rests, true, at(0)).is_ok(),
        "who has become one is exempt too"
    );
}

#[test]
fn late_cancellations_count_on_their_own_and_those_in_time_or_by_the_site_do_not() {
    let mut standing = Standing::default();
    let by_site = Booking {
        cancel_reason: CancelReason::Site.into(),
        ..late("s")
    };
    assert!(cancelled(&standing, &by_site, &rules(), at(0)).is_empty());
    assert!(cancelled(&standing, &booking("t"), &rules(), at(0)).is_empty());
    for n in 0..5 {
        assert_eq!(refused(&standing, n), None);
        let acts = cancelled(&standing, &late(&n.to_string()), &rules(), at(n));
        happen(&mut standing, &acts, at(n));
    }
    assert!(refused(&standing, 5).is_some(), "the fifth");
    assert_eq!(standing.warned_at, Some(timestamp(at(0))), "by the first");
}

#[test]
fn who_appeals_against_a_late_mark_has_the_last_of_the_appointment_lifted() {
    let mut standing = Standing::default();
    for n in 0..5 {
        let acts = cancelled(&standing, &late(&n.to_string()), &rules(), at(n));
        happen(&mut standing, &acts, at(n));
    }
    assert!(refused(&standing, 5).is_some());
    appeals(&mut standing, "4", 5).expect("an appeal");
    assert_eq!(refused(&standing, 5), None, "until it is decided");
    decided(&mut standing, 1, true, 6).expect("decided");
    assert_eq!(refused(&standing, 6), None, "four are left");
    let again = appeals(&mut standing, "4", 6).expect_err("lifted already");
    assert_eq!(again.reason, "MARK_UNKNOWN");
    // Moved late, and then not kept: one after the other.
    let acts = moved(&standing, &moved_late("m"), &rules(), at(7));
    happen(&mut standing, &acts, at(7));
    appeals(&mut standing, "m", 7).expect("an appeal");
    decided(&mut standing, 2, false, 7).expect("decided");
    misses(&mut standing, "m", 8);
    appeals(&mut standing, "m", 8).expect("against the no-show");
    decided(&mut standing, 3, true, 9).expect("decided");
    let left: Vec<_> = standing.marks.iter().filter(|m| m.booking == "m").collect();
    assert!(!left[0].is_lifted && left[1].is_lifted, "{left:?}");
}

#[test]
fn late_moves_count_with_late_cancellations_and_those_in_time_do_not() {
    let mut standing = Standing::default();
    let mut in_time = moved_late("t");
    in_time.former_times.push(FormerTime::default());
    assert!(moved(&standing, &in_time, &rules(), at(0)).is_empty());
    let assisted = Booking {
        is_assisted: true,
        ..moved_late("a")
    };
    assert!(moved(&standing, &assisted, &rules(), at(0)).is_empty());
    for n in 0..5 {
        assert_eq!(refused(&standing, n), None);
        let id = n.to_string();
        let acts = if n % 2 == 0 {
            moved(&standing, &moved_late(&id), &rules(), at(n))
        } else {
            cancelled(&standing, &late(&id), &rules(), at(n))
        };
        happen(&mut standing, &acts, at(n));
    }
    assert!(refused(&standing, 5).is_some(), "the fifth");
    // Whose no-show is lifted has moved it late all the same.
    misses(&mut standing, "4", 6);
    appeals(&mut standing, "4", 7).expect("an appeal");
    decided(&mut standing, 1, true, 8).expect("decided");
    assert!(refused(&standing, 8).is_some(), "five are left");
}

#[test]
fn who_appeals_goes_on_booking_until_it_is_decided() {
    let mut standing = Standing::default();
    misses(&mut standing, "a", 0);
    misses(&mut standing, "b", 1);
    appeals(&mut standing, "b", 2).expect("an appeal");
    assert_eq!(refused(&standing, 2), None);
    decided(&mut standing, 1, false, 3).expect("decided");
    assert!(refused(&standing, 3).is_some());
    appeals(&mut standing, "a", 3).expect("the other");
    decided(&mut standing, 2, true, 4).expect("decided");
    assert_eq!(refused(&standing, 4), None, "one no-show is left");
}

#[test]
fn a_rest_that_what_is_left_would_have_brought_about_as_well_goes_on() {
    let mut standing = Standing::default();
    for (id, day) in [("a", 0), ("b", 1), ("c", 2)] {
        misses(&mut standing, id, day);
    }
    appeals(&mut standing, "c", 3).expect("an appeal");
    decided(&mut standing, 1, true, 4).expect("decided");
    assert!(refused(&standing, 4).is_some());
}

#[test]
fn appeals_have_a_limit_and_are_decided_by_others() {
    let mut standing = Standing::default();
    misses(&mut standing, "a", 0);
    let reason = |result: Result<(), Refusal>| result.expect_err("refused").reason;
    assert_eq!(reason(appeals(&mut standing, "z", 1)), "MARK_UNKNOWN");
    assert_eq!(reason(appeals(&mut standing, "a", 10)), "APPEAL_TOO_LATE");
    appeals(&mut standing, "a", 9).expect("in time");
    assert_eq!(reason(appeals(&mut standing, "a", 9)), "APPEAL_MADE");
    assert_eq!(reason(decided(&mut standing, 7, true, 9)), "APPEAL_UNKNOWN");
    let clerk = Actor {
        subject: "li-na".to_owned(),
        ..Actor::default()
    };
    let own = decide(&standing, (1, true), (&clerk, &["li-na"]), &rules(), at(9)).expect_err("own");
    assert_eq!((own.reason, own.requirement), ("NOT_THE_DECIDER", "BB-6.1"));
    decided(&mut standing, 1, false, 9).expect("decided");
    assert_eq!(reason(decided(&mut standing, 1, true, 9)), "APPEAL_UNKNOWN");
}

proptest! {
    /// In every history, whatever the district's numbers.
    #[test]
    fn nobody_rests_without_a_warning_before_and_every_rest_ends(
        limit in 0_u32..4, days in 1_u32..60,
        history in prop::collection::vec((0_i64..20, any::<bool>()), 1..30),
    ) {
        let rules = BookingPolicy { no_show_limit: limit, standing_days: days, ..BookingPolicy::default() };
        let (mut standing, mut day) = (Standing::default(), 0);
        for (n, (step, is_assisted)) in history.into_iter().enumerate() {
            day += step;
            let missed = Booking { is_assisted, ..booking(&n.to_string()) };
            let acts = no_show(&standing, &missed, &rules, at(day));
            prop_assert_eq!(acts.is_empty(), is_assisted);
            let rests = acts.iter().any(|a| matches!(a, Act::BookingRested(_)));
            let warns = acts.iter().any(|a| matches!(a, Act::StandingWarned(_)));
            prop_assert!(!(rests && warns), "a warning is nothing else");
            if rests {
                prop_assert!(standing.warned_at.is_some());
            }
            happen(&mut standing, &acts, at(day));
            prop_assert!(may_book(&standing, false, at(day + 30)).is_ok());
            prop_assert!(may_book(&standing, true, at(day)).is_ok());
        }
    }
}
