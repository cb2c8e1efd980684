//! The gate on Redis: the operations of `value::moves` as scripts, and who is asked.

mod bundle;
mod crowd;
mod keeper;
mod lease;
mod master;
mod masters;
mod scripts;
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures::future::join_all;
use tokio::sync::{Notify, Semaphore, oneshot};

use self::crowd::{Crowds, Turn};
use self::lease::Lease;
use self::master::Master;
use self::scripts::Op;
use self::shared::{Failed, LATER, SOON, Shared, number};
use crate::counts::Counters;
use crate::gate::Asked;
use crate::value::{Began, Correction, DayValue, PickAnswer, Ticket};
use crate::{
    Day, Error, Generations, Health, Place, Seat, Settings, Unavailable, Who, generations,
};

/// Most picks that are on their way to Redis at once. More make it no faster, and their answers would come so late that
/// a crowd is mistaken for a server that is silent: who comes then waits here, where no time runs.
const MOST_PICKS: usize = 256;

#[derive(Debug)]
pub(crate) struct Redis {
    shared: Arc<Shared>,
    picks: Semaphore,
    crowds: Arc<Crowds>,
    tasks: [tokio::task::AbortHandle; 2],
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

impl Redis {
    pub(crate) fn new(
        settings: Settings,
        generations: Arc<dyn Generations>,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        if settings.servers.is_tls {
            // With two in the binary rustls takes none by itself; whoever was first is kept.
            _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let shared = Arc::new(Shared {
            lease: Lease::new(settings.lease),
            settings,
            generations,
            masters: ArcSwapOption::empty(),
            trouble: Notify::new(),
            needs_repair: AtomicBool::new(false),
            is_unusable: AtomicBool::new(false),
            counters,
        });
        let reading = tokio::spawn(keeper::read_generation(Arc::clone(&shared))).abort_handle();
        let keeping = tokio::spawn(keeper::keep(Arc::clone(&shared))).abort_handle();
        Ok(Self {
            shared,
            picks: Semaphore::new(MOST_PICKS),
            crowds: Arc::default(),
            tasks: [reading, keeping],
        })
    }

    pub(crate) async fn pick(
        &self,
        day: &Day,
        slot: u16,
        who: Who,
        seat: impl FnOnce(u16, Ticket) -> Seat + Send + 'static,
    ) -> Result<Asked, Unavailable> {
        let asking = match self.crowds.join((day.clone(), slot, who)).await {
            Turn::Full(answer) => return Ok(Asked::Other(answer)),
            Turn::Unavailable(it) => return Err(it),
            Turn::Ask(asking) => asking,
        };
        let asked = self.ask_for(day, slot, who, seat).await;
        match &asked {
            Ok(Asked::Other(answer @ (PickAnswer::Full | PickAnswer::OnlyReserved))) => {
                asking.was_full(*answer);
            }
            Err(it) => asking.was_unavailable(*it),
            Ok(_) => drop(asking),
        }
        asked
    }

    /// One call.
    async fn ask_for(
        &self,
        day: &Day,
        slot: u16,
        who: Who,
        seat: impl FnOnce(u16, Ticket) -> Seat + Send + 'static,
    ) -> Result<Asked, Unavailable> {
        let who: &[u8] = match who {
            Who::Ordinary => b"O",
            Who::Special => b"S",
        };
        let _turn = self.picks.acquire().await;
        let (shared, day) = (Arc::clone(&self.shared), day.clone());
        let (answer, answered) = oneshot::channel();
        // Goes on when the caller does not: an answer that comes too late, or after the caller was cancelled, is dropped
        // by the channel, and a seat in it gives itself back.
        tokio::spawn(async move {
            let called = shared
                .call_for_long(&day, Op::Pick, &[slot.to_string().as_bytes(), who])
                .await;
            _ = answer.send(
                called.and_then(|(answer, generation)| shared.picked(&answer, generation, seat)),
            );
        });
        match tokio::time::timeout(self.shared.settings.answer_within, answered).await {
            Ok(Ok(Ok(asked))) => Ok(asked),
            Ok(Ok(Err(Failed::Repairing))) => Ok(Asked::Repairing),
            _ => Err(LATER),
        }
    }

    pub(crate) async fn settle(&self, day: &Day, ticket: Ticket, mark: [u8; 2]) {
        let args: [&[u8]; 4] = [
            &ticket.token.to_be_bytes(),
            &ticket.index.to_be_bytes(),
            &ticket.number,
            &mark,
        ];
        // Without an answer the audit does it.
        _ = self.shared.call(day, Op::Settle, &args).await;
    }

    pub(crate) async fn free_up(
        &self,
        day: &Day,
        leaving: &[Place],
        lifted: Option<u16>,
    ) -> Result<i64, Unavailable> {
        let wait = self.shared.lease.wait();
        if !wait.is_zero() {
            return Err(Unavailable { after: wait });
        }
        let lifted = lifted.map_or(Vec::new(), |slot| slot.to_be_bytes().to_vec());
        let (_, generation) = self
            .shared
            .call(day, Op::FreeUp, &[&packed(leaving), &lifted])
            .await?;
        Ok(generation)
    }

    pub(crate) async fn freed(&self, day: &Day, places: &[Place]) {
        _ = self.shared.call(day, Op::Freed, &[&packed(places)]).await;
    }

    pub(crate) async fn forget(&self, day: &Day) -> Result<(), Unavailable> {
        let master = self.shared.master(day)?;
        let mut cmd = redis::cmd("DEL");
        cmd.arg(day.key());
        self.shared.ask::<u32>(&master, &cmd).await?;
        Ok(())
    }

    pub(crate) async fn begin(
        &self,
        day: &Day,
        token: u64,
        abandoned: Option<u64>,
        keep: Duration,
    ) -> Result<(Began, i64), Unavailable> {
        let generation = self.shared.generation()?;
        let mark = DayValue::rebuilding(generation, token);
        let abandoned = abandoned.map_or(Vec::new(), |token| token.to_be_bytes().to_vec());
        let keep = seconds(keep);
        let args: [&[u8]; 3] = [mark.as_bytes(), &abandoned, keep.as_bytes()];
        let (answer, _) = self
            .shared
            .call_under(generation, day, Op::Begin, &args)
            .await?;
        let began = match answer.split_first() {
            Some((b'Y', _)) => Began::Yes,
            Some((b'R', _)) => Began::Ready,
            Some((b'B', other)) => Began::Rebuilding(number(other).ok_or(SOON)?),
            _ => return Err(SOON),
        };
        Ok((began, generation))
    }

    pub(crate) async fn finish(
        &self,
        day: &Day,
        picture: DayValue,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        if picture.generation() != self.shared.generation()? {
            return Ok(false);
        }
        let keep = seconds(keep);
        let args: [&[u8]; 2] = [picture.as_bytes(), keep.as_bytes()];
        let (answer, _) = self
            .shared
            .call_under(picture.generation(), day, Op::Finish, &args)
            .await?;
        Ok(answer == b"1")
    }

    pub(crate) async fn mend(
        &self,
        day: &Day,
        seen: &DayValue,
        corrections: &[Correction],
        drift: u64,
    ) -> Result<(u16, u16), Unavailable> {
        if seen.generation() != self.shared.generation()? {
            return Ok((0, 0));
        }
        let packed: Vec<u8> = corrections
            .iter()
            .flat_map(|c| [c.index.to_be_bytes(), c.expected, c.mark])
            .flatten()
            .collect();
        let (token, drift) = (seen.token().to_be_bytes(), drift.to_string());
        let args: [&[u8]; 4] = [&token, &seen.releases(), &packed, drift.as_bytes()];
        let (answer, _) = self
            .shared
            .call_under(seen.generation(), day, Op::Mend, &args)
            .await?;
        match answer.as_slice() {
            [f0, f1, c0, c1] => Ok((
                u16::from_be_bytes([*f0, *f1]),
                u16::from_be_bytes([*c0, *c1]),
            )),
            _ => Err(SOON),
        }
    }

    pub(crate) async fn get(&self, days: &[Day]) -> Result<Vec<Option<DayValue>>, Unavailable> {
        let generation = self.shared.generation()?;
        let mut answers: Vec<Option<DayValue>> = vec![None; days.len()];
        let mut failed: Option<Failed> = None;
        // By master, with the places that the answers go to.
        let mut asked: Vec<(Arc<Master>, redis::Pipeline, Vec<usize>)> = Vec::new();
        for (place, day) in days.iter().enumerate() {
            let master = match self.shared.master(day) {
                Ok(master) => master,
                Err(away) => {
                    failed = Some(away);
                    continue;
                }
            };
            let at = asked
                .iter()
                .position(|(other, ..)| Arc::ptr_eq(other, &master))
                .unwrap_or_else(|| {
                    asked.push((master, redis::pipe(), Vec::new()));
                    asked.len() - 1
                });
            let (_, pipeline, places) = &mut asked[at];
            pipeline.cmd("GET").arg(day.key());
            places.push(place);
        }
        let all = join_all(
            asked
                .iter()
                .map(|(master, pipeline, _)| self.shared.ask_all(master, pipeline)),
        )
        .await;
        let mut is_answered = false;
        for ((_, _, places), values) in asked.iter().zip(all) {
            let values = match values {
                Ok(values) => values,
                Err(away) => {
                    failed = Some(away);
                    continue;
                }
            };
            is_answered = true;
            for (place, value) in places.iter().zip(values) {
                answers[*place] = value
                    .and_then(DayValue::read)
                    .filter(|value| value.is_ready(generation));
            }
        }
        // A master that is away takes its days with it, not those of the others.
        match failed {
            Some(failed) if !is_answered => Err(failed.into()),
            _ => Ok(answers),
        }
    }

    pub(crate) fn health(&self) -> Health {
        let Some(known) = self.shared.lease.known() else {
            return Health::Degraded("the gate's generation was not read yet");
        };
        match self.shared.masters.load().as_deref() {
            None => Health::Degraded("Redis was not found yet"),
            Some(masters) if masters.all.iter().any(|master| master.is_down()) => {
                Health::Degraded("Redis does not answer")
            }
            Some(_)
                if self.shared.needs_repair.load(Ordering::Relaxed)
                    || self.shared.is_unusable.load(Ordering::Relaxed) =>
            {
                Health::Degraded("Redis is being repaired")
            }
            Some(_) if !self.shared.lease.is_fresh(known.generation) => {
                Health::Degraded("the gate's generation cannot be read")
            }
            Some(_) => Health::Ready,
        }
    }

    pub(crate) fn generation_count(&self) -> u64 {
        self.shared
            .lease
            .known()
            .map_or(0, |known| generations::count(known.generation))
    }
}

fn packed(places: &[Place]) -> Vec<u8> {
    places
        .iter()
        .flat_map(|place| [place.slot.to_be_bytes(), place.seat.to_be_bytes()])
        .flatten()
        .collect()
}

fn seconds(keep: Duration) -> String {
    keep.as_secs().max(1).to_string()
}
