//! Calls that are on their way to one server at the same time go together: a round for many costs both sides little more
//! than a round for one. Who is alone goes at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, RedisResult};
use tokio::sync::oneshot;

/// So many calls go alone at the same time; those who come while they are on their way are gathered.
const ALONE: usize = 2;

/// Between two bundles.
const PAUSE: Duration = Duration::from_millis(1);

type Answer = RedisResult<Vec<u8>>;

/// The calls to one server.
#[derive(Debug)]
pub(super) struct Bundles(Arc<Inner>);

struct Inner {
    connection: MultiplexedConnection,
    under_way: AtomicUsize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    calls: Vec<(Cmd, oneshot::Sender<Answer>)>,
    /// Somebody sends them.
    is_sent: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundles").finish_non_exhaustive()
    }
}

/// A call that is under way; over when it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bundles {
    pub(super) fn new(connection: MultiplexedConnection) -> Self {
        Self(Arc::new(Inner {
            connection,
            under_way: AtomicUsize::new(0),
            waiting: Mutex::default(),
        }))
    }

    /// What the server answers to this call. Whoever does not wait for the answer any more has called all the same.
    pub(super) async fn call(&self, cmd: Cmd) -> Answer {
        let others = self.0.under_way.fetch_add(1, Ordering::Relaxed);
        let _under_way = UnderWay(&self.0.under_way);
        if others < ALONE {
            return cmd.query_async(&mut self.0.connection.clone()).await;
        }
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.0.lock();
            waiting.calls.push((cmd, answer));
            !std::mem::replace(&mut waiting.is_sent, true)
        };
        if is_first {
            tokio::spawn(Arc::clone(&self.0).send_all());
        }
        answered.await.unwrap_or_else(|_| Err(broken_off()))
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what has gathered, until nothing has. It does not wait for answers: a server that is silent holds up nobody
    /// who comes later, and who gives it up is somebody else's decision.
    async fn send_all(self: Arc<Self>) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let calls = {
                let mut waiting = self.lock();
                waiting.is_sent = !waiting.calls.is_empty();
                std::mem::take(&mut waiting.calls)
            };
            if calls.is_empty() {
                return;
            }
            tokio::spawn(send(self.connection.clone(), calls));
        }
    }
}

/// Sends calls together, and gives each its answer.
async fn send(mut connection: MultiplexedConnection, calls: Vec<(Cmd, oneshot::Sender<Answer>)>) {
    let mut bundle = redis::Pipeline::with_capacity(calls.len());
    // Each has its own fate.
    bundle.ignore_errors();
    let answers: Vec<_> = calls
        .into_iter()
        .map(|(cmd, answer)| {
            bundle.add_command(cmd);
            answer
        })
        .collect();
    match bundle.query_async::<Vec<Answer>>(&mut connection).await {
        Ok(all) => {
            for (answer, one) in answers.into_iter().zip(all) {
                let _ = answer.send(one);
            }
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

/// Whoever sends has gone: the runtime ends.
fn broken_off() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()
}
