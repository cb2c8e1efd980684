//! A service of the contract that does as it is told, in a runtime of its own, so that it can be killed or stopped whole.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use bangban_net::client::{Address, Addresses, Channel, Endpoints, Settings, Tcp};
use bangban_proto::bangban::{
    directory::v1::{
        GetRegionRequest, ListRegionsRequest, ListRegionsResponse, Region,
        region_service_client::RegionServiceClient,
        region_service_server::{RegionService, RegionServiceServer},
    },
    events::v1::{
        TailRequest, TailResponse,
        event_feed_server::{EventFeed, EventFeedServer},
    },
};
use futures::{Stream, StreamExt as _};
use tokio::{
    runtime::Runtime,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};
use tonic::{Request, Response, Status, metadata::MetadataMap, transport::server::TcpIncoming};
use tonic_health::server::HealthReporter;

/// How long is waited for what has to come: a machine may stand still for seconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a server has seen, and how it answers.
#[derive(Default)]
pub struct Plan {
    pub name: String,
    /// Calls that reached the handler.
    pub calls: AtomicU64,
    pub delay_ms: AtomicU64,
    /// Calls that are in the handler now.
    in_work: AtomicU64,
    /// What calls are told instead of an answer, and how many more of them.
    refusal: Mutex<(u64, Option<Status>)>,
    /// Headers of each call.
    pub seen: Mutex<Vec<MetadataMap>>,
    /// Its way to others in its process.
    pub others: OnceLock<Channel>,
}

/// A call in the handler, however it leaves.
struct InWork<'a>(&'a AtomicU64);

