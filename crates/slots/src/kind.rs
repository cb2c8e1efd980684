//! Redis or memory.

use std::time::Duration;

use crate::gate::Asked;
use crate::memory::Memory;
use crate::value::{Began, Correction, DayValue, PickAnswer, Ticket};
use crate::{Day, Health, Place, Seat, Unavailable, Who};

#[derive(Debug)]
pub(crate) enum Kind {
    Memory(Memory),
}

impl Kind {
    pub(crate) fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    pub(crate) async fn pick(
        &self,
        day: &Day,
        slot: u16,
        who: Who,
        seat: impl FnOnce(u16, Ticket) -> Seat,
    ) -> Result<Asked, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(match memory.pick(day, slot, who) {
                PickAnswer::Seat {
                    seat: number,
                    ticket,
                } => Asked::Seat(seat(number, ticket)),
                other => Asked::Other(other),
            }),
        }
    }

    pub(crate) async fn settle(&self, day: &Day, ticket: Ticket, mark: [u8; 2]) {
        match self {
            Self::Memory(memory) => _ = memory.settle(day, ticket, mark),
        }
    }

    pub(crate) async fn free_up(
        &self,
        day: &Day,
        leaving: &[Place],
        lifted: Option<u16>,
    ) -> Result<i64, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.free_up(day, leaving, lifted)),
        }
    }

    pub(crate) async fn freed(&self, day: &Day, places: &[Place]) {
        match self {
            Self::Memory(memory) => memory.freed(day, places),
        }
    }

    pub(crate) async fn forget(&self, day: &Day) -> Result<(), Unavailable> {
        match self {
            Self::Memory(memory) => memory.forget(day),
        }
        Ok(())
    }

    pub(crate) async fn begin(
        &self,
        day: &Day,
        token: u64,
        abandoned: Option<u64>,
        keep: Duration,
    ) -> Result<(Began, i64), Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.begin(day, token, abandoned, keep)),
        }
    }

    pub(crate) async fn finish(
        &self,
        day: &Day,
        picture: DayValue,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.finish(day, picture, keep)),
        }
    }

    pub(crate) async fn mend(
        &self,
        day: &Day,
        seen: &DayValue,
        corrections: &[Correction],
    ) -> Result<u64, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.mend(day, seen, corrections)),
        }
    }

    /// The days that are ready, others are `None`.
    pub(crate) async fn get(&self, days: &[Day]) -> Result<Vec<Option<DayValue>>, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.get(days)),
        }
    }

    pub(crate) fn health(&self) -> Health {
        match self {
            Self::Memory(_) => Health::Ready,
        }
    }

    pub(crate) fn generation_count(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
        }
    }
}
