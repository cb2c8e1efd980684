use bangban_limits::time::timestamp;
use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::domain::plan::tests::date;

fn slot_at(hour: u32, capacity: u32) -> Slot {
    let starts_at = time::at(date("2026-12-01"), hour * 60);
    Slot {
        site: "town".to_owned(),
        group: "licences".to_owned(),
        date: "2026-12-01".to_owned(),
        starts_at: Some(timestamp(starts_at)),
        ends_at: Some(timestamp(starts_at + TimeDelta::minutes(30))),
        capacity,
        ..Slot::default()
    }
}

fn now() -> DateTime<Utc> {
    time::at(date("2026-11-26"), 540)
}

fn day(planned: &[Slot]) -> Day {
    publish::day(
        ("town", "420527"),
        date("2026-12-01"),
        planned.to_vec(),
        now(),
    )
    .expect("a day")
}

fn booking(day: &Day, place: usize, seat: u32) -> Booking {
    let slot = &day.slots[place];
    Booking {
        id: format!("b{place}-{seat}"),
        state: BookingState::Confirmed.into(),
        slot: slot.id.clone(),
        seat,
        group: slot.group.clone(),
        starts_at: slot.starts_at,
        ends_at: slot.ends_at,
        confirmed_at: Some(timestamp(now() + TimeDelta::seconds(seat.into()))),
        applicant_mask: "王**".to_owned(),
        ..Booking::default()
    }
}

fn seats_of(bookings: &[Booking]) -> Vec<(String, u32)> {
    bookings.iter().map(|b| (b.slot.clone(), b.seat)).collect()
}

#[test]
fn a_closed_time_is_kept_while_the_site_serves_and_else_other_times_are_offered() {
    let before = [slot_at(9, 4), slot_at(10, 4)];
    let day = day(&before);
    let bookings = [booking(&day, 0, 0), booking(&day, 1, 0)];
    let seats = seats_of(&bookings);
    let taken = Taken {
        day: &day,
        seats: &seats,
        bookings: &bookings,
    };
    for serves in [true, false] {
        let change =
            plan(&taken, (&before, &before[1..]), |_| Ok(serves), now()).expect("a change");
        assert!(change.is_change(&day));
        assert!(change.slots[0].is_closed && !change.slots[1].is_closed);
        assert_eq!(change.affected.len(), 1);
        assert_eq!(
            (
                change.affected[0].booking.as_str(),
                change.affected[0].is_kept
            ),
            ("b0-0", serves)
        );
        let refusal = seen(&change.affected, false).expect_err("not seen");
        assert_eq!(
            (refusal.reason, refusal.requirement),
            ("CHANGE_AFFECTS_BOOKINGS", "BB-9.2b")
        );
        assert!(seen(&change.affected, true).is_ok());
    }
}

#[test]
fn a_time_that_comes_back_gets_its_old_place_and_a_new_one_a_new_place() {
    let before = [slot_at(9, 4), slot_at(10, 4)];
    let day = day(&before);
    let taken = Taken {
        day: &day,
        seats: &[],
        bookings: &[],
    };
    let closed = plan(&taken, (&before, &[]), |_| Ok(false), now()).expect("a change");
    assert!(closed.slots.iter().all(|slot| slot.is_closed) && closed.affected.is_empty());
    let empty = Day {
        slots: closed.slots,
        ..day.clone()
    };
    let taken = Taken {
        day: &empty,
        seats: &[],
        bookings: &[],
    };
    let after = [slot_at(8, 4), slot_at(10, 2)];
    let change = plan(&taken, (&[], &after), |_| Ok(false), now()).expect("a change");
    let found: Vec<_> = change
        .slots
        .iter()
        .map(|s| (s.id.as_str(), s.is_closed, s.capacity))
        .collect();
    assert_eq!(
        found,
        [
            ("town.2026-12-01.0", true, 4),
            ("town.2026-12-01.1", false, 2),
            ("town.2026-12-01.2", false, 4)
        ]
    );
}

#[test]
fn what_staff_closed_by_hand_stays_closed_when_something_else_changes() {
    let before = [slot_at(9, 4), slot_at(10, 4)];
    let mut day = day(&before);
    day.slots[0].is_closed = true;
    let taken = Taken {
        day: &day,
        seats: &[],
        bookings: &[],
    };
    let after = [slot_at(9, 4), slot_at(10, 4), slot_at(18, 2)];
    let change = plan(&taken, (&before, &after), |_| Ok(true), now()).expect("a change");
    assert!(change.slots[0].is_closed && change.slots.len() == 3);
}

#[test]
fn what_has_begun_is_left_alone() {
    let before = [slot_at(9, 4)];
    let day = day(&before);
    let taken = Taken {
        day: &day,
        seats: &[],
        bookings: &[],
    };
    let at_nine = time::at(date("2026-12-01"), 540);
    let change =
        plan(&taken, (&before, &[slot_at(8, 1)]), |_| Ok(false), at_nine).expect("a change");
    assert!(!change.is_change(&day));
    let refusal = slot(&taken, "town.2026-12-01.0", (1, 0, false), at_nine).expect_err("begun");
    assert_eq!(refusal.reason, "SLOT_PAST");
}

