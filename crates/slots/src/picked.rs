//! What a pick answers, and the seat that it gave out.

use std::time::Duration;

use crate::gate::Gate;
use crate::value::Ticket;
use crate::{Day, Place, Row};

/// The answer to [`Gate::pick`].
#[derive(Debug)]
#[must_use = "a seat that is dropped is given back"]
pub enum Picked {
    /// This seat, for nobody else while the ticket stands. The database decides whether it is really free.
    Seat(Seat),
    /// Every seat of the slot is taken: true at some moment between question and answer.
    Full,
    /// Every seat that anybody may have is taken, with the same truth; of those that are reserved for special groups some
    /// are not, so that somebody of such a group may be given one. Never told to those who were asked for as such.
    OnlyReserved,
    /// Not known: free seats are just being picked or freed, or the day is being repaired. Ask again, jittered.
    Again {
        /// When asking again makes sense.
        after: Duration,
    },
    /// The gate does not know this day (any more), or not this slot of it: rebuild the day, then pick again.
    Stale,
    /// The gate cannot be asked.
    Unavailable(crate::Unavailable),
}

/// A seat that was picked. It ends with what became of its row: [`Seat::taken`], [`Seat::give_back`] or
/// [`Seat::refused`]. Dropped (a call that was cancelled, a panic) it is given back; that is safe even if the row was
/// written after all, because the database refuses the next who is given the seat.
#[derive(Debug)]
#[must_use = "a seat that is dropped is given back"]
pub struct Seat {
    pub(crate) gate: Gate,
    pub(crate) day: Day,
    pub(crate) place: Place,
    pub(crate) ticket: Ticket,
    pub(crate) is_settled: bool,
}

impl Seat {
    /// Its slot and number.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Its row is committed. Without effect if the ticket does not stand any more (the seat was freed since, the day
    /// was rebuilt); an audit sets right what is lost on the way.
    pub async fn taken(self) {
        self.settle(Row::Taken).await;
    }

    /// Its row was not written. The same guard.
    pub async fn give_back(self) {
        self.settle(Row::Free).await;
    }

    /// The database refused: its row says that the seat is [`Row::Taken`] or [`Row::Due`], as read after the refusal
    /// with the database's clock. [`Row::Free`] (somebody freed it meanwhile) gives the seat back. The same guard.
    pub async fn refused(self, row: Row) {
        crate::counts::count(&self.gate.counters().refused);
        self.settle(row).await;
    }

    async fn settle(mut self, row: Row) {
        self.is_settled = true;
        self.gate.settle(&self.day, self.ticket, row).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let (gate, day, ticket) = (self.gate.clone(), self.day.clone(), self.ticket);
        // Without a runtime (a process that ends) the audit finds it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { gate.settle(&day, ticket, Row::Free).await });
        }
    }
}
