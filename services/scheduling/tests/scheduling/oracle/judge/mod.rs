//! The invariants I1 to I9, each as a sweep over the whole history. A judge says what is wrong; that there was enough to be
//! judged is asked beside it ([`Seen::has_enough`]).

mod bookings;
mod full;
mod list;
mod seats;

use std::fmt;

use super::{
    calls::{Answer, Asked, Call},
    truth::Truth,
};

/// What is judged.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub calls: Vec<Call>,
    pub truth: Truth,
    /// Seats of each slot, and how many of them are for special groups.
    pub capacity: u32,
    pub reserved: u32,
    /// What the gate says is free in the end for special groups, by slot; none where it does not matter.
    pub free: Vec<(String, u32)>,
}

/// How much there was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    pub held: usize,
    pub confirmed: usize,
    pub moved: usize,
    pub given_up: usize,
    pub full: usize,
    pub waits: usize,
    pub lost: usize,
    pub repeated: usize,
    pub expired: usize,
    pub offers: usize,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} held, {} confirmed, {} moved, {} given up, {} expired, {} full, {} try again, {} lost, {} repeated, {} offers",
            self.held,
            self.confirmed,
            self.moved,
            self.given_up,
            self.expired,
            self.full,
            self.waits,
            self.lost,
            self.repeated,
            self.offers
        )
    }
}

impl Seen {
    fn of(history: &History) -> Self {
        let mut seen = Self::default();
        for call in &history.calls {
            match (&call.answer, &call.asked) {
                (Answer::Held(_), _) => seen.held += 1,
                (Answer::Booked(_), Asked::Move { .. }) => seen.moved += 1,
                (Answer::Booked(_), _) => seen.confirmed += 1,
                (Answer::GivenUp, _) => seen.given_up += 1,
                (Answer::Full, _) => seen.full += 1,
                (Answer::Wait(..), _) => seen.waits += 1,
                (Answer::Lost, _) => seen.lost += 1,
                (Answer::Refused(_), _) => {}
            }
        }
        seen
    }

    /// A history in which nobody was confirmed, moved or refused proves nothing.
    ///
    /// # Panics
    /// When it is vacuous.
    pub fn has_enough(&self, confirmed: usize, full: usize, faults: (usize, usize)) {
        let (had, wanted) = faults;
        assert!(
            self.confirmed + self.moved >= confirmed && self.full >= full && had >= wanted,
            "vacuous: {self}; wanted {confirmed} confirmed or moved, {full} full, {wanted} faults, of which there were {had}"
        );
    }
}

/// What is wrong with a history, and how much of it there was.
pub fn found(history: &History) -> (Vec<String>, Seen) {
    let mut seen = Seen::of(history);
    let mut wrong = Vec::new();
    seats::judge(history, &mut seen, &mut wrong);
    bookings::judge(history, &mut seen, &mut wrong);
    full::judge(history, &mut wrong);
    list::judge(history, &mut seen, &mut wrong);
    (wrong, seen)
}

/// Whether the gate says that as many seats are free as the database.
pub fn agrees(history: &History) -> bool {
    let mut wrong = Vec::new();
    seats::the_rest_is_free(history, &mut wrong);
    !history.free.is_empty() && wrong.is_empty()
}

/// Judges a history.
///
/// # Panics
/// When anything is wrong with it.
pub fn judge(history: &History) -> Seen {
    let (wrong, seen) = found(history);
    println!("{seen}");
    let first: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} are wrong: {first:#?}", wrong.len());
    seen
}
