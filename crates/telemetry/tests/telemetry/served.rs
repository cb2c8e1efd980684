//! A feed behind the layer, and a client that calls it: the smallest thing of which all is told.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::LazyLock, time::Duration};

use bangban_proto::bangban::events::v1::{
    TailRequest, TailResponse,
    event_feed_client::EventFeedClient,
    event_feed_server::{EventFeed, EventFeedServer},
};
use bangban_telemetry::{
    Log, Settings, Telemetry,
    client::Channel,
    server::CallLayer,
    sql::{Database, Place, wait},
    start,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::{Barrier, Mutex},
};
use tokio_stream::{StreamExt as _, wrappers::TcpListenerStream};
use tonic::{
    Request, Response, Status,
    transport::{self, Endpoint, Server},
};

/// What must be told nobody, and stands in requests, statements and refusals.
pub const PERSONAL: &str = "杨桂兰420527194403087747";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static TURN: Mutex<()> = Mutex::const_new(());

/// Runs a story while no other one runs.
pub fn alone<F: Future<Output = ()>>(story: impl FnOnce() -> F) {
    RUNTIME.block_on(async {
        let _turn = TURN.lock().await;
        story().await;
    });
}

/// Tells a collector everything, and Prometheus.
pub fn telling(endpoint: &str) -> Telemetry {
    let settings = Settings {
        otlp_endpoint: endpoint.to_owned(),
        sample_ratio: 1.0,
        prometheus_listen: "127.0.0.1:0".to_owned(),
        ..Settings::default()
    };
    start(&settings, &Log::default(), "bangban-tested").expect("it starts")
}

/// The page that Prometheus reads.
pub async fn page(telemetry: &Telemetry) -> String {
    get(telemetry.prometheus.expect("a listener"), "GET", "/metrics").await
}

/// An answer of the listener, head and all.
pub async fn get(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("{method} {path} HTTP/1.1\r\nhost: tests\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    answer
}

/// One statement for two who ask at once.
async fn together(database: Database, sql: &str) {
    static PLACES: std::sync::Mutex<Vec<Place>> = std::sync::Mutex::new(Vec::new());
    static TWO: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));
    let waiting = wait("ask").expect("it is recorded");
    PLACES.lock().expect("places").push(waiting.place());
    if TWO.wait().await.is_leader() {
        let places = std::mem::take(&mut *PLACES.lock().expect("places"));
        let statement = database.together(sql, &places, places.len());
        let failed = Some(Some("23505".to_owned()));
        statement.expect("it is recorded").end(failed);
    }
    TWO.wait().await;
}

struct Feed;

type Stream = Pin<Box<dyn tokio_stream::Stream<Item = Result<TailResponse, Status>> + Send>>;

#[tonic::async_trait]
impl EventFeed for Feed {
    type TailStream = Stream;

    async fn tail(&self, request: Request<TailRequest>) -> Result<Response<Stream>, Status> {
        let trace = request.metadata().get("traceparent");
        let trace = trace.and_then(|t| t.to_str().ok()).unwrap_or_default();
        let database = Database {
            system: "postgresql",
            namespace: "tested",
        };
        let sql = format!("SELECT body FROM cases WHERE name = '{PERSONAL}'");
        if request.get_ref().log == "together" {
            together(database, &sql).await;
        } else if let Some(statement) = database.statement(&sql) {
            statement.end(None);
        }
        if request.get_ref().log == "calls" {
            // What the one that is called was told.
            let (position, done) = Box::pin(tail(&mut feed().await, "ends")).await;
            let answer = done.map(|()| TailResponse {
                position,
                ..TailResponse::default()
            });
            return Ok(Response::new(Box::pin(tokio_stream::once(answer))));
        }
        let first = Ok(TailResponse {
            position: trace.to_owned(),
            ..TailResponse::default()
        });
        let first = tokio_stream::once(first);
        Ok(Response::new(match request.get_ref().log.as_str() {
            "ends" | "together" => Box::pin(first),
            "fails" => Box::pin(first.chain(tokio_stream::once(Err(Status::data_loss(PERSONAL))))),
            "hangs" => Box::pin(first.chain(tokio_stream::pending())),
            "never" => {
                std::future::pending::<()>().await;
                return Err(Status::internal("unreachable"));
            }
            _ => return Err(Status::not_found(PERSONAL)),
        }))
    }
}

/// A feed that is served, and a watched channel to it.
pub async fn feed() -> EventFeedClient<Channel<transport::Channel>> {
    EventFeedClient::new(Channel(channel().await))
}

/// A channel to a feed that is served.
pub async fn channel() -> transport::Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .layer(CallLayer)
        .add_service(EventFeedServer::new(Feed))
        .add_service(health)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URL");
    endpoint
        .connect_timeout(Duration::from_secs(5))
        .connect()
        .await
        .expect("connected")
}

/// Calls, reads to the end, and answers the first message's position and the status.
pub async fn tail(
    client: &mut EventFeedClient<Channel<transport::Channel>>,
    log: &str,
) -> (String, Result<(), Status>) {
    tail_as(client, log, "").await
}

/// The same within a trace of the caller's.
pub async fn tail_as(
    client: &mut EventFeedClient<Channel<transport::Channel>>,
    log: &str,
    trace: &str,
) -> (String, Result<(), Status>) {
    let mut request = Request::new(TailRequest {
        log: log.to_owned(),
        from: PERSONAL.to_owned(),
        ..TailRequest::default()
    });
    if !trace.is_empty() {
        let trace = trace.parse().expect("a header");
        request.metadata_mut().insert("traceparent", trace);
    }
    let mut stream = match client.tail(request).await {
        Ok(stream) => stream.into_inner(),
        Err(status) => return (String::new(), Err(status)),
    };
    let mut position = String::new();
    loop {
        match stream.message().await {
            Ok(Some(message)) => position = message.position,
            Ok(None) => return (position, Ok(())),
            Err(status) => return (position, Err(status)),
        }
    }
}

/// Lets what has been dropped take effect at the other end: until the page says so.
pub async fn until_page(telemetry: &Telemetry, line: &str) -> String {
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let page = page(telemetry).await;
        if page.lines().any(|l| l.starts_with(line)) {
            return page;
        }
        assert!(tokio::time::Instant::now() < until, "no {line}\n{page}");
        tokio::task::yield_now().await;
    }
}
