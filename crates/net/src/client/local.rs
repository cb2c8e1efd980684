//! Calls within the process: straight into the server's tower stack, without HTTP/2.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{Request, Response};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use tonic::{Status, body::Body};
use tower::{Service as _, util::BoxCloneSyncService};

use super::{code, counts::Counts, timeout};

/// The server's stack, as calls within the process reach it.
pub type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// A place for the stack of a server that starts later. Clones share it. A call that comes before the stack waits for it
/// until its deadline.
#[derive(Clone, Default)]
pub struct Local {
    cell: Arc<Cell>,
}

#[derive(Default)]
struct Cell {
    stack: OnceLock<Stack>,
    filled: Notify,
    calls: AtomicU64,
}

impl Local {
    /// Gives the stack. The first one stays.
    pub fn fill(&self, stack: Stack) {
        // A second one would be another server under the same name; who asked already got the first.
        let _ = self.cell.stack.set(stack);
        self.cell.filled.notify_waiters();
    }

    pub(super) fn counts(&self) -> Counts {
        let calls = self.cell.calls.load(Ordering::Relaxed);
        Counts {
            calls,
            attempts: calls,
            ready: u64::from(self.cell.stack.get().is_some()),
            ..Counts::default()
        }
    }

    pub(super) fn call(
        &self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>> {
        self.cell.calls.fetch_add(1, Ordering::Relaxed);
        let until =
            timeout::read(request.headers()).and_then(|given| Instant::now().checked_add(given));
        let cell = self.cell.clone();
        Box::pin(async move {
            let answer = async {
                let mut stack = cell.stack().await;
                let ready = std::future::poll_fn(|cx| stack.poll_ready(cx)).await;
                let answer = match ready {
                    Ok(()) => stack.call(request).await,
                    Err(never) => match never {},
                };
                match answer {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                }
            };
            match until {
                Some(until) => timeout_at(until, answer)
                    .await
                    .map_err(|_| code::deadline()),
                None => Ok(answer.await),
            }
        })
    }
}

impl Cell {
    async fn stack(&self) -> Stack {
        loop {
            let filled = self.filled.notified();
            tokio::pin!(filled);
            // Registered before the look, so that a fill in between is not missed.
            filled.as_mut().enable();
            if let Some(stack) = self.stack.get() {
                return stack.clone();
            }
            filled.await;
        }
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.cell.stack.get().is_some() {
            "filled"
        } else {
            "empty"
        };
        write!(f, "Local({state})")
    }
}
