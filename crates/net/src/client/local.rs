//! Calls within the process: straight into the server's tower stack, without HTTP/2.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{Request, Response};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tonic::{Status, body::Body};
use tower::{Service as _, util::BoxCloneSyncService};

use super::{code, counts::Counts, timeout};

/// The server's stack, as calls within the process reach it.
pub type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// A place for the stack of a server that starts later. Clones share it. A call that comes before the stack waits for it
/// until its deadline; one that comes after its end is told that nothing serves.
#[derive(Clone, Default)]
pub struct Local {
    cell: Arc<Cell>,
}

#[derive(Default)]
struct Cell {
    stage: watch::Sender<Stage>,
    calls: AtomicU64,
}

#[derive(Default)]
enum Stage {
    #[default]
    Awaited,
    Serves(Stack),
    Over,
}

/// The stack's stay in its place: dropped, it ends. Services call each other by way of the stack that they are part of, so
/// one that stayed would keep all of them, and their connections, for ever.
#[must_use = "dropped, it takes the stack away again"]
pub struct Filled(Local);

impl Drop for Filled {
    fn drop(&mut self) {
        self.0.cell.stage.send_replace(Stage::Over);
    }
}

impl Local {
    /// Gives the stack, until what is answered is dropped.
    pub fn fill(&self, stack: Stack) -> Filled {
        self.cell.stage.send_replace(Stage::Serves(stack));
        Filled(self.clone())
    }

    fn is_filled(&self) -> bool {
        matches!(*self.cell.stage.borrow(), Stage::Serves(_))
    }

    pub(super) fn counts(&self) -> Counts {
        let calls = self.cell.calls.load(Ordering::Relaxed);
        Counts {
            calls,
            attempts: calls,
            ready: u64::from(self.is_filled()),
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
                let mut stack = cell.stack().await?;
                let ready = std::future::poll_fn(|cx| stack.poll_ready(cx)).await;
                let answer = match ready {
                    Ok(()) => stack.call(request).await,
                    Err(never) => match never {},
                };
                match answer {
                    Ok(answer) => Ok(answer),
                    Err(never) => match never {},
                }
            };
            match until {
                Some(until) => timeout_at(until, answer)
                    .await
                    .unwrap_or_else(|_| Err(code::deadline())),
                None => answer.await,
            }
        })
    }
}

impl Cell {
    async fn stack(&self) -> Result<Stack, Status> {
        let mut stage = self.stage.subscribe();
        let stage = stage.wait_for(|stage| !matches!(stage, Stage::Awaited));
        match stage.await.as_deref() {
            Ok(Stage::Serves(stack)) => Ok(stack.clone()),
            _ => Err(Status::unavailable(
                "the server in this process has ended; try again with another",
            )),
        }
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_filled() { "filled" } else { "empty" };
        write!(f, "Local({state})")
    }
}