impl<'a> InWork<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Plan {
    async fn take(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let delay = self.delay_ms.load(Ordering::Relaxed);
        let _in_work = InWork::new(&self.in_work);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.seen.lock().unwrap().push(metadata.clone());
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let (left, status) = &mut *self.refusal.lock().unwrap();
        match status {
            Some(status) if *left > 0 => {
                *left -= 1;
                Err(status.clone())
            }
            _ => Ok(()),
        }
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Until it was called so often.
    pub async fn until_called(&self, times: u64) {
        tokio::time::timeout(PATIENCE, async {
            while self.calls() < times {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{} is not called", self.name));
    }

    /// Until so many calls are in the handler.
    pub async fn until_in_work(&self, count: u64) {
        tokio::time::timeout(PATIENCE, async {
            while self.in_work.load(Ordering::Relaxed) != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .expect("the handler has others, or none");
    }

    pub fn refuse(&self, status: Status) {
        self.refuse_times(u64::MAX, status);
    }

    pub fn refuse_times(&self, times: u64, status: Status) {
        *self.refusal.lock().unwrap() = (times, Some(status));
    }

    pub fn answer(&self) {
        *self.refusal.lock().unwrap() = (0, None);
    }
}

#[derive(Clone)]
pub struct Handler(pub Arc<Plan>);

#[tonic::async_trait]
impl RegionService for Handler {
    async fn get_region(
        &self,
        request: Request<GetRegionRequest>,
    ) -> Result<Response<Region>, Status> {
        self.0.take(request.metadata()).await?;
        Ok(Response::new(Region {
            code: request.into_inner().code,
            name: self.0.name.clone(),
            ..Region::default()
        }))
    }

    async fn list_regions(
        &self,
        request: Request<ListRegionsRequest>,
    ) -> Result<Response<ListRegionsResponse>, Status> {
        self.0.take(request.metadata()).await?;
        Ok(Response::new(ListRegionsResponse::default()))
    }
}

#[tonic::async_trait]
impl EventFeed for Handler {
    type TailStream = Pin<Box<dyn Stream<Item = Result<TailResponse, Status>> + Send>>;

    /// Three positions, and then what the log's name says: an end, silence, or a refusal in the trailers.
    async fn tail(
        &self,
        request: Request<TailRequest>,
    ) -> Result<Response<Self::TailStream>, Status> {
        self.0.take(request.metadata()).await?;
        let positions = futures::stream::iter(1..=3).map(|position| {
            Ok(TailResponse {
                position: position.to_string(),
                ..TailResponse::default()
            })
        });
        Ok(Response::new(match request.get_ref().log.as_str() {
            "open" => positions.chain(futures::stream::pending()).boxed(),
            "refused" => positions
                .chain(futures::stream::iter([Err(Status::out_of_range("gone"))]))
                .boxed(),
            _ => positions.boxed(),
        }))
    }
}

/// A server that runs.
pub struct Server {
    pub address: SocketAddr,
    pub plan: Arc<Plan>,
    pub health: HealthReporter,
    runtime: Option<Runtime>,
    drain: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(name: &str) -> Self {
        Self::start_at(name, "127.0.0.1:0".parse().unwrap())
    }

    pub fn start_at(name: &str, address: SocketAddr) -> Self {
        let plan = Arc::new(Plan {
            name: name.to_owned(),
            ..Plan::default()
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let handler = Handler(plan.clone());
        let (health, service) = tonic_health::server::health_reporter();
        let incoming = {
            let _inside = runtime.enter();
            listen(address)
        };
        let address = incoming.local_addr().unwrap();
        let (drain, drained) = oneshot::channel::<()>();
        let serving = tonic::transport::Server::builder()
            .add_service(service)
            .add_service(RegionServiceServer::new(handler.clone()))
            .add_service(EventFeedServer::new(handler))
            .serve_with_incoming_shutdown(incoming, async move {
                // Its sender lives as long as the server.
                let _ = drained.await;
            });
        let served = runtime.spawn(async move { serving.await.unwrap() });
        Self {
            address,
            plan,
            health,
            runtime: Some(runtime),
            drain: Some(drain),
            served: Some(served),
        }
    }

    /// Ends it as `kill -9` does: sockets close, nothing is said.
    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Ends it gracefully: what it has begun it finishes.
    pub async fn drain(&mut self) {
        self.drain.take().unwrap().send(()).unwrap();
        self.served.take().unwrap().await.unwrap();
        self.kill();
    }

    /// Stops it as SIGSTOP does, until what is returned is dropped: the system goes on accepting connections.
    pub fn stop(&self) -> mpsc::Sender<()> {
        let (go_on, stopped) = mpsc::channel::<()>();
        let (is_stopped, wait) = mpsc::channel();
        self.runtime.as_ref().unwrap().spawn(async move {
            is_stopped.send(()).unwrap();
            // Blocks the only thread of this runtime.
            let _ = stopped.recv();
        });
        wait.recv().unwrap();
        go_on
    }

    pub fn at(&self) -> Address {
        address(self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn address(socket: SocketAddr) -> Address {
    Address {
        host: socket.ip().to_string(),
        port: socket.port(),
        is_secure: false,
    }
}

/// Takes the address. Whoever was killed there leaves it a moment later.
fn listen(address: SocketAddr) -> TcpIncoming {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpIncoming::bind(address) {
            Ok(incoming) => return incoming,
            Err(error) => assert!(Instant::now() < until, "{address}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Settings for tests: health is asked for more often than in service, and nothing is given up because the machine
/// stands still for seconds.
pub fn settings() -> Settings {
    Settings {
        health_every: Duration::from_millis(200),
        health_timeout: Duration::from_secs(20),
        wait_for_endpoint: Duration::from_secs(30),
        deadline: Duration::from_secs(60),
        attempt: Duration::from_secs(30),
        ..Settings::of("directory")
    }
}

/// A channel to these, once all of them serve.
pub async fn channel(addresses: &[SocketAddr], settings: Settings) -> Channel {
    let list: Addresses = addresses.iter().copied().map(address).collect();
    let channel = Channel::balanced(Endpoints::List(list), Tcp, settings);
    ready(&channel, addresses.len() as u64).await;
    channel
}

/// Until so many connections serve.
pub async fn ready(channel: &Channel, count: u64) {
    tokio::time::timeout(PATIENCE, async {
        while channel.counts().ready != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the endpoints are not ready in time");
}

pub async fn region(channel: &Channel) -> Result<Response<Region>, Status> {
    RegionServiceClient::new(channel.clone())
        .get_region(GetRegionRequest { code: "42".into() })
        .await
}

/// So many callers at once, each making calls one after the other; how many succeeded, and the failures.
pub async fn load(channel: &Channel, callers: usize, calls_each: usize) -> (usize, Vec<Status>) {
    let callers = (0..callers).map(|_| {
        let channel = channel.clone();
        tokio::spawn(async move {
            let mut failures = Vec::new();
            for _ in 0..calls_each {
                if let Err(status) = region(&channel).await {
                    failures.push(status);
                }
            }
            failures
        })
    });
    let mut failures = Vec::new();
    let mut all = 0;
    for caller in futures::future::join_all(callers).await {
        failures.extend(caller.unwrap());
        all += calls_each;
    }
    (all - failures.len(), failures)
}

/// Callers who make calls one after the other until they are told to stop.
pub struct Callers {
    is_over: Arc<AtomicBool>,
    calling: JoinSet<(usize, Vec<Status>)>,
}

impl Callers {
    pub fn start(channel: &Channel, callers: usize) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let mut calling = JoinSet::new();
        for _ in 0..callers {
            let (channel, is_over) = (channel.clone(), is_over.clone());
            calling.spawn(async move {
                let (mut calls, mut failures) = (0, Vec::new());
                while !is_over.load(Ordering::Relaxed) {
                    calls += 1;
                    failures.extend(region(&channel).await.err());
                }
                (calls, failures)
            });
        }
        Self { is_over, calling }
    }

    /// How many calls there were, and which failed.
    pub async fn stop(self) -> (usize, Vec<Status>) {
        self.is_over.store(true, Ordering::Relaxed);
        let done = self.calling.join_all().await;
        let (calls, failures): (Vec<usize>, Vec<Vec<Status>>) = done.into_iter().unzip();
        (calls.iter().sum(), failures.concat())
    }
}
