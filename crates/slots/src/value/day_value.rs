//! Reading and making the bytes of a day.

use super::layout::*;
use crate::{DayState, Error, Free, Place};

/// The bytes of a day. What is too short or does not add up reads as missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DayValue(pub(super) Vec<u8>);

fn bytes<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|i| from[at + i])
}

impl DayValue {
    /// A value that Redis answered; `None` if it cannot be one of ours.
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Self> {
        let value = Self(bytes);
        let is_whole = value.0.len() > PHASE
            && (value.phase() == REBUILDING
                || value.0.len() >= SLOTS && value.0.len() == value.seat_at(value.seat_count()));
        is_whole.then_some(value)
    }

    /// A day that is being rebuilt.
    pub(crate) fn rebuilding(generation: i64, token: u64) -> Self {
        let mut bytes = Vec::with_capacity(PHASE + 1);
        bytes.extend(generation.to_be_bytes());
        bytes.extend(token.to_be_bytes());
        bytes.push(REBUILDING);
        Self(bytes)
    }

    /// A day as the database describes it.
    pub(crate) fn ready(generation: i64, token: u64, state: &DayState) -> Result<Self, Error> {
        let Self(mut bytes) = Self::rebuilding(generation, token);
        bytes[PHASE] = READY;
        bytes.extend([TICKET_FROM, TICKET_FROM]);
        bytes.extend(0u32.to_be_bytes());
        let number = |count: usize| u16::try_from(count).map_err(|_| Error::TooMany);
        bytes.extend(number(state.slots.len())?.to_be_bytes());
        let mut end = 0;
        for slot in &state.slots {
            end += slot.seats.len();
            if usize::from(slot.reserved) > slot.seats.len() {
                return Err(Error::TooMany);
            }
            bytes.extend(number(end)?.to_be_bytes());
            bytes.extend(slot.reserved.to_be_bytes());
        }
        bytes.extend(
            state
                .slots
                .iter()
                .flat_map(|slot| &slot.seats)
                .flat_map(|row| row.mark()),
        );
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn generation(&self) -> i64 {
        i64::from_be_bytes(bytes(&self.0, GENERATION))
    }

    pub(crate) fn token(&self) -> u64 {
        u64::from_be_bytes(bytes(&self.0, TOKEN))
    }

    pub(crate) fn phase(&self) -> u8 {
        self.0[PHASE]
    }

    pub(crate) fn is_ready(&self, generation: i64) -> bool {
        self.generation() == generation && self.phase() == READY
    }

    pub(crate) fn releases(&self) -> [u8; 4] {
        bytes(&self.0, RELEASES)
    }

    pub(crate) fn slot_count(&self) -> u16 {
        u16::from_be_bytes(bytes(&self.0, SLOT_COUNT))
    }

    fn slot_at(slot: u16) -> usize {
        SLOTS + usize::from(slot) * SLOT_BYTES
    }

    fn end(&self, slot: u16) -> u16 {
        u16::from_be_bytes(bytes(&self.0, Self::slot_at(slot)))
    }

    pub(crate) fn reserved(&self, slot: u16) -> u16 {
        u16::from_be_bytes(bytes(&self.0, Self::slot_at(slot) + 2))
    }

    pub(super) fn lift(&mut self, slot: u16) {
        let at = Self::slot_at(slot) + 2;
        self.0[at..at + 2].fill(0);
    }

    /// The seats of a slot among those of the day.
    pub(crate) fn seats_of(&self, slot: u16) -> Option<std::ops::Range<u16>> {
        (slot < self.slot_count()).then(|| {
            let start = if slot == 0 { 0 } else { self.end(slot - 1) };
            start..self.end(slot)
        })
    }

    pub(crate) fn index(&self, place: Place) -> Option<u16> {
        let seats = self.seats_of(place.slot)?;
        seats
            .start
            .checked_add(place.seat)
            .filter(|index| seats.contains(index))
    }

    pub(crate) fn seat_count(&self) -> u16 {
        match self.slot_count() {
            0 => 0,
            // A slot table that is cut off has no seats, and so not the right length either.
            n if self.0.len() < Self::slot_at(n) => 0,
            n => self.end(n - 1),
        }
    }

    pub(super) fn seat_at(&self, index: u16) -> usize {
        Self::slot_at(self.slot_count()) + usize::from(index) * SEAT_BYTES
    }

    pub(crate) fn seat(&self, index: u16) -> [u8; 2] {
        bytes(&self.0, self.seat_at(index))
    }

    pub(super) fn set_seat(&mut self, index: u16, mark: [u8; 2]) {
        let at = self.seat_at(index);
        self.0[at..at + 2].copy_from_slice(&mark);
    }

    /// Seats of each slot that can be picked now.
    pub(crate) fn free(&self) -> Vec<Free> {
        (0..self.slot_count())
            .map(|slot| {
                let seats = self.seats_of(slot).unwrap_or_default();
                let unreserved = seats.start + self.reserved(slot);
                let count = |seats: std::ops::Range<u16>| {
                    seats.filter(|seat| self.seat(*seat) == FREE).count() as u16
                };
                let ordinary = count(unreserved..seats.end);
                Free {
                    ordinary,
                    special: ordinary + count(seats.start..unreserved),
                }
            })
            .collect()
    }
}
