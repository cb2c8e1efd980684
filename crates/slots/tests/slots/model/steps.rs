//! What a history consists of, and what is said to each step.

use std::time::Duration;

use bangban_slots::{DayState, Free, Place, Row, SlotState};
use proptest::prelude::*;

pub(super) const SLOTS: u16 = 2;
/// Seats of a slot that anything happens to.
pub(super) const SEATS: u16 = 3;

/// How long a day is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Until [`Step::Ends`].
    Briefly,
    /// Longer than any history.
    Long,
}

impl Keep {
    pub(super) fn time(self) -> Duration {
        Duration::from_secs(match self {
            Self::Briefly => 1,
            Self::Long => 3600,
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Pick {
        slot: u16,
        special: bool,
    },
    /// Here and below: the last but so many, counted around.
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
        keep: Keep,
    },
    Look,
    Audit {
        nth: usize,
        rows: Vec<Row>,
        reserved: u16,
    },
    Availability,
    /// So much time that what was seen before is abandoned by those who are neither patient nor impatient.
    Passes,
    /// So much time that a day is gone that was kept briefly.
    Ends,
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
    let pick =
        || (0..=SLOTS, any::<bool>()).prop_map(|(slot, special)| Step::Pick { slot, special });
    let keep = || prop_oneof![1 => Just(Keep::Briefly), 4 => Just(Keep::Long)];
    let finish = || {
        let finish = (0usize..3, rows(), 0..=SEATS, keep());
        finish.prop_map(|(nth, rows, reserved, keep)| Step::Finish {
            nth,
            rows,
            reserved,
            keep,
        })
    };
    let step = prop_oneof![
        12 => pick(),
        8 => (0usize..8, row.clone()).prop_map(|(nth, row)| Step::Settle { nth, row }),
        4 => place().prop_map(|place| Step::Release { place }),
        4 => place().prop_map(|place| Step::Freed { place }),
        1 => (0..=SLOTS).prop_map(|slot| Step::Lift { slot }),
        1 => Just(Step::Forget),
        8 => Just(Step::Begin),
        8 => finish(),
        3 => Just(Step::Look),
        3 => (0usize..3, rows(), 0..=SEATS).prop_map(|(nth, rows, reserved)| Step::Audit { nth, rows, reserved }),
        3 => Just(Step::Availability),
        1 => Just(Step::Passes),
        1 => prop_oneof![9 => Just(false), 1 => Just(true)].prop_map(|with_scripts| Step::Lost { with_scripts }),
    ]
    .boxed();
    // What is seen, and seen again after a time, or after none.
    let passes = || prop_oneof![3 => Just(Some(Step::Passes)), 1 => Just(None)];
    let audited = (0..=SEATS, 0..SLOTS, passes(), [rows(), rows(), rows()]);
    let audited = audited.prop_map(|(reserved, slot, passes, [rows, first, second])| {
        let special = true;
        let audit = |rows| Step::Audit {
            nth: 0,
            rows,
            reserved,
        };
        let finish = Step::Finish {
            nth: 0,
            rows,
            reserved,
            keep: Keep::Long,
        };
        let picked = [
            Step::Forget,
            Step::Begin,
            finish,
            Step::Pick { slot, special },
        ];
        let first = picked.into_iter().chain([Step::Look, audit(first)]);
        first
            .chain(passes)
            .chain([Step::Look, audit(second)])
            .collect::<Vec<_>>()
    });
    let rebuilt = (pick(), passes(), pick()).prop_map(|(first, passes, second)| {
        let first = [Step::Begin, first].into_iter();
        first
            .chain(passes)
            .chain([second, Step::Begin])
            .collect::<Vec<_>>()
    });
    // A day that is kept briefly, also after one that was kept otherwise: whatever happens to it, it goes when it is over.
    let kept = || {
        let finish = (rows(), 0..=SEATS, any::<bool>());
        let some = proptest::collection::vec(step.clone(), 0..5);
        (finish, some).prop_map(|((rows, reserved, is_brief), some)| {
            let finish = Step::Finish {
                nth: 0,
                rows,
                reserved,
                keep: if is_brief { Keep::Briefly } else { Keep::Long },
            };
            let known = [Step::Forget, Step::Begin, finish];
            known.into_iter().chain(some).collect::<Vec<_>>()
        })
    };
    let again = prop_oneof![1 => Just(Vec::new()), 1 => kept()];
    let ended = (kept(), again, pick()).prop_map(|(first, again, pick)| {
        let over = [Step::Ends, pick, Step::Begin];
        first.into_iter().chain(again).chain(over).collect()
    });
    let steps = prop_oneof![
        400 => step.clone().prop_map(|step| vec![step]),
        10 => audited,
        10 => rebuilt,
        4 => ended,
    ];
    // A day that is known, so that not every history ends before it begins.
    let first = (rows(), 0..=SEATS).prop_map(|(rows, reserved)| Step::Finish {
        nth: 0,
        rows,
        reserved,
        keep: Keep::Long,
    });
    (first, proptest::collection::vec(steps, 1..60)).prop_map(|(first, steps)| {
        let first = [Step::Begin, first].into_iter();
        first.chain(steps.into_iter().flatten()).collect()
    })
}

/// Where the last but `nth` of `len` is, counted around.
pub(super) fn last_but(nth: usize, len: usize) -> usize {
    len - 1 - nth % len
}

/// How many seats that are taken, and stay so, each slot has before those that anything happens to. Scripts read the
/// first 1,024 bytes of a day, and of a larger one what they need: there are days that end before, that have a slot
/// across, and that have all that happens behind.
pub(super) fn before() -> impl Strategy<Value = u16> {
    prop_oneof![3 => Just(0), 1 => 490..500u16, 1 => Just(597)]
}

pub(super) fn state(rows: &[Row], reserved: u16, before: u16, keep: Keep) -> DayState {
    let slots = rows.chunks(usize::from(SEATS)).enumerate();
    DayState {
        slots: slots
            .map(|(slot, rows)| SlotState {
                reserved: if slot == 0 && reserved > 0 {
                    before + reserved
                } else {
                    0
                },
                seats: std::iter::repeat_n(Row::Taken, before.into())
                    .chain(rows.iter().copied())
                    .collect(),
            })
            .collect(),
        keep: keep.time(),
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Seat(Place),
    Full,
    OnlyReserved,
    Again,
    Stale,
    Nothing,
    Done(bool),
    Busy,
    Ready,
    Free(Option<Vec<Free>>),
    Audited(u64, u64, u64, bool),
}
