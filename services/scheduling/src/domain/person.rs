//! What one person may have at a time, so that nobody hoards and nobody is in two places at once: decided from the
//! person's own seats and nothing else (BB-7.1.1: what one hoards, those who come first do not get).

use std::time::Duration;

use bangban_kit::refusal::{Kind, Refusal};
use bangban_proto::bangban::scheduling::v1::{Booking, BookingPolicy, Hold};
use chrono::{DateTime, Utc};

use super::{policy, time};

/// A seat that somebody holds or has, or wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat<'a> {
    /// The booking that it is or becomes.
    pub booking: &'a str,
    /// Service item.
    pub item: &'a str,
    /// Start of the slot.
    pub starts_at: DateTime<Utc>,
    /// Its end.
    pub ends_at: DateTime<Utc>,
}

impl<'a> From<&'a Hold> for Seat<'a> {
    fn from(hold: &'a Hold) -> Self {
        Self {
            booking: &hold.booking,
            item: &hold.item,
            starts_at: time::of(hold.starts_at.as_ref()),
            ends_at: time::of(hold.ends_at.as_ref()),
        }
    }
}

impl<'a> From<&'a Booking> for Seat<'a> {
    fn from(booking: &'a Booking) -> Self {
        Self {
            booking: &booking.id,
            item: &booking.item,
            starts_at: time::of(booking.starts_at.as_ref()),
            ends_at: time::of(booking.ends_at.as_ref()),
        }
    }
}

