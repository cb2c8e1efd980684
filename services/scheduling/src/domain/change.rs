//! What becomes of a published day when its plan changes: slots stay, are added, closed, or get more or fewer seats, and
//! nobody's appointment is lost by it. It is kept, or its applicant is offered other times, on record (BB-9.2b).
//!
//! Only the difference of two plans is applied, so that what staff changed by hand stands while the plan says the same.
//! What has begun is left alone.

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::scheduling::v1::{
    Affected, Booking, BookingState, Day, Slot, SlotAvailability,
};
use chrono::{DateTime, Utc};

use super::{publish, template, time};

/// A day as it is, and who is in it.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The day as it is published.
    pub day: &'a Day,
    /// Seats of it that are held or somebody's appointment: the slot's id, the place in it.
    pub seats: &'a [(String, u32)],
    /// Its appointments.
    pub bookings: &'a [Booking],
}

/// What a change makes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// All slots of the day from now on, in the order of their places.
    pub slots: Vec<Slot>,
    /// Whose appointments it touches.
    pub affected: Vec<Affected>,
}

impl Change {
    /// Whether any slot is another one than before.
    #[must_use]
    pub fn is_change(&self, day: &Day) -> bool {
        self.slots != day.slots
    }
}

/// By what a day was planned of which that was not noted: by the plan that was in force, and what it has open beside.
#[must_use]
pub fn planned_before(day: &Day, mut plan: Vec<Slot>) -> Vec<Slot> {
    for slot in day.slots.iter().filter(|slot| !slot.is_closed) {
        if !plan.iter().any(|planned| is_same_time(slot, planned)) {
            plan.push(slot.clone());
        }
    }
    plan
}

/// What becomes of a day whose plan was `before` and is `after`. `serves` says whether the site still serves at the time
/// of a slot that is given up: then its appointments are kept, else their applicants are offered other times.
///
/// # Errors
/// SLOTS_TOO_MANY (BB-9.2b); those of `serves`.
pub fn plan(
    taken: &Taken<'_>,
    (before, after): (&[Slot], &[Slot]),
    serves: impl Fn(&Slot) -> Result<bool, Refusal>,
    now: DateTime<Utc>,
) -> Result<Change, Refusal> {
    let mut day = taken.day.clone();
    let mut affected = Vec::new();
    for slot in &mut day.slots {
        let planned = after.iter().find(|other| is_same_time(slot, other));
        let was_planned = before.iter().find(|other| is_same_time(slot, other));
        if has_begun(slot, now) || planned.map(seats) == was_planned.map(seats) {
            continue;
        }
        match planned {
            Some(planned) => {
                // Closed by hand, it stays closed; closed because it was not planned, it comes back.
                slot.is_closed &= was_planned.is_some();
                let wish = (planned.capacity, planned.reserved);
                slot.reserved_until = planned.reserved_until;
                affected.extend(resize(slot, wish, taken));
            }
            None if !slot.is_closed => {
                slot.is_closed = true;
                let is_kept = serves(slot)?;
                affected.extend(appointments(slot, taken).map(|b| touched(b, is_kept)));
            }
            None => {}
        }
    }
    for planned in after {
        let is_there = day.slots.iter().any(|slot| is_same_time(slot, planned));
        if !is_there && !has_begun(planned, now) {
            let id = publish::next_id(&day)?;
            day.slots.push(Slot {
                id,
                ..planned.clone()
            });
        }
    }
    Ok(Change {
        slots: day.slots,
        affected,
    })
}

/// What becomes of a day when the seats of one slot are changed by hand, or it is closed. Its appointments are kept.
///
/// # Errors
/// SLOT_UNKNOWN, SLOT_PAST (BB-9.2b); RESERVED_ABOVE_CAPACITY (BB-7.1.1).
pub fn slot(
    taken: &Taken<'_>,
    id: &str,
    (capacity, reserved, is_closed): (u32, u32, bool),
    now: DateTime<Utc>,
) -> Result<Change, Refusal> {
    let mut slots = taken.day.slots.clone();
    let slot = slots.iter_mut().find(|slot| slot.id == id).ok_or_else(|| {
        Refusal::not_found(
            "SLOT_UNKNOWN",
            "BB-9.2b",
            "没有该预约时段，请查询可约时段后选择",
            "there is no such time: look up what there is, and choose",
        )
        .field("slot", "unknown")
    })?;
    if has_begun(slot, now) {
        return Err(Refusal::precondition(
            "SLOT_PAST",
            "BB-9.2b",
            "该时段已开始或已过，不能再调整",
            "this time has begun and cannot be changed any more",
        )
        .field("slot", "has begun"));
    }
    template::reserved("reserved", reserved, capacity)?;
    let was_closed = std::mem::replace(&mut slot.is_closed, is_closed || capacity == 0);
    let affected = if slot.is_closed && !was_closed {
        appointments(slot, taken)
            .map(|b| touched(b, true))
            .collect()
    } else {
        resize(slot, (capacity, reserved), taken)
    };
    Ok(Change { slots, affected })
}

