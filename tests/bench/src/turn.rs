//! A turn of load: everybody does the same, each one call after the other, for a while.

use std::time::Duration;

use bangban::failure::Failure;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Somebody who does one thing after the other.
pub trait Work: Send + Sized + 'static {
    /// Does the next thing.
    fn once(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

async fn work_until<W: Work>(mut worker: W, end: Instant) -> Result<(W, Vec<Duration>), Failure> {
    let mut took = Vec::new();
    loop {
        let began = Instant::now();
        if began >= end {
            return Ok((worker, took));
        }
        worker.once().await?;
        took.push(began.elapsed());
    }
}

/// What a turn of load did.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// Things that were done.
    pub count: usize,
    /// Of them in a second.
    pub rate: f64,
    /// Milliseconds that half of them took at most.
    pub middle: f64,
    /// Milliseconds that 99 of 100 took at most.
    pub most: f64,
}

/// Everybody works for so long. One that fails fails the turn.
pub async fn turn<W: Work>(workers: &mut Vec<W>, length: Duration) -> Result<Turn, Failure> {
    let began = Instant::now();
    let end = began + length;
    let mut working = JoinSet::new();
    for worker in workers.drain(..) {
        working.spawn(work_until(worker, end));
    }
    sleep_until(end).await;
    let mut took = Vec::new();
    while let Some(done) = working.join_next().await {
        let done = done.map_err(|e| Failure::of("a client broke off", &e))?;
        let (worker, of_one) = done?;
        took.extend(of_one);
        workers.push(worker);
    }
    let seconds = began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: usize| {
        let index = (took.len() * part / 100).min(took.len().saturating_sub(1));
        took.get(index).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3)
    };
    let rate = took.len() as f64 / seconds;
    Ok(Turn {
        count: took.len(),
        rate,
        middle: at(50),
        most: at(99),
    })
}
