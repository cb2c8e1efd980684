//! Properties of the layout, and of the one search that depends on it.

use proptest::prelude::*;

use super::layout::*;
use super::*;
use crate::{DayState, Place, Row, SlotState, Who};

fn slot() -> impl Strategy<Value = SlotState> {
    let row = prop_oneof![Just(Row::Free), Just(Row::Taken), Just(Row::Due)];
    (proptest::collection::vec(row, 0..6), 0u16..6).prop_map(|(seats, reserved)| SlotState {
        reserved: reserved.min(seats.len() as u16),
        seats,
    })
}

fn day() -> impl Strategy<Value = DayState> {
    proptest::collection::vec(slot(), 0..6).prop_map(|slots| DayState {
        slots,
        keep: std::time::Duration::from_secs(60),
    })
}

proptest! {
    #[test]
    fn a_day_reads_as_it_was_written(state in day(), generation in 0i64.., token: u64) {
        let value = DayValue::ready(generation, token, &state).unwrap();
        prop_assert_eq!(DayValue::read(value.as_bytes().to_vec()), Some(value.clone()));
        prop_assert_eq!((value.generation(), value.token()), (generation, token));
        prop_assert!(value.is_ready(generation) && !value.is_ready(generation ^ 1));
        prop_assert_eq!(usize::from(value.slot_count()), state.slots.len());
        for (number, slot) in (0..).zip(&state.slots) {
            prop_assert_eq!(value.reserved(number), slot.reserved);
            for (seat, row) in (0..).zip(&slot.seats) {
                let index = value.index(Place { slot: number, seat }).unwrap();
                prop_assert_eq!(value.seat(index), row.mark());
            }
            prop_assert_eq!(value.index(Place { slot: number, seat: slot.seats.len() as u16 }), None);
            let free = value.free()[usize::from(number)];
            let count = |from: u16| slot.seats[usize::from(from)..].iter().filter(|row| **row == Row::Free).count();
            prop_assert_eq!(usize::from(free.special), count(0));
            prop_assert_eq!(usize::from(free.ordinary), count(slot.reserved));
        }
    }

    #[test]
    fn bytes_that_are_cut_or_longer_are_not_a_day(state in day(), cut in 1usize..40, extra: u8) {
        let bytes = DayValue::ready(1, 2, &state).unwrap().as_bytes().to_vec();
        if cut < bytes.len() {
            prop_assert_eq!(DayValue::read(bytes[..bytes.len() - cut].to_vec()), None);
        }
        let longer: Vec<u8> = bytes.into_iter().chain([extra]).collect();
        prop_assert_eq!(DayValue::read(longer), None);
    }

    #[test]
    fn whatever_is_not_a_day_does_not_panic(bytes: Vec<u8>) {
        if let Some(value) = DayValue::read(bytes) {
            _ = value.is_ready(0) && !value.free().is_empty();
        }
    }

    /// What the script relies on: the first two zero bytes from the start of a seat on are a free seat.
    #[test]
    fn two_zero_bytes_are_a_free_seat(state in day(), picks in 0usize..20, from in 0u16..30) {
        let mut day = Some(DayValue::ready(1, 2, &state).unwrap());
        for slot in 0..picks {
            _ = pick(&mut day, 1, slot as u16 % 6, Who::Special);
        }
        let value = day.unwrap();
        let count = value.seat_count();
        let from = from.min(count);
        let found = value.as_bytes()[value.seat_at(from)..].windows(2).position(|two| two == FREE);
        let expected = (from..count).find(|index| value.seat(*index) == FREE);
        prop_assert_eq!(found.map(|at| from + (at / 2) as u16), expected);
        prop_assert!(found.is_none_or(|at| at % 2 == 0));
    }
}

#[test]
fn tickets_are_used_up_once_and_then_the_day_is_rebuilt() {
    let state = DayState {
        slots: vec![SlotState {
            reserved: 0,
            seats: vec![Row::Free],
        }],
        keep: std::time::Duration::from_secs(60),
    };
    let mut day = Some(DayValue::ready(1, 2, &state).unwrap());
    let mut seen = std::collections::HashSet::new();
    loop {
        match pick(&mut day, 1, 0, Who::Ordinary) {
            PickAnswer::Seat { ticket, .. } => {
                assert!(seen.insert(ticket.number), "given twice");
                assert!(settle(&mut day, 1, ticket, FREE));
            }
            answer => break assert_eq!(answer, PickAnswer::Stale),
        }
    }
    assert!(day.is_none() && seen.len() > 64_000, "{}", seen.len());
}

#[test]
fn a_day_that_is_too_large_is_refused() {
    let slot = |seats: usize| SlotState {
        reserved: 0,
        seats: vec![Row::Free; seats],
    };
    let day = |slots| DayState {
        slots,
        keep: std::time::Duration::from_secs(60),
    };
    assert!(DayValue::ready(1, 2, &day(vec![slot(65_535)])).is_ok());
    assert!(DayValue::ready(1, 2, &day(vec![slot(65_535), slot(1)])).is_err());
    let reserved = SlotState {
        reserved: 2,
        seats: vec![Row::Free],
    };
    assert!(DayValue::ready(1, 2, &day(vec![reserved])).is_err());
}