/// Whether a change that touches appointments may be made: the caller has seen which.
///
/// # Errors
/// CHANGE_AFFECTS_BOOKINGS (BB-9.2b).
pub fn seen(affected: &[Affected], is_seen: bool) -> Result<(), Refusal> {
    if affected.is_empty() || is_seen {
        return Ok(());
    }
    let kept = affected.iter().filter(|a| a.is_kept).count();
    let moved = affected.len() - kept;
    Err(Refusal::precondition(
        "CHANGE_AFFECTS_BOOKINGS",
        "BB-9.2b",
        format!(
            "该变更涉及 {} 个已有预约：保留 {kept} 个，需另行提供时段 {moved} 个；请预览核对后确认",
            affected.len()
        ),
        format!(
            "the change touches {} appointments: {kept} are kept, {moved} applicants are offered other times; \
             look at the preview, then confirm",
            affected.len()
        ),
    )
    .field("affects_bookings", "appointments are touched"))
}

/// How many seats a slot can give when `wish` are wanted and these places are taken: as many that those which are given
/// and those that are taken above them are never more than `wish` together, unless more than that are taken already.
#[must_use]
pub fn given(wish: u32, taken: &[u32]) -> u32 {
    let above = |seats: u32| taken.iter().filter(|place| **place >= seats).count();
    (0..=wish)
        .rev()
        .find(|seats| {
            usize::try_from(*seats).unwrap_or(usize::MAX) + above(*seats) <= wish as usize
        })
        .unwrap_or(0)
}

/// Gives the slot its seats; answers whose appointments are more than it was meant to have, the latest ones.
fn resize(slot: &mut Slot, (capacity, reserved): (u32, u32), taken: &Taken<'_>) -> Vec<Affected> {
    let of_slot = taken.seats.iter().filter(|(id, _)| *id == slot.id);
    let places: Vec<u32> = of_slot.map(|(_, place)| *place).collect();
    slot.capacity = given(capacity, &places);
    slot.reserved = reserved.min(slot.capacity);
    if slot.reserved == 0 {
        slot.reserved_until = None;
    }
    let excess = places.len().saturating_sub(capacity as usize);
    let mut all: Vec<&Booking> = appointments(slot, taken).collect();
    all.sort_by_key(|b| std::cmp::Reverse((time::of(b.confirmed_at.as_ref()), b.id.clone())));
    all.into_iter()
        .take(excess)
        .map(|b| touched(b, true))
        .collect()
}

fn appointments<'a>(slot: &Slot, taken: &Taken<'a>) -> impl Iterator<Item = &'a Booking> {
    let id = slot.id.clone();
    let is_open = |b: &&Booking| b.state() == BookingState::Confirmed;
    taken
        .bookings
        .iter()
        .filter(is_open)
        .filter(move |b| b.slot == id)
}

fn touched(booking: &Booking, is_kept: bool) -> Affected {
    Affected {
        booking: booking.id.clone(),
        slot: booking.slot.clone(),
        starts_at: booking.starts_at,
        applicant_mask: booking.applicant_mask.clone(),
        is_kept,
    }
}

fn is_same_time(a: &Slot, b: &Slot) -> bool {
    a.group == b.group && a.starts_at == b.starts_at && a.ends_at == b.ends_at
}

fn seats(slot: &Slot) -> (u32, u32, Option<prost_types::Timestamp>) {
    (slot.capacity, slot.reserved, slot.reserved_until)
}

fn has_begun(slot: &Slot, now: DateTime<Utc>) -> bool {
    time::of(slot.starts_at.as_ref()) <= now
}

/// Other times for somebody whose slot cannot be kept: at most `most` slots of the same group with a free seat, those
/// first that lie next to the one that was given.
#[must_use]
pub fn other_times(booking: &Booking, free: &[SlotAvailability], most: usize) -> Vec<String> {
    let starts = time::of(booking.starts_at.as_ref());
    let mut times: Vec<_> = free
        .iter()
        .filter(|slot| slot.group == booking.group && slot.slot != booking.slot)
        .filter(|slot| slot.free > 0 || (booking.is_assisted && slot.reserved_free > 0))
        .map(|slot| {
            let at = time::of(slot.starts_at.as_ref());
            ((at - starts).abs(), at, slot.slot.clone())
        })
        .collect();
    times.sort();
    times
        .into_iter()
        .take(most)
        .map(|(_, _, slot)| slot)
        .collect()
}

#[cfg(test)]
mod tests;
