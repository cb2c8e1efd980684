//! I9: the waiting list.

use std::collections::{HashMap, HashSet};

use super::{History, Seen};
use crate::{
    oracle::truth::{Change, FREE, HELD, Place},
    served::double::is_special,
};

const WAITING: i32 = 1;
const OFFERED: i32 = 2;

/// Whoever waits as it stands, all for the same; and who has let an offer go.
#[derive(Default)]
struct List<'a> {
    now: HashMap<&'a str, &'a Place>,
    let_go: HashSet<&'a str>,
    /// Its place among all changes when each joined.
    joined: HashMap<&'a str, i64>,
}

impl<'a> List<'a> {
    /// The first who may have a seat: of a special group, then who joined first (BB-7.1.1).
    fn first(&self) -> Option<&'a Place> {
        let waiting = self.now.values().copied();
        let eligible =
            waiting.filter(|p| p.state == WAITING && !self.let_go.contains(p.id.as_str()));
        eligible.min_by_key(|p| (!is_special(&p.applicant), self.joined[p.id.as_str()]))
    }

    fn changes(&mut self, place: &'a Place, wrong: &mut Vec<String>) -> bool {
        let before = self.now.get(place.id.as_str()).map_or(0, |p| p.state);
        let is_offer = place.state == OFFERED && before != OFFERED;
        if is_offer && self.first().is_none_or(|first| first.id != place.id) {
            wrong.push(format!(
                "I9: offered to {place:?} before {:?}",
                self.first()
            ));
        }
        if before == OFFERED && place.state == WAITING {
            self.let_go.insert(&place.id);
        }
        self.joined.entry(&place.id).or_insert(place.order);
        self.now.insert(&place.id, place);
        is_offer
    }
}

pub(super) fn judge(history: &History, seen: &mut Seen, wrong: &mut Vec<String>) {
    let truth = &history.truth;
    let mut list = List::default();
    let mut places = truth.places.iter().peekable();
    let mut offered: HashMap<&str, HashSet<(&str, u32)>> = HashMap::new();
    let mut seats: HashMap<(&str, u32), &Change> = HashMap::new();
    for (change, order) in truth.changes.iter().zip(&truth.orders) {
        while let Some(place) = places.next_if(|place| place.order < *order) {
            seen.offers += usize::from(list.changes(place, wrong));
        }
        let seat = (change.slot.as_str(), change.seat);
        if let Some(before) = seats.insert(seat, change)
            && let Some(held) = offered.get_mut(before.waiting.as_str())
        {
            held.remove(&seat);
        }
        if change.state == HELD && !change.waiting.is_empty() {
            let held = offered.entry(&change.waiting).or_default();
            held.insert(seat);
            if held.len() > 1 {
                wrong.push(format!("I9: two offers at once: {change:?}"));
            }
        }
        if change.state == FREE && list.first().is_some() {
            wrong.push(format!("I9: free for all while somebody waits: {change:?}"));
        }
    }
    for place in places {
        seen.offers += usize::from(list.changes(place, wrong));
    }
}
