//! What was asked, what was answered, and what was not.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bangban_kit::refusal;
use tokio::time::Instant;
use tonic::Status;

use super::{
    Caller,
    command::{Command, Trace},
};

/// Calls of one kind.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    /// How many were answered, by what was asked.
    pub answered: BTreeMap<&'static str, u64>,
    /// Not answered: what was asked, and what came.
    pub failed: Vec<(&'static str, Status)>,
    /// What the slowest answer took.
    pub slowest: Duration,
}

/// All of it.
#[derive(Clone, Default)]
pub struct Tally {
    /// What writes.
    pub commands: Kind,
    /// What reads.
    pub reads: Kind,
    /// What each command that was answered must have left behind.
    pub acknowledged: Vec<Trace>,
    /// Commands of which nobody knows whether they were done, and who asked.
    pub unknown: Vec<(Caller, Command)>,
}

/// The books while they are kept.
#[derive(Default)]
pub struct Books(Mutex<Tally>);

impl Books {
    fn open(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what came of a command.
    pub(super) fn command(
        &self,
        caller: &Caller,
        command: &Command,
        began: Instant,
        answer: &Result<Trace, Status>,
    ) {
        let mut tally = self.open();
        tally.commands.note(command.name(), began, answer);
        match answer {
            Ok(trace) => tally.acknowledged.push(trace.clone()),
            Err(_) => tally.unknown.push((caller.clone(), command.clone())),
        }
    }

    /// Notes what came of a read.
    pub(super) fn read<T>(&self, what: &'static str, began: Instant, answer: &Result<T, Status>) {
        self.open().reads.note(what, began, answer);
    }

    /// Commands and reads that were answered, by what was asked.
    pub(super) fn answered(&self) -> [BTreeMap<&'static str, u64>; 2] {
        let tally = self.open();
        [
            tally.commands.answered.clone(),
            tally.reads.answered.clone(),
        ]
    }

    /// Commands and reads that failed.
    pub(super) fn failed(&self) -> (usize, usize) {
        let tally = self.open();
        (tally.commands.failed.len(), tally.reads.failed.len())
    }

    /// A copy of them.
    pub(super) fn tally(&self) -> Tally {
        self.open().clone()
    }
}

impl Kind {
    /// How many were answered.
    #[must_use]
    pub fn answered_count(&self) -> u64 {
        self.answered.values().sum()
    }

    fn note<T>(&mut self, what: &'static str, began: Instant, answer: &Result<T, Status>) {
        match answer {
            Ok(_) => {
                *self.answered.entry(what).or_default() += 1;
                self.slowest = self.slowest.max(began.elapsed());
            }
            Err(status) => self.failed.push((what, status.clone())),
        }
    }

    /// How often what failed how.
    fn reasons(&self) -> BTreeMap<String, usize> {
        let mut reasons = BTreeMap::new();
        for (what, status) in &self.failed {
            let reason = match refusal::reason(status) {
                reason if reason.is_empty() => status.message().to_owned(),
                reason => reason,
            };
            let how = format!("{what} {:?} {reason}", status.code());
            *reasons.entry(how).or_default() += 1;
        }
        reasons
    }
}

impl Tally {
    /// Commands and reads that failed.
    #[must_use]
    pub fn failure_count(&self) -> usize {
        self.commands.failed.len() + self.reads.failed.len()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} answered, the slowest in {} ms, {} failed",
            self.answered_count(),
            self.slowest.as_millis(),
            self.failed.len()
        )?;
        for (how, count) in self.reasons() {
            write!(f, " [{how}: {count}]")?;
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "commands: {}; reads: {}", self.commands, self.reads)
    }
}
