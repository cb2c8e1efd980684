//! A day as bytes: one layout for Redis and memory. Numbers are big-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–7 | generation under which it was rebuilt |
//! | 8–15 | token: drawn at random by the rebuild, stands until the next |
//! | 16 | phase: `B` being rebuilt (nothing follows), `R` ready |
//! | 17–18 | the ticket that the next pick gets |
//! | 19–22 | releases: how often seats were freed or reservations lifted since the rebuild |
//! | 23–24 | how many slots |
//! | 4 for each slot | where its seats end among those of the day; how many of them are reserved |
//! | 2 for each seat | `FREE`, `TAKEN`, `LEAVING`, or the ticket with which it is picked |
//!
//! Only FREE contains a zero byte. So the first two zero bytes at or after the start of a seat *are* a free seat, and
//! the search for one is a search for bytes (`string.find` in Lua, which is `memchr`), not a loop over seats.

mod day_value;
mod moves;
#[cfg(test)]
mod tests;

pub(crate) use day_value::DayValue;
pub(crate) use moves::{
    Began, Correction, PickAnswer, begin, finish, free_up, freed, mend, pick, settle,
};

/// Byte offsets and marks, from 0; the Lua prelude is made from them.
pub(crate) mod layout {
    pub(crate) const GENERATION: usize = 0;
    pub(crate) const TOKEN: usize = 8;
    pub(crate) const PHASE: usize = 16;
    pub(crate) const TICKET: usize = 17;
    pub(crate) const RELEASES: usize = 19;
    pub(crate) const SLOT_COUNT: usize = 23;
    pub(crate) const SLOTS: usize = 25;
    pub(crate) const SLOT_BYTES: usize = 4;
    pub(crate) const SEAT_BYTES: usize = 2;

    pub(crate) const REBUILDING: u8 = b'B';
    pub(crate) const READY: u8 = b'R';

    pub(crate) const FREE: [u8; 2] = [0, 0];
    pub(crate) const TAKEN: [u8; 2] = [1, 1];
    pub(crate) const LEAVING: [u8; 2] = [1, 2];
    /// Both bytes of a ticket are at least this.
    pub(crate) const TICKET_FROM: u8 = 2;
}

/// With which a seat is picked. Never the same twice: the token is the rebuild's, and a day whose numbers are used up
/// is rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ticket {
    pub(crate) token: u64,
    /// The seat's place among all of the day, under this token.
    pub(crate) index: u16,
    pub(crate) number: [u8; 2],
}

impl crate::Row {
    pub(crate) fn mark(self) -> [u8; 2] {
        match self {
            Self::Free => layout::FREE,
            Self::Taken => layout::TAKEN,
            Self::Due => layout::LEAVING,
        }
    }
}
