//! What calls and keeper share: who is asked, under which generation, and what a failure means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::sync::Notify;

use super::lease::Lease;
use super::master::Master;
use super::masters::Masters;
use super::scripts::Op;
use crate::counts::Counters;
use crate::gate::Asked;
use crate::value::{PickAnswer, Ticket};
use crate::{Day, Generations, Seat, Settings, Unavailable};

/// While a server is repaired or looked for.
pub(super) const SOON: Unavailable = Unavailable {
    after: Duration::from_millis(100),
};
pub(super) const LATER: Unavailable = Unavailable {
    after: Duration::from_millis(500),
};

pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) generations: Arc<dyn Generations>,
    pub(super) lease: Lease,
    pub(super) masters: ArcSwapOption<Masters>,
    /// Wakes the keeper.
    pub(super) trouble: Notify,
    /// Pings alone would not show it.
    pub(super) needs_repair: AtomicBool,
    /// The last repair failed. Unlike what is told above, this stands while the next one is at work.
    pub(super) is_unusable: AtomicBool,
    pub(super) counters: Arc<Counters>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("servers", &self.settings.servers)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
pub(super) enum Failed {
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

impl Shared {
    pub(super) fn generation(&self) -> Result<i64, Failed> {
        self.lease
            .known()
            .map(|known| known.generation)
            .ok_or(Failed::Away)
    }

    pub(super) fn master(&self, day: &Day) -> Result<Arc<Master>, Failed> {
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

    pub(super) async fn call(
        &self,
        day: &Day,
        op: Op,
        args: &[&[u8]],
    ) -> Result<(Vec<u8>, i64), Failed> {
        self.call_under(self.generation()?, day, op, args).await
    }

    pub(super) async fn call_under(
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
    pub(super) async fn call_for_long(
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
        let mut answer = master.bundles.call(cmd).await;
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

    pub(super) async fn ask<T: redis::FromRedisValue>(
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

    pub(super) async fn ask_all(
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

    pub(super) fn picked(
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
            [b'F' | b'R'] if !self.lease.is_fresh(generation) => Asked::Withheld,
            [b'F'] => Asked::Other(PickAnswer::Full),
            [b'R'] => Asked::Other(PickAnswer::OnlyReserved),
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

pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
