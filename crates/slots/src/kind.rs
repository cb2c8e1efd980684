//! Redis or memory.

use std::sync::Arc;
use std::time::Duration;

use crate::counts::Counters;
use crate::gate::Asked;
use crate::memory::Memory;
use crate::redis::Redis;
use crate::value::{Began, Correction, DayValue, PickAnswer, Ticket};
use crate::{Day, Error, Generations, Health, Place, Seat, Settings, Unavailable, Who};

#[derive(Debug)]
pub(crate) enum Kind {
    Memory(Memory),
    Redis(Redis),
}

impl Kind {
    pub(crate) fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    pub(crate) fn redis(
        settings: Settings,
        generations: Arc<dyn Generations>,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        Redis::new(settings, generations, counters).map(Self::Redis)
    }

    pub(crate) async fn pick(
        &self,
        day: &Day,
        slot: u16,
        who: Who,
        seat: impl FnOnce(u16, Ticket) -> Seat + Send + 'static,
    ) -> Result<Asked, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(match memory.pick(day, slot, who) {
                PickAnswer::Seat {
                    seat: number,
                    ticket,
                } => Asked::Seat(seat(number, ticket)),
                other => Asked::Other(other),
            }),
            Self::Redis(redis) => redis.pick(day, slot, who, seat).await,
        }
    }

    pub(crate) async fn settle(&self, day: &Day, ticket: Ticket, mark: [u8; 2]) {
        match self {
            Self::Memory(memory) => _ = memory.settle(day, ticket, mark),
            Self::Redis(redis) => redis.settle(day, ticket, mark).await,
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
            Self::Redis(redis) => redis.free_up(day, leaving, lifted).await,
        }
    }

    pub(crate) async fn freed(&self, day: &Day, places: &[Place]) {
        match self {
            Self::Memory(memory) => memory.freed(day, places),
            Self::Redis(redis) => redis.freed(day, places).await,
        }
    }

    pub(crate) async fn forget(&self, day: &Day) -> Result<(), Unavailable> {
        match self {
            Self::Memory(memory) => memory.forget(day),
            Self::Redis(redis) => redis.forget(day).await?,
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
            Self::Redis(redis) => redis.begin(day, token, abandoned, keep).await,
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
            Self::Redis(redis) => redis.finish(day, picture, keep).await,
        }
    }

    pub(crate) async fn mend(
        &self,
        day: &Day,
        seen: &DayValue,
        corrections: &[Correction],
        drift: u64,
    ) -> Result<(u16, u16), Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.mend(day, seen, corrections, drift)),
            Self::Redis(redis) => redis.mend(day, seen, corrections, drift).await,
        }
    }

    /// The days that are ready, others are `None`.
    pub(crate) async fn get(&self, days: &[Day]) -> Result<Vec<Option<DayValue>>, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.get(days)),
            Self::Redis(redis) => redis.get(days).await,
        }
    }

    pub(crate) fn health(&self) -> Health {
        match self {
            Self::Memory(_) => Health::Ready,
            Self::Redis(redis) => redis.health(),
        }
    }

    pub(crate) fn generation_count(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            Self::Redis(redis) => redis.generation_count(),
        }
    }
}