/// Whether a person who has `seats` may have `wanted` too. Seats are live holds and appointments that were not given up,
/// also those of today that are over. A seat of the same booking is the one that is moved: it is given back for this one
/// and does not count, so that one may move onto a time that overlaps one's own.
///
/// # Errors
/// BOOKINGS_OVERLAP, BOOKINGS_TOO_MANY (BB-7.1.1).
pub fn may_have(
    wanted: &Seat<'_>,
    seats: &[Seat<'_>],
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let rules = policy::filled(rules);
    let others: Vec<_> = seats
        .iter()
        .filter(|s| s.booking != wanted.booking)
        .collect();
    if let Some(other) = others
        .iter()
        .find(|s| s.starts_at < wanted.ends_at && wanted.starts_at < s.ends_at)
    {
        let (zh, en) = time::readable(other.starts_at);
        return Err(Refusal::precondition(
            "BOOKINGS_OVERLAP",
            "BB-7.1.1",
            format!("服务对象在 {zh} 已有预约，时间重叠；请改选其他时段，或将该预约改期"),
            format!(
                "the applicant has an appointment at {en}, which overlaps: choose another time, or move that one"
            ),
        )
        .field("slot", "overlaps another"));
    }
    let day = time::local(wanted.starts_at).0;
    let is_ahead = |s: &&&Seat<'_>| s.ends_at > now;
    let is_moved = others.len() < seats.len();
    let ahead = others.iter().filter(is_ahead).count();
    let of_item = others
        .iter()
        .filter(is_ahead)
        .filter(|s| s.item == wanted.item)
        .count();
    let of_day = others
        .iter()
        .filter(|s| time::local(s.starts_at).0 == day)
        .count();
    // Who moves has neither more ahead nor more of the item than before.
    if !is_moved {
        few(ahead, rules.most_ahead, ("待办预约", "ahead"))?;
        few(
            of_item,
            rules.most_per_item,
            ("该事项的待办预约", "ahead for the item"),
        )?;
    }
    few(of_day, rules.most_per_day, ("当日预约", "on that day"))
}

/// The same beside holds that have ended and were not given up yet: the confirmation of one may be about to be written, so
/// nobody can say whether it counts (BB-9.2b).
///
/// # Errors
/// As [`may_have`]; HOLD_ENDING (BB-7.1.1), where only one that has ended is in the way.
pub fn may_have_beside(
    wanted: &Seat<'_>,
    (seats, ended): (&[Seat<'_>], &[Seat<'_>]),
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    may_have(wanted, seats, rules, now)?;
    if ended.is_empty() {
        return Ok(());
    }
    let all = [seats, ended].concat();
    may_have(wanted, &all, rules, now).map_err(|_| {
        Refusal::new(
            Kind::Unavailable,
            "HOLD_ENDING",
            "BB-7.1.1",
            "服务对象此前的保留刚刚到期，正在退回，请稍后重试",
            "a hold of the applicant has just ended and is being given up: try again",
        )
        .retry_after(Duration::from_secs(1))
    })
}

fn few(have: usize, most: u32, (zh, en): (&str, &str)) -> Result<(), Refusal> {
    if have < most as usize {
        return Ok(());
    }
    Err(Refusal::precondition(
        "BOOKINGS_TOO_MANY",
        "BB-7.1.1",
        format!("{zh}已有 {have} 个，上限为 {most} 个；请先办理或取消其中一个"),
        format!(
            "the applicant has {have} {en}, and may have {most}: let one be served or cancelled first"
        ),
    )
    .field("slot", "too many"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-26T01:00:00Z".parse().expect("an instant")
    }

    /// A seat of half an hour, so many half hours from now.
    fn seat<'a>(booking: &'a str, item: &'a str, half_hours: i32) -> Seat<'a> {
        let starts_at = now() + chrono::TimeDelta::minutes(30) * half_hours;
        Seat {
            booking,
            item,
            starts_at,
            ends_at: starts_at + chrono::TimeDelta::minutes(30),
        }
    }

    fn reason(
        wanted: &Seat<'_>,
        seats: &[Seat<'_>],
    ) -> Option<(&'static str, &'static str, String)> {
        let refusal = may_have(wanted, seats, &BookingPolicy::default(), now()).err()?;
        Some((refusal.reason, refusal.requirement, refusal.en))
    }

    const DAY: i32 = 48;

    #[test]
    fn nobody_is_in_two_places_at_once() {
        let have = [seat("a", "x", 2)];
        let (reason_, requirement, en) = reason(&seat("b", "y", 2), &have).expect("refused");
        assert_eq!((reason_, requirement), ("BOOKINGS_OVERLAP", "BB-7.1.1"));
        assert!(en.contains("26 November 10:00"), "{en}");
        assert_eq!(
            reason(&seat("b", "y", 3), &have),
            None,
            "one behind the other"
        );
    }

    #[test]
    fn one_appointment_for_an_item_three_ahead_and_two_on_a_day() {
        let have = [seat("a", "x", 2)];
        let of_item = reason(&seat("b", "x", DAY), &have).expect("refused");
        assert_eq!((of_item.0, of_item.1), ("BOOKINGS_TOO_MANY", "BB-7.1.1"));
        let have = [seat("a", "x", 2), seat("b", "y", 4)];
        assert!(
            reason(&seat("c", "z", 6), &have)
                .expect("refused")
                .2
                .contains("on that day")
        );
        let have = [
            seat("a", "x", 2),
            seat("b", "y", DAY),
            seat("c", "z", 2 * DAY),
        ];
        assert!(
            reason(&seat("d", "w", 3 * DAY), &have)
                .expect("refused")
                .2
                .contains("ahead")
        );
    }

    #[test]
    fn what_is_over_counts_on_its_day_only() {
        let over = [seat("a", "x", -2), seat("b", "y", -4), seat("c", "z", -DAY)];
        assert_eq!(reason(&seat("d", "x", DAY), &over), None);
        assert!(
            reason(&seat("d", "x", 4), &over)
                .expect("refused")
                .2
                .contains("on that day")
        );
    }

    #[test]
    fn one_moves_also_onto_a_time_that_overlaps_ones_own_but_not_another() {
        let have = [
            seat("a", "x", 2),
            seat("b", "y", DAY),
            seat("c", "z", 2 * DAY),
        ];
        let mut moved = seat("a", "x", 2);
        moved.starts_at += chrono::TimeDelta::minutes(15);
        moved.ends_at += chrono::TimeDelta::minutes(15);
        assert_eq!(reason(&moved, &have), None);
        assert_eq!(
            reason(&seat("a", "x", DAY), &have).expect("refused").0,
            "BOOKINGS_OVERLAP"
        );
    }

    proptest! {
        /// I2, and the limits, in every history of one person.
        #[test]
        fn nobody_ever_has_more_than_the_rules_allow_nor_two_at_once(
            wishes in prop::collection::vec((0_usize..6, 0_usize..4, 0_i32..400), 1..60),
            most in (1_u32..5, 1_u32..4, 1_u32..4),
        ) {
            let rules = BookingPolicy {
                most_ahead: most.0, most_per_item: most.1, most_per_day: most.2,
                ..BookingPolicy::default()
            };
            let (ids, items) = (["a", "b", "c", "d", "e", "f"], ["w", "x", "y", "z"]);
            let mut seats: Vec<Seat<'_>> = Vec::new();
            for (id, item, at) in wishes {
                let there = seats.iter().position(|s| s.booking == ids[id]);
                // A booking keeps its item when it is moved.
                let item = there.map_or(items[item], |there| seats[there].item);
                let wanted = seat(ids[id], item, at);
                if may_have(&wanted, &seats, &rules, now()).is_ok() {
                    seats.retain(|s| s.booking != wanted.booking);
                    seats.push(wanted);
                }
                for (n, a) in seats.iter().enumerate() {
                    let clash = seats[n + 1..].iter().any(|b| a.starts_at < b.ends_at && b.starts_at < a.ends_at);
                    prop_assert!(!clash);
                    let of_item = seats.iter().filter(|b| b.item == a.item).count();
                    let of_day = seats.iter().filter(|b| time::local(b.starts_at).0 == time::local(a.starts_at).0);
                    prop_assert!(of_item <= most.1 as usize && of_day.count() <= most.2 as usize);
                }
                prop_assert!(seats.len() <= most.0 as usize);
            }
        }
    }
}
