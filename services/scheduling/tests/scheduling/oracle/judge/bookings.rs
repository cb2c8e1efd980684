//! I1 as people see it, I3, I7 and I8: what became of those who were told that a seat is theirs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bangban_proto::bangban::scheduling::v1::{Booking, Hold, SeatState};

use super::{History, Seen};
use crate::oracle::{
    calls::{Answer, Asked, Call},
    truth::{self, CONFIRMED, FREE},
};

/// States of an appointment, as rows have them.
const KEPT: i32 = 1;
const CANCELLED: i32 = 5;

/// Slot and number.
type Seat<'a> = (&'a str, u32);

fn booked(call: &Call) -> Option<&Booking> {
    match &call.answer {
        Answer::Booked(booking) => Some(booking),
        _ => None,
    }
}

/// The booking that a call may take its seat from.
fn leaves(call: &Call) -> Option<&str> {
    match &call.asked {
        Asked::Cancel { booking } | Asked::Move { booking, .. } => Some(booking),
        _ => None,
    }
}

pub(super) fn judge(history: &History, seen: &mut Seen, wrong: &mut Vec<String>) {
    acknowledged(history, wrong);
    nobody_is_lost(history, wrong);
    same_answers(history, seen, wrong);
    one_seat_at_every_commit(history, wrong);
}

/// No seat is two people's between what they heard and what they asked next.
fn acknowledged(history: &History, wrong: &mut Vec<String>) {
    let mut leaving: HashMap<&str, Vec<i64>> = HashMap::new();
    for call in &history.calls {
        if let Some(booking) = leaves(call) {
            leaving.entry(booking).or_default().push(call.from);
        }
    }
    let mut had: BTreeMap<Seat, BTreeSet<(i64, i64, &str)>> = BTreeMap::new();
    for call in &history.calls {
        let Some(booking) = booked(call) else {
            continue;
        };
        let asked = leaving.get(booking.id.as_str()).into_iter().flatten();
        let until = asked.filter(|at| **at >= call.to).min().copied();
        let span = (call.to, until.unwrap_or(i64::MAX), booking.id.as_str());
        had.entry((&booking.slot, booking.seat))
            .or_default()
            .insert(span);
    }
    for ((slot, seat), spans) in had {
        let spans: Vec<_> = spans.into_iter().collect();
        let clash = spans.iter().enumerate().find_map(|(n, (_, until, whose))| {
            let mut later = spans[n + 1..].iter().take_while(|(from, ..)| from < until);
            later
                .find(|(.., other)| other != whose)
                .map(|other| (whose, other))
        });
        if let Some((whose, (.., other))) = clash {
            wrong.push(format!(
                "I1: seat {seat} of {slot} is {whose}'s and {other}'s"
            ));
        }
    }
}

/// I3.
fn nobody_is_lost(history: &History, wrong: &mut Vec<String>) {
    let truth = &history.truth;
    let last = truth.last();
    let mut told: HashMap<&str, &Booking> = HashMap::new();
    let (mut may_be_gone, mut is_gone) = (HashSet::new(), HashSet::new());
    for call in &history.calls {
        if let Some(booking) = booked(call) {
            let newest = told.entry(&booking.id).or_insert(booking);
            if booking.sequence >= newest.sequence {
                *newest = booking;
            }
        }
        if let Asked::Cancel { booking } = &call.asked {
            may_be_gone.insert(booking.as_str());
            if call.answer == Answer::GivenUp {
                is_gone.insert(booking.as_str());
            }
        }
    }
    for (id, booking) in told {
        let Some(kept) = truth.bookings.get(id) else {
            wrong.push(format!("I3: a confirmed booking is not there: {id}"));
            continue;
        };
        let is_right = match kept.state {
            CANCELLED => may_be_gone.contains(id),
            KEPT => {
                let (slot, seat) = truth::seat(&kept.seat);
                let row = last.get(&(slot.as_str(), seat));
                !is_gone.contains(id)
                    && (slot.as_str(), seat) == (booking.slot.as_str(), booking.seat)
                    && row.is_some_and(|r| r.state == CONFIRMED && r.booking == id)
            }
            _ => false,
        };
        if !is_right {
            wrong.push(format!(
                "I3: {booking:?} was confirmed, and in the end it is {kept:?}"
            ));
        }
    }
}

/// I7.
fn same_answers(history: &History, seen: &mut Seen, wrong: &mut Vec<String>) {
    let mut first: HashMap<&str, &Call> = HashMap::new();
    for call in &history.calls {
        if call.answer == Answer::Refused("REQUEST_ID_REUSED".to_owned()) {
            wrong.push(format!(
                "I7: the same request is said to be another: {call:?}"
            ));
        }
        if !matches!(
            call.answer,
            Answer::Held(_) | Answer::Booked(_) | Answer::GivenUp
        ) {
            continue;
        }
        let before = first.entry(&call.key).or_insert(call);
        seen.repeated += usize::from(*before != call);
        let is_same = match (&before.answer, &call.answer) {
            // The seat's row is the record of a hold: it remembers the request until the seat is free again, and says
            // when the hold has ended meanwhile.
            (Answer::Held(a), Answer::Held(b)) => {
                let is_one = (&a.booking, &a.slot, a.seat) == (&b.booking, &b.slot, b.seat);
                let has_ended = a.epoch < b.epoch && b.state() == SeatState::Cooling;
                is_one && (a.epoch == b.epoch || has_ended) || was_freed(history, a, call.to)
            }
            (Answer::Booked(a), Answer::Booked(b)) => {
                (&a.id, &a.slot, a.seat, a.epoch) == (&b.id, &b.slot, b.seat, b.epoch)
            }
            (a, b) => a == b,
        };
        if !is_same {
            wrong.push(format!(
                "I7: one request, two answers: {before:?}, {call:?}"
            ));
        }
    }
}

/// Whether the seat of a hold was freed after the hold and before a moment.
fn was_freed(history: &History, hold: &Hold, by: i64) -> bool {
    let changes = history.truth.changes.iter();
    let mut changes = changes.skip_while(|c| c.booking != hold.booking);
    changes.any(|c| {
        c.state == FREE && c.at < by && (c.slot.as_str(), c.seat) == (hold.slot.as_str(), hold.seat)
    })
}

/// I8.
fn one_seat_at_every_commit(history: &History, wrong: &mut Vec<String>) {
    let mut commits: HashMap<&str, Vec<(i64, BTreeSet<Seat>)>> = HashMap::new();
    for change in &history.truth.changes {
        let commits = commits.entry(&change.booking).or_default();
        if commits.last().is_none_or(|(tx, _)| *tx != change.tx) {
            let before = commits.last().map(|(_, seats)| seats.clone());
            commits.push((change.tx, before.unwrap_or_default()));
        }
        let seat = (change.slot.as_str(), change.seat);
        if let Some((_, seats)) = commits.last_mut() {
            if change.state == CONFIRMED {
                seats.insert(seat);
            } else {
                seats.remove(&seat);
            }
        }
    }
    for (booking, commits) in commits {
        if booking.is_empty() {
            continue;
        }
        let counts = commits.iter().map(|(_, seats)| seats.len());
        let counts: Vec<_> = counts.skip_while(|count| *count == 0).collect();
        let ends = counts.iter().position(|count| *count == 0);
        let kept = &counts[..ends.unwrap_or(counts.len())];
        let is_left = ends.is_some_and(|end| end + 1 < counts.len());
        if is_left || kept.iter().any(|count| *count != 1) {
            wrong.push(format!(
                "I8: {booking} had so many seats, commit by commit: {counts:?}"
            ));
        }
    }
}
