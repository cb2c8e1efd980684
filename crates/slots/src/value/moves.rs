//! What each operation does to a day's bytes: the memory kind runs these, Redis runs the same in Lua
//! (`src/redis/*.lua`), and one test drives both.
//!
//! The rule that all of them keep: a seat becomes TAKEN only on evidence that is destroyed by whatever frees the seat
//! (a ticket, a rebuild's token, a count of releases). Towards FREE and LEAVING anything may go at any time: the
//! database refuses whoever is given a seat too early.

use super::layout::*;
use super::{DayValue, Ticket};
use crate::{Place, Who};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PickAnswer {
    Seat {
        seat: u16,
        ticket: Ticket,
    },
    Full,
    /// All that they may have are taken; of those that are reserved for others some are not.
    OnlyReserved,
    /// None free, but not all taken.
    Busy,
    /// Being rebuilt under this token.
    Rebuilding(u64),
    Stale,
}

/// Gives out the first free seat that `who` may have.
pub(crate) fn pick(day: &mut Option<DayValue>, generation: i64, slot: u16, who: Who) -> PickAnswer {
    let Some(value) = day
        .as_mut()
        .filter(|value| value.generation() == generation)
    else {
        return PickAnswer::Stale;
    };
    if value.phase() == REBUILDING {
        return PickAnswer::Rebuilding(value.token());
    }
    let Some(seats) = value.seats_of(slot) else {
        return PickAnswer::Stale;
    };
    let first = match who {
        Who::Special => seats.start,
        Who::Ordinary => seats.start + value.reserved(slot),
    };
    let mut theirs = first..seats.end;
    if let Some(index) = theirs.clone().find(|index| value.seat(*index) == FREE) {
        let number = [value.0[TICKET], value.0[TICKET + 1]];
        let ticket = Ticket {
            token: value.token(),
            index,
            number,
        };
        let Some(next) = next(number) else {
            // Used up: none may be given twice under one token.
            *day = None;
            return PickAnswer::Stale;
        };
        value.set_seat(index, number);
        value.0[TICKET..TICKET + 2].copy_from_slice(&next);
        return PickAnswer::Seat {
            seat: index - seats.start,
            ticket,
        };
    }
    let is_taken = |index| value.seat(index) == TAKEN;
    if !theirs.all(is_taken) {
        PickAnswer::Busy
    } else if (seats.start..first).all(is_taken) {
        PickAnswer::Full
    } else {
        PickAnswer::OnlyReserved
    }
}

fn next([high, low]: [u8; 2]) -> Option<[u8; 2]> {
    match low.checked_add(1) {
        Some(low) => Some([high, low]),
        None => Some([high.checked_add(1)?, TICKET_FROM]),
    }
}

/// The seat that is picked with this ticket becomes `mark`. Says whether the ticket still stood.
pub(crate) fn settle(
    day: &mut Option<DayValue>,
    generation: i64,
    ticket: Ticket,
    mark: [u8; 2],
) -> bool {
    match day {
        Some(value)
            if value.is_ready(generation)
                && value.token() == ticket.token
                && value.seat(ticket.index) == ticket.number =>
        {
            value.set_seat(ticket.index, mark);
            true
        }
        _ => false,
    }
}

/// Before the database frees these seats, or lifts the reservation of `lifted`: nobody is told "full" because of them
/// from now on. A rebuild that is under way may have read them before, so it must begin again; so must a day that does
/// not know one of them.
pub(crate) fn free_up(
    day: &mut Option<DayValue>,
    generation: i64,
    leaving: &[Place],
    lifted: Option<u16>,
) {
    let Some(value) = day
        .as_mut()
        .filter(|value| value.generation() == generation)
    else {
        return;
    };
    let known: Option<Vec<u16>> = (value.phase() == READY)
        .then(|| leaving.iter().map(|place| value.index(*place)).collect())
        .flatten();
    let (Some(known), true) = (
        known,
        lifted.is_none_or(|slot| value.phase() == READY && slot < value.slot_count()),
    ) else {
        *day = None;
        return;
    };
    for index in known {
        value.set_seat(index, LEAVING);
    }
    if let Some(slot) = lifted {
        value.lift(slot);
    }
    let releases = u32::from_be_bytes(value.releases()).wrapping_add(1);
    value.0[RELEASES..RELEASES + 4].copy_from_slice(&releases.to_be_bytes());
}

/// After the database freed them.
pub(crate) fn freed(day: &mut Option<DayValue>, generation: i64, places: &[Place]) {
    let Some(value) = day.as_mut().filter(|value| value.is_ready(generation)) else {
        return;
    };
    for place in places {
        if let Some(index) = value
            .index(*place)
            .filter(|index| value.seat(*index) == LEAVING)
        {
            value.set_seat(index, FREE);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Began {
    /// Under the token that was offered.
    Yes,
    /// Somebody else does, under this token.
    Rebuilding(u64),
    /// Nothing to rebuild.
    Ready,
}

/// Marks a day that is missing or stale, or whose rebuild under `abandoned` is, as being rebuilt.
pub(crate) fn begin(
    day: &mut Option<DayValue>,
    generation: i64,
    token: u64,
    abandoned: Option<u64>,
) -> Began {
    if let Some(value) = day
        .as_ref()
        .filter(|value| value.generation() == generation)
    {
        if value.phase() == READY {
            return Began::Ready;
        }
        if Some(value.token()) != abandoned {
            return Began::Rebuilding(value.token());
        }
    }
    *day = Some(DayValue::rebuilding(generation, token));
    Began::Yes
}

/// Puts the picture in, if its token still stands.
pub(crate) fn finish(day: &mut Option<DayValue>, picture: DayValue) -> bool {
    let stands = day.as_ref().is_some_and(|value| {
        value.phase() == REBUILDING
            && value.generation() == picture.generation()
            && value.token() == picture.token()
    });
    if stands {
        *day = Some(picture);
    }
    stands
}

/// What an audit wants of one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Correction {
    pub(crate) index: u16,
    pub(crate) expected: [u8; 2],
    pub(crate) mark: [u8; 2],
}

/// Corrects the seats that are still as they were seen. One becomes TAKEN only if nothing was freed since the look,
/// which was before the database was read. Says of the
/// first `counted` how many were still as they were seen, and how many of these were corrected.
pub(crate) fn mend(
    day: &mut Option<DayValue>,
    seen: &DayValue,
    corrections: &[Correction],
    counted: u64,
) -> (u16, u16) {
    let Some(value) = day
        .as_mut()
        .filter(|value| value.is_ready(seen.generation()) && value.token() == seen.token())
    else {
        return (0, 0);
    };
    let nothing_was_freed = value.releases() == seen.releases();
    let (mut found, mut corrected) = (0, 0);
    for (
        nth,
        Correction {
            index,
            expected,
            mark,
        },
    ) in (0..).zip(corrections)
    {
        if value.seat(*index) == *expected {
            let one = u16::from(nth < counted);
            found += one;
            if *mark != TAKEN || nothing_was_freed {
                value.set_seat(*index, *mark);
                corrected += one;
            }
        }
    }
    (found, corrected)
}