#[test]
fn capacity_lowered_under_what_is_booked_is_refused_until_it_was_seen_and_then_kept() {
    let before = [slot_at(9, 4)];
    let day = day(&before);
    let bookings = [
        booking(&day, 0, 0),
        booking(&day, 0, 1),
        booking(&day, 0, 3),
    ];
    let seats = seats_of(&bookings);
    let taken = Taken {
        day: &day,
        seats: &seats,
        bookings: &bookings,
    };
    let id = "town.2026-12-01.0";
    let enough = slot(&taken, id, (3, 0, false), now()).expect("a change");
    assert!(
        enough.affected.is_empty(),
        "three are booked, three are wanted"
    );
    let low = slot(&taken, id, (2, 0, false), now()).expect("a change");
    assert_eq!(low.affected.len(), 1);
    assert_eq!(
        (low.affected[0].booking.as_str(), low.affected[0].is_kept),
        ("b0-3", true)
    );
    let refusal = seen(&low.affected, false).expect_err("not seen");
    assert!(refusal.zh.contains("1 个已有预约") && refusal.en.contains("1 appointments"));
    let closed = slot(&taken, id, (2, 0, true), now()).expect("a change");
    assert!(closed.slots[0].is_closed && closed.affected.len() == 3);
    assert!(closed.affected.iter().all(|a| a.is_kept));
    let reason = |change: (u32, u32, bool), id: &str| {
        slot(&taken, id, change, now()).expect_err("no").reason
    };
    assert_eq!(reason((2, 3, false), id), "RESERVED_ABOVE_CAPACITY");
    assert_eq!(reason((2, 0, false), "town.2026-12-01.9"), "SLOT_UNKNOWN");
}

#[test]
fn the_other_times_that_are_offered_lie_next_to_the_one_that_was_given() {
    let day = day(&[slot_at(9, 4)]);
    let mut booking = booking(&day, 0, 0);
    let free = |hour: u32, free, reserved_free, group: &str| SlotAvailability {
        slot: format!("s{hour}"),
        group: group.to_owned(),
        starts_at: slot_at(hour, 1).starts_at,
        free,
        reserved_free,
        ..SlotAvailability::default()
    };
    let all = [
        free(16, 1, 0, "licences"),
        free(10, 0, 1, "licences"),
        free(8, 1, 0, "benefits"),
        free(11, 2, 0, "licences"),
        free(8, 0, 0, "licences"),
    ];
    assert_eq!(other_times(&booking, &all, 3), ["s11", "s16"]);
    booking.is_assisted = true;
    assert_eq!(other_times(&booking, &all, 2), ["s10", "s11"]);
}

proptest! {
    /// What is given and what is taken above it are together what is wanted, or less is given because more is taken.
    #[test]
    fn seats_given_and_taken_are_never_more_than_wanted(wish in 0_u32..12, places in prop::collection::btree_set(0_u32..16, 0..12)) {
        let places: Vec<u32> = places.into_iter().collect();
        let seats = given(wish, &places);
        let above = places.iter().filter(|place| **place >= seats).count();
        let most = usize::try_from(seats).expect("few") + above;
        if places.len() <= wish as usize {
            prop_assert_eq!(most, wish as usize, "all that is wanted is given, and no more");
        } else {
            prop_assert_eq!((seats, above), (0, places.len()), "nobody more comes, everybody stays");
        }
        prop_assert!(seats <= wish);
    }

    /// Nobody's appointment is lost, whatever changes, however often: a slot that has appointments is there for ever with
    /// its time, and each appointment that is touched is said to be.
    #[test]
    fn no_change_ever_strands_anybody(
        hours in prop::collection::btree_set(8_u32..18, 1..8),
        booked in prop::collection::btree_set((0_usize..8, 0_u32..4), 0..16),
        changes in prop::collection::vec((prop::collection::btree_map(8_u32..18, 1_u32..5, 0..8), any::<bool>()), 1..6),
    ) {
        let mut before: Vec<Slot> = hours.iter().map(|hour| slot_at(*hour, 4)).collect();
        let mut day = day(&before);
        let bookings: Vec<Booking> = booked
            .into_iter()
            .filter(|(place, _)| *place < day.slots.len())
            .map(|(place, seat)| booking(&day, place, seat))
            .collect();
        let seats = seats_of(&bookings);
        for (after, serves) in changes {
            let after: Vec<Slot> = after.iter().map(|(hour, capacity)| slot_at(*hour, *capacity)).collect();
            let taken = Taken { day: &day, seats: &seats, bookings: &bookings };
            let change = plan(&taken, (&before, &after), |_| Ok(serves), now()).expect("a change");
            for (place, slot) in day.slots.iter().enumerate() {
                let now = &change.slots[place];
                prop_assert!(slot.id == now.id && is_same_time(slot, now), "a place keeps its time");
            }
            for booking in &bookings {
                let slot = change.slots.iter().find(|slot| slot.id == booking.slot).expect("still there");
                let was = day.slots.iter().find(|slot| slot.id == booking.slot).expect("there");
                let touched = change.affected.iter().find(|a| a.booking == booking.id);
                if slot.is_closed && !was.is_closed {
                    prop_assert_eq!(touched.map(|a| a.is_kept), Some(serves));
                }
                let seats_in = |plan: &[Slot]| plan.iter().find(|p| is_same_time(slot, p)).map(super::seats);
                if seats_in(&before) == seats_in(&after) {
                    prop_assert!(touched.is_none() && slot == was, "what is planned alike stays alike");
                }
            }
            // What is planned can be booked.
            for planned in &after {
                let slot = change.slots.iter().find(|slot| is_same_time(slot, planned)).expect("there");
                let taken = seats.iter().filter(|(id, _)| *id == slot.id);
                let (above, all) = taken.fold((0, 0), |(above, all), (_, place)| {
                    (above + u32::from(*place >= slot.capacity), all + 1)
                });
                prop_assert!(!slot.is_closed);
                prop_assert!(slot.capacity + above <= planned.capacity.max(all));
            }
            day.slots = change.slots;
            before = after;
        }
    }
}
