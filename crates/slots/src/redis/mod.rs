//! The gate on Redis: the operations of `value::moves` as scripts, and who is asked.

mod keeper;
mod lease;
mod master;
mod masters;
mod scripts;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures::future::join_all;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::sync::{Notify, oneshot};

use self::lease::Lease;
use self::master::Master;
use self::masters::Masters;
use self::scripts::Op;
use crate::counts::Counters;
use crate::gate::Asked;
use crate::value::{Began, Correction, DayValue, PickAnswer, Ticket};
use crate::{
    Day, Error, Generations, Health, Place, Seat, Settings, Unavailable, Who, generations,
};

/// While a server is repaired or looked for.
const SOON: Unavailable = Unavailable {
    after: Duration::from_millis(100),
};
const LATER: Unavailable = Unavailable {
    after: Duration::from_millis(500),
};

#[derive(Debug)]
pub(crate) struct Redis {
    shared: Arc<Shared>,
    tasks: [tokio::task::AbortHandle; 2],
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

struct Shared {
    settings: Settings,
    generations: Arc<dyn Generations>,
    lease: Lease,
    masters: ArcSwapOption<Masters>,
    /// Wakes the keeper.
    trouble: Notify,
    /// Pings alone would not show it.
    needs_repair: AtomicBool,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("servers", &self.settings.servers)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
enum Failed {
    /// The server is not, or not any more, the one to ask; the keeper finds out who is.
    Repairing,
    Away,
}

impl From<Failed> for Unavailable {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Repairing => SOON,
            Failed::Away => LATER,
        }
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
            counters,
        });
        let reading = tokio::spawn(keeper::read_generation(Arc::clone(&shared))).abort_handle();
        let keeping = tokio::spawn(keeper::keep(Arc::clone(&shared))).abort_handle();
        Ok(Self {
            shared,
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
        let who: &[u8] = match who {
            Who::Ordinary => b"O",
            Who::Special => b"S",
        };
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

    /// How many of the first `drift` corrections were made.
    pub(crate) async fn mend(
        &self,
        day: &Day,
        seen: &DayValue,
        corrections: &[Correction],
        drift: u64,
    ) -> Result<u64, Unavailable> {
        if seen.generation() != self.shared.generation()? {
            return Ok(0);
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
        Ok(std::str::from_utf8(&answer)
            .ok()
            .and_then(|count| count.parse().ok())
            .unwrap_or(0))
    }

    pub(crate) async fn get(&self, days: &[Day]) -> Result<Vec<Option<DayValue>>, Unavailable> {
        let generation = self.shared.generation()?;
        let mut answers: Vec<Option<DayValue>> = vec![None; days.len()];
        // By master, with the places that the answers go to.
        let mut asked: Vec<(Arc<Master>, redis::Pipeline, Vec<usize>)> = Vec::new();
        for (place, day) in days.iter().enumerate() {
            let master = self.shared.master(day)?;
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
        for ((_, _, places), values) in asked.iter().zip(all) {
            for (place, value) in places.iter().zip(values?) {
                answers[*place] = value
                    .and_then(DayValue::read)
                    .filter(|value| value.is_ready(generation));
            }
        }
        Ok(answers)
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
            Some(_) if self.shared.needs_repair.load(Ordering::Relaxed) => {
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

impl Shared {
    fn generation(&self) -> Result<i64, Failed> {
        self.lease
            .known()
            .map(|known| known.generation)
            .ok_or(Failed::Away)
    }

    fn master(&self, day: &Day) -> Result<Arc<Master>, Failed> {
        let masters = self.masters.load();
        let master = masters
            .as_deref()
            .and_then(|masters| masters.of(day))
            .ok_or(Failed::Away)?;
        if master.is_down() {
            Err(Failed::Away)
        } else {
            Ok(Arc::clone(master))
        }
    }

    async fn call(&self, day: &Day, op: Op, args: &[&[u8]]) -> Result<(Vec<u8>, i64), Failed> {
        self.call_under(self.generation()?, day, op, args).await
    }

    async fn call_under(
        &self,
        generation: i64,
        day: &Day,
        op: Op,
        args: &[&[u8]],
    ) -> Result<(Vec<u8>, i64), Failed> {
        let master = self.master(day)?;
        let called = self.evaluate(&master, generation, day, op, args);
        match tokio::time::timeout(self.settings.answer_within, called).await {
            Ok(answer) => answer,
            Err(_) => {
                self.was_silent(&master);
                Err(Failed::Away)
            }
        }
    }

    /// The answer however late it is, though the server counts as silent after the usual time.
    async fn call_for_long(
        &self,
        day: &Day,
        op: Op,
        args: &[&[u8]],
    ) -> Result<(Vec<u8>, i64), Failed> {
        let (generation, master) = (self.generation()?, self.master(day)?);
        let mut called = std::pin::pin!(self.evaluate(&master, generation, day, op, args));
        match tokio::time::timeout(self.settings.answer_within, &mut called).await {
            Ok(answer) => answer,
            Err(_) => {
                self.was_silent(&master);
                called.await
            }
        }
    }

    async fn evaluate(
        &self,
        master: &Master,
        generation: i64,
        day: &Day,
        op: Op,
        args: &[&[u8]],
    ) -> Result<(Vec<u8>, i64), Failed> {
        let cmd = master.call(op, generation, day.key(), args);
        let mut answer = cmd
            .query_async::<Vec<u8>>(&mut master.connection.clone())
            .await;
        // The day is just moving to another node of the Cluster, and is there already.
        if let Err(error) = &answer
            && error.kind() == ErrorKind::Server(ServerErrorKind::Ask)
            && let Some(other) = self.redirected(error)
        {
            let cmd = other.call(op, generation, day.key(), args);
            let mut asking = redis::pipe();
            asking.cmd("ASKING").ignore().add_command(cmd);
            answer = asking
                .query_async::<(Vec<u8>,)>(&mut other.connection.clone())
                .await
                .map(|(answer,)| answer);
        }
        match answer {
            Ok(answer) => {
                master.answered();
                Ok((answer, generation))
            }
            Err(error) => Err(self.failed(master, &error)),
        }
    }

    fn redirected(&self, error: &RedisError) -> Option<Arc<Master>> {
        let (node, _) = error.redirect_node()?;
        let (host, port) = node.rsplit_once(':')?;
        let address = (host.to_owned(), port.parse().ok()?);
        self.masters.load().as_deref()?.at(&address).cloned()
    }

    async fn ask<T: redis::FromRedisValue>(
        &self,
        master: &Master,
        cmd: &redis::Cmd,
    ) -> Result<T, Failed> {
        let mut connection = master.connection.clone();
        match tokio::time::timeout(
            self.settings.answer_within,
            cmd.query_async(&mut connection),
        )
        .await
        {
            Ok(answer) => answer.map_err(|error| self.failed(master, &error)),
            Err(_) => {
                self.was_silent(master);
                Err(Failed::Away)
            }
        }
    }

    async fn ask_all(
        &self,
        master: &Master,
        cmds: &redis::Pipeline,
    ) -> Result<Vec<Option<Vec<u8>>>, Failed> {
        let mut connection = master.connection.clone();
        match tokio::time::timeout(
            self.settings.answer_within,
            cmds.query_async(&mut connection),
        )
        .await
        {
            Ok(answer) => answer.map_err(|error| self.failed(master, &error)),
            Err(_) => {
                self.was_silent(master);
                Err(Failed::Away)
            }
        }
    }

    fn was_silent(&self, master: &Master) {
        master.was_silent();
        self.trouble.notify_one();
    }

    fn failed(&self, master: &Master, error: &RedisError) -> Failed {
        tracing::debug!(%error, "a call to the gate's Redis failed");
        let failed = match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::NoScript
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ReadOnly,
            ) => Failed::Repairing,
            _ if error.is_io_error() || error.is_connection_dropped() => {
                master.is_lost();
                Failed::Away
            }
            _ => Failed::Away,
        };
        self.is_in_trouble();
        failed
    }

    fn is_in_trouble(&self) {
        self.needs_repair.store(true, Ordering::Relaxed);
        self.trouble.notify_one();
    }

    fn picked(
        &self,
        answer: &[u8],
        generation: i64,
        seat: impl FnOnce(u16, Ticket) -> Seat,
    ) -> Result<Asked, Failed> {
        Ok(match answer {
            [b'P', i0, i1, s0, s1, t0, t1, token @ ..] => {
                let ticket = Ticket {
                    token: number(token).ok_or(Failed::Away)?,
                    index: u16::from_be_bytes([*i0, *i1]),
                    number: [*t0, *t1],
                };
                Asked::Seat(seat(u16::from_be_bytes([*s0, *s1]), ticket))
            }
            [b'F'] if self.lease.is_fresh(generation) => Asked::Other(PickAnswer::Full),
            [b'F'] => Asked::Withheld,
            [b'A'] => Asked::Other(PickAnswer::Busy),
            [b'S'] => Asked::Other(PickAnswer::Stale),
            [b'B', token @ ..] => {
                Asked::Other(PickAnswer::Rebuilding(number(token).ok_or(Failed::Away)?))
            }
            _ => {
                self.is_in_trouble();
                return Err(Failed::Repairing);
            }
        })
    }
}

fn packed(places: &[Place]) -> Vec<u8> {
    places
        .iter()
        .flat_map(|place| [place.slot.to_be_bytes(), place.seat.to_be_bytes()])
        .flatten()
        .collect()
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

fn seconds(keep: Duration) -> String {
    keep.as_secs().max(1).to_string()
}
