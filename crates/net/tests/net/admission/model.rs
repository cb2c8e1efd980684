//! A server whose capacity is known: so many slots, each taken for so long.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bangban_kit::{
    access::{AccessLayer, Deadline, DeadlineLayer, Regions},
    identity::{Caller, ContextKey, Issuer, Person, Verifier},
    refusal::Refusal,
};
use bangban_net::admission::{Admission, AdmissionLayer, Counts, Settings};
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::{sync::Semaphore, task::JoinHandle, time::Instant};
use tonic::{Status, body::Body, server::NamedService, transport::server::TcpIncoming};

use crate::server::PATIENCE;

/// What the handlers have, and have seen.
pub struct Work {
    pub slots: Semaphore,
    takes: Duration,
    /// Calls that reached a handler.
    pub calls: AtomicU64,
}

impl Work {
    /// One piece of work; how long it had a slot.
    async fn one(&self) -> Duration {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let _slot = self.slots.acquire().await.unwrap();
        let from = Instant::now();
        tokio::time::sleep(self.takes).await;
        from.elapsed()
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// An empty message as gRPC frames it.
fn message() -> Frame<Bytes> {
    Frame::data(Bytes::from_static(&[0; 5]))
}

fn trailers() -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    Frame::trailers(trailers)
}

/// Any method: one piece of work, and then one message; feeds send one and stay open, without work. An export of somebody
/// who asks for it by `x-open` stays open too. Who asks for so many by `x-messages` gets them at once, and the end.
async fn answer(work: Arc<Work>, request: Request<Body>) -> Response<Body> {
    let is_feed = request.uri().path().ends_with("/Tail");
    let many = request.headers().get("x-messages");
    let many: Option<usize> = many.map(|many| many.to_str().unwrap().parse().unwrap());
    let is_open = many.is_none() && (is_feed || request.headers().contains_key("x-open"));
    let worked = if is_feed || many.is_some() {
        Duration::ZERO
    } else {
        work.one().await
    };
    let messages = (0..many.unwrap_or(1)).map(|_| Ok::<_, Status>(message()));
    let first = futures::stream::iter(messages);
    let body = if is_open {
        Body::new(StreamBody::new(first.chain(futures::stream::pending())))
    } else {
        let end = futures::stream::iter([Ok(trailers())]);
        Body::new(StreamBody::new(first.chain(end)))
    };
    Response::builder()
        .header("content-type", "application/grpc")
        .header("x-worked-micros", worked.as_micros().to_string())
        .body(body)
        .unwrap()
}

macro_rules! service {
    ($type:ident, $name:literal) => {
        #[derive(Clone)]
        struct $type(Arc<Work>);

        impl NamedService for $type {
            const NAME: &'static str = $name;
        }

        impl tower::Service<Request<Body>> for $type {
            type Response = Response<Body>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<Body>) -> Self::Future {
                let work = self.0.clone();
                Box::pin(async move { Ok(answer(work, request).await) })
            }
        }
    };
}

service!(Cases, "bangban.casework.v1.CaseService");
service!(Ledgers, "bangban.casework.v1.LedgerService");
service!(Feed, "bangban.events.v1.EventFeed");

struct Everywhere;

impl Regions for Everywhere {
    fn exists(
        &self,
        _: String,
        _: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(async { Ok(true) })
    }
}

/// A server that runs, and what signs for its callers.
pub struct Model {
    pub address: SocketAddr,
    pub work: Arc<Work>,
    admission: Option<Admission>,
    folder: tempfile::TempDir,
    issuer: Issuer,
    context: ContextKey,
    serving: JoinHandle<()>,
}

/// Wide enough for everything that these tests are not about.
pub fn settings() -> Settings {
    Settings {
        floor: 2,
        start: 16,
        ceiling: 64,
        target: Duration::from_millis(100),
        queue: Duration::from_millis(500),
        max_exports: 4,
        max_feeds: 8,
        feed_stays: Duration::from_secs(10),
        export_stalls: Duration::from_secs(30),
    }
}

/// Only so many calls at once, whatever happens.
pub fn fixed(limit: usize) -> Settings {
    Settings {
        floor: limit,
        start: limit,
        ceiling: limit,
        ..settings()
    }
}

impl Model {
    /// A server with so many slots, each taken for `takes`; without admission where there are no settings.
    pub fn start(slots: usize, takes: Duration, settings: Option<Settings>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jwks = folder.path().join("jwks.json");
        let key = folder.path().join("issuer.key");
        let issuer = Issuer::open_or_create(&key, &jwks, "https://issuer", "bangban").unwrap();
        let context = ContextKey::open_or_create(&folder.path().join("context.key")).unwrap();
        let verifier = Verifier::new(&jwks, "https://issuer", "bangban", context.clone()).unwrap();
        let verifier = Arc::new(verifier);
        let work = Arc::new(Work {
            slots: Semaphore::new(slots),
            takes,
            calls: AtomicU64::new(0),
        });
        let admission = settings.map(Admission::new);
        let layer = admission
            .as_ref()
            .map(|a| AdmissionLayer::new(a, verifier.clone()));
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let (_, health) = tonic_health::server::health_reporter();
        let server = tonic::transport::Server::builder()
            .layer(DeadlineLayer)
            .layer(tower::util::option_layer(layer))
            .layer(AccessLayer::new(verifier, Arc::new(Everywhere)))
            .add_service(health)
            .add_service(Cases(work.clone()))
            .add_service(Ledgers(work.clone()))
            .add_service(Feed(work.clone()))
            .serve_with_incoming(incoming);
        Self {
            address,
            work,
            admission,
            folder,
            issuer,
            context,
            serving: tokio::spawn(async move { server.await.unwrap() }),
        }
    }

    pub fn counts(&self) -> Counts {
        self.admission.as_ref().unwrap().counts()
    }

    /// Until the counts are as wanted.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Counts) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !is_so(&self.counts()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        if waited.await.is_err() {
            panic!("{what}: {:?}", self.counts());
        }
    }

    /// The header of a clerk of this district, who may do everything.
    pub fn clerk(&self, district: &str) -> String {
        let person = Person {
            subject: format!("clerk-{district}"),
            roles: ["agent", "auditor", "supervisor"].map(str::to_owned).into(),
            region: district.to_owned(),
            site: "station".to_owned(),
            ..Person::default()
        };
        let jwks = self.folder.path().join("jwks.json");
        let token = self
            .issuer
            .token(&jwks, &person, Duration::from_secs(600))
            .unwrap();
        format!("Bearer {token}")
    }

    /// The header of a service that calls in its own name.
    pub fn service(&self, name: &str) -> String {
        let context = self.context.context(name, &Caller::system(name)).unwrap();
        format!("Bearer {context}")
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
