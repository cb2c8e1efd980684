//! I1, I2, I5, I6 and the fence: what the rows of seats went through.

use std::collections::{BTreeMap, HashMap};

use super::{History, Seen};
use crate::oracle::truth::{CONFIRMED, COOLING, Change, FREE, HELD};

/// Whether a seat may become this after that; and the epoch rises by one each time.
fn may_follow(before: Option<&Change>, after: &Change) -> bool {
    let Some(before) = before else {
        // The first time also withdrawn, as a free one.
        return after.version == 1 && matches!(after.state, HELD | CONFIRMED | FREE);
    };
    let is_theirs = before.booking == after.booking;
    let is_allowed = match (before.state, after.state) {
        // Extended, confirmed, let go.
        (HELD, HELD | CONFIRMED | COOLING) | (CONFIRMED, COOLING) => is_theirs,
        // Offered to one who waits.
        (COOLING, HELD) => !after.waiting.is_empty() && !is_theirs,
        // Taken: held, or moved to.
        (FREE, HELD | CONFIRMED) | (COOLING, FREE) => true,
        // Withdrawn.
        (FREE, FREE) => true,
        _ => false,
    };
    is_allowed && after.version == before.version + 1
}

pub(super) fn judge(history: &History, seen: &mut Seen, wrong: &mut Vec<String>) {
    let truth = &history.truth;
    for ((slot, seat), changes) in truth.by_seat() {
        if seat >= history.capacity {
            wrong.push(format!("I1: seat {seat} of {slot} is above its capacity"));
        }
        let mut before = None;
        for change in changes {
            if !may_follow(before, change) {
                wrong.push(format!(
                    "I1: a seat changed hands unguarded: {before:?}, then {change:?}"
                ));
            }
            seen.expired += usize::from(
                before.is_some_and(|b| b.state == HELD && b.due_us <= change.at)
                    && change.state == COOLING,
            );
            before = Some(change);
        }
    }
    confirmed_at_once(history, wrong);
    places_at_once(history, wrong);
    for change in truth.last().values() {
        if change.state == HELD {
            wrong.push(format!("I6: a hold is left: {change:?}"));
        }
    }
    the_rest_is_free(history, wrong);
}

/// I5.
pub(super) fn the_rest_is_free(history: &History, wrong: &mut Vec<String>) {
    let left = history.truth.last();
    for (slot, free) in &history.free {
        let of_slot = left.values().filter(|c| c.slot == *slot && c.state != FREE);
        let taken = u32::try_from(of_slot.count()).expect("few");
        if free + taken != history.capacity {
            wrong.push(format!(
                "I5: of {} seats of {slot} {taken} are taken and the gate says that {free} are free",
                history.capacity
            ));
        }
    }
}

/// I1 at every change.
fn confirmed_at_once(history: &History, wrong: &mut Vec<String>) {
    let mut confirmed: HashMap<&str, BTreeMap<u32, &str>> = HashMap::new();
    for change in &history.truth.changes {
        let slot = confirmed.entry(&change.slot).or_default();
        if change.state == CONFIRMED {
            slot.insert(change.seat, &change.booking);
        } else {
            slot.remove(&change.seat);
        }
        if slot.len() > history.capacity as usize {
            wrong.push(format!("I1: {} is overbooked by {change:?}", change.slot));
        }
    }
}

/// I2: nobody has, or holds, two seats of times that overlap.
fn places_at_once(history: &History, wrong: &mut Vec<String>) {
    let mut theirs: HashMap<&str, BTreeMap<(&str, u32), &Change>> = HashMap::new();
    // A moved appointment changes two rows in one transaction: judged when it is over.
    let changes = &history.truth.changes;
    let ends = changes.iter().enumerate();
    let ends: HashMap<_, _> = ends.map(|(n, c)| ((c.tx, &c.applicant), n)).collect();
    for (n, change) in changes.iter().enumerate() {
        let seats = theirs.entry(&change.applicant).or_default();
        let seat = (change.slot.as_str(), change.seat);
        if matches!(change.state, HELD | CONFIRMED) {
            seats.insert(seat, change);
        } else {
            seats.remove(&seat);
        }
        let is_over = ends.get(&(change.tx, &change.applicant)) == Some(&n);
        if !is_over || change.applicant.is_empty() {
            continue;
        }
        let is_live = |c: &Change| c.state == CONFIRMED || c.due_us > change.at;
        let clash = seats.values().any(|other| {
            (other.slot.as_str(), other.seat) != seat
                && is_live(other)
                && matches!(change.state, HELD | CONFIRMED)
                && other.starts_us < change.ends_us
                && change.starts_us < other.ends_us
        });
        if clash {
            wrong.push(format!("I2: one person in two places at once: {change:?}"));
        }
    }
}
