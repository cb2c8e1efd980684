//! The calling side: a channel that every generated client takes, to a service in this process or at several endpoints.
//!
//! What tonic's own channel does not do, this does: it leaves endpoints that do not serve, spreads calls by how many wait for
//! an answer, keeps a deadline over everything that a call needs, repeats what may be repeated within a budget, and says
//! honestly what went wrong.
//!
//! ```no_run
//! # use bangban_net::client::{Channel, Endpoints, NoEndpoints, Settings, Tcp};
//! # use bangban_proto::bangban::directory::v1::region_service_client::RegionServiceClient;
//! # fn example() -> Result<(), NoEndpoints> {
//! let endpoints = Endpoints::parse("http://127.0.0.1:7401,http://127.0.0.1:7411", false)?;
//! let channel = Channel::balanced(endpoints, Tcp, Settings::of("directory"));
//! let client = RegionServiceClient::new(channel);
//! # Ok(())
//! # }
//! ```

mod answer;
mod attempt;
mod backoff;
mod body;
mod budget;
mod call;
pub mod code;
mod counts;
mod declared;
mod dial;
mod endpoint;
mod endpoints;
mod local;
mod payload;
mod pushback;
mod set;
mod settings;
mod timeout;

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt as _};
use http::{Request, Response};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, body::Body};

pub use self::{
    budget::Budget,
    counts::Counts,
    declared::{Declared, Shape, by_contract},
    dial::{Dial, Tcp},
    endpoints::{Address, Addresses, Endpoints, NoEndpoints},
    local::{Filled, Local, Stack},
    settings::Settings,
};

/// The way to a service. Clones share everything; when the last one is dropped the connections end.
#[derive(Clone)]
pub struct Channel(Kind);

#[derive(Clone)]
enum Kind {
    Local(Local),
    Balanced(Arc<Core>),
}

struct Core {
    settings: Arc<Settings>,
    /// Its service, as telemetry tells it.
    name: Arc<str>,
    set: Arc<set::Set>,
    budget: Budget,
    counters: counts::Counters,
    _supervisor: AbortOnDropHandle<()>,
}

impl Channel {
    /// To the server in this process.
    #[must_use]
    pub const fn local(local: Local) -> Self {
        Self(Kind::Local(local))
    }

    /// To the endpoints, whose connections are opened at once. Has to be called within a tokio runtime.
    #[must_use]
    pub fn balanced<D: Dial>(endpoints: Endpoints, dial: D, settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let set = Arc::<set::Set>::default();
        let failed = Arc::<tokio::sync::Notify>::default();
        let announced = endpoints.watch(settings.resolve_every, failed.clone());
        let shared = Arc::new(endpoint::Shared {
            dial,
            settings: settings.clone(),
            set: set.clone(),
            failed,
        });
        Self(Kind::Balanced(Arc::new(Core {
            budget: Budget::new(settings.tokens),
            name: settings.service.as_str().into(),
            settings,
            set,
            counters: counts::Counters::default(),
            _supervisor: AbortOnDropHandle::new(tokio::spawn(supervise(announced, shared))),
        })))
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        match &self.0 {
            Kind::Local(local) => local.counts(),
            Kind::Balanced(core) => core.counters.read(core.set.len()),
        }
    }
}

/// Keeps the tasks of the endpoints that are announced.
async fn supervise<D: Dial>(
    mut announced: Pin<Box<dyn Stream<Item = Addresses> + Send>>,
    shared: Arc<endpoint::Shared<D>>,
) {
    let mut tasks: HashMap<Address, Vec<AbortOnDropHandle<()>>> = HashMap::new();
    while let Some(addresses) = announced.next().await {
        tasks.retain(|address, _| addresses.contains(address));
        for address in addresses {
            tasks.entry(address).or_insert_with_key(|address| {
                (0..shared.settings.connections_per_endpoint.max(1))
                    .map(|_| {
                        let kept = endpoint::keep(shared.clone(), address.clone());
                        AbortOnDropHandle::new(tokio::spawn(kept))
                    })
                    .collect()
            });
        }
    }
    // Nothing more is announced: the last ones stay as long as this task.
    std::future::pending::<()>().await;
}

impl tower::Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Which endpoint has to be ready is known when the call is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let server = match &self.0 {
            Kind::Local(_) => None,
            Kind::Balanced(core) => Some(core.name.clone()),
        };
        let watched = bangban_telemetry::client::begin(&mut request, server);
        let answer: Self::Future = match &self.0 {
            Kind::Local(local) => local.call(request),
            Kind::Balanced(core) => {
                let core = core.clone();
                Box::pin(async move { call::make(&core, request).await })
            }
        };
        match watched {
            None => answer,
            Some(watched) => Box::pin(watched.watch(answer)),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Local(local) => write!(f, "Channel({local:?})"),
            Kind::Balanced(core) => write!(f, "Channel({})", core.settings.service),
        }
    }
}
