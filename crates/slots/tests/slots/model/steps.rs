//! What a history consists of, and what is said to each step.

use std::time::Duration;

use bangban_slots::{DayState, Free, Place, Row, SlotState};
use proptest::prelude::*;

pub(super) const SLOTS: u16 = 2;
pub(super) const SEATS: u16 = 3;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Pick {
        slot: u16,
        special: bool,
    },
    Settle {
        nth: usize,
        row: Row,
    },
    Release {
        place: Place,
    },
    Freed {
        place: Place,
    },
    Lift {
        slot: u16,
    },
    Forget,
    Begin,
    Finish {
        nth: usize,
        rows: Vec<Row>,
        reserved: u16,
    },
    Look,
    Audit {
        nth: usize,
        rows: Vec<Row>,
        reserved: u16,
    },
    Availability,
    /// The day is lost: Redis is flushed, or is another.
    Lost {
        with_scripts: bool,
    },
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = prop_oneof![3 => Just(Row::Free), 3 => Just(Row::Taken), 1 => Just(Row::Due)];
    let rows = || proptest::collection::vec(row.clone(), usize::from(SLOTS * SEATS));
    // One seat and one slot more than there are.
    let place = || (0..=SLOTS, 0..=SEATS).prop_map(|(slot, seat)| Place { slot, seat });
    let step = prop_oneof![
        12 => (0..=SLOTS, any::<bool>()).prop_map(|(slot, special)| Step::Pick { slot, special }),
        8 => (0usize..8, row.clone()).prop_map(|(nth, row)| Step::Settle { nth, row }),
        4 => place().prop_map(|place| Step::Release { place }),
        4 => place().prop_map(|place| Step::Freed { place }),
        1 => (0..=SLOTS).prop_map(|slot| Step::Lift { slot }),
        1 => Just(Step::Forget),
        8 => Just(Step::Begin),
        8 => (0usize..3, rows(), 0..=SEATS).prop_map(|(nth, rows, reserved)| Step::Finish { nth, rows, reserved }),
        3 => Just(Step::Look),
        3 => (0usize..3, rows(), 0..=SEATS).prop_map(|(nth, rows, reserved)| Step::Audit { nth, rows, reserved }),
        3 => Just(Step::Availability),
        1 => prop_oneof![9 => Just(false), 1 => Just(true)].prop_map(|with_scripts| Step::Lost { with_scripts }),
    ];
    // A day that is known, so that not every history ends before it begins.
    let first = (rows(), 0..=SEATS).prop_map(|(rows, reserved)| Step::Finish {
        nth: 0,
        rows,
        reserved,
    });
    (first, proptest::collection::vec(step, 1..60))
        .prop_map(|(first, steps)| [Step::Begin, first].into_iter().chain(steps).collect())
}

pub(super) fn state(rows: &[Row], reserved: u16) -> DayState {
    let slots = rows.chunks(usize::from(SEATS)).enumerate();
    DayState {
        slots: slots
            .map(|(slot, rows)| SlotState {
                reserved: if slot == 0 { reserved } else { 0 },
                seats: rows.to_vec(),
            })
            .collect(),
        keep: Duration::from_secs(3600),
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Seat(Place),
    Full,
    Again,
    Stale,
    Nothing,
    Done(bool),
    Busy,
    Ready,
    Free(Option<Vec<Free>>),
    Audited(u64, u64, u64, bool),
}
