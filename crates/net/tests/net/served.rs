//! The server half as a process has it: certificates, and an end that nobody holds up.

use std::{
    future::Future,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bangban_kit::{
    access::{Deadline, Regions},
    config,
    identity::{Caller, ContextKey, Issuer, Verifier},
    refusal::{self, Refusal},
};
use bangban_net::{
    client::{Channel, Endpoints, Local, Settings},
    peer::Peer,
    server::{self, Condition, Plan},
    tls::{Secure, Tls},
};
use bangban_proto::bangban::{
    directory::v1::{
        GetRegionRequest, region_service_client::RegionServiceClient,
        region_service_server::RegionServiceServer,
    },
    events::v1::{
        TailRequest, event_feed_client::EventFeedClient, event_feed_server::EventFeedServer,
    },
};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, service::RoutesBuilder};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    certificates::Authority,
    server::{Handler, PATIENCE, Plan as Handled, settings},
};

struct Anywhere;

impl Regions for Anywhere {
    fn exists(
        &self,
        _: String,
        _: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(async { Ok(true) })
    }
}

/// Directory, served.
pub struct Served {
    pub address: SocketAddr,
    /// The way to it within the process.
    pub inside: Channel,
    /// What its handler sees and does.
    pub handler: Arc<Handled>,
    pub stop: CancellationToken,
    pub ended: JoinHandle<Result<(), server::Error>>,
    context: ContextKey,
    _folder: TempDir,
}

/// The service whose health is told beside the process's.
pub const SERVICE: &str = "bangban.directory.v1.RegionService";

pub async fn serve(tls: &config::Tls, server: config::Server) -> Served {
    serve_with(tls, server, Vec::new()).await
}

async fn serve_with(
    tls: &config::Tls,
    server: config::Server,
    conditions: Vec<Condition>,
) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let jwks = folder.path().join("jwks.json");
    Issuer::open_or_create(
        &folder.path().join("issuer.key"),
        &jwks,
        "https://i",
        "bangban",
    )
    .unwrap();
    let context = ContextKey::open_or_create(&folder.path().join("context.key")).unwrap();
    let verifier = Verifier::new(&jwks, "https://i", "bangban", context.clone()).unwrap();
    let handled = Arc::<Handled>::default();
    let handler = Handler(handled.clone());
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(RegionServiceServer::new(handler.clone()))
        .add_service(EventFeedServer::new(handler));
    let local = Local::default();
    let inside = Channel::local(local.clone());
    let plan = Plan {
        routes: routes.routes(),
        names: vec![SERVICE],
        conditions,
        verifier: Arc::new(verifier),
        regions: Arc::new(Anywhere),
        local,
        tls: Tls::open(tls).unwrap(),
    };
    let server = config::Server {
        listen: ([127, 0, 0, 1], 0).into(),
        ..server
    };
    let listening = server::listen(&server).await.unwrap();
    let address = listening.address;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    Served {
        address,
        inside,
        handler: handled,
        context,
        stop,
        ended: tokio::spawn(async move { server::serve(listening, &server, plan, stopped).await }),
        _folder: folder,
    }
}

impl Served {
    /// A channel of somebody with these certificates, who expects to reach `service`.
    fn channel(&self, files: &config::Tls, service: &str) -> Channel {
        self.channel_with(files, service, settings())
    }

    fn channel_with(&self, files: &config::Tls, service: &str, settings: Settings) -> Channel {
        let endpoints = Endpoints::parse(&format!("https://{}", self.address), true).unwrap();
        let dial = Secure::to_service(Tls::open(files).unwrap(), service);
        Channel::balanced(endpoints, dial, settings)
    }

    /// Nobody with these certificates reaches `service` here.
    async fn refuses(&self, files: &config::Tls, service: &str) {
        let settings = Settings {
            wait_for_endpoint: Duration::from_millis(700),
            ..settings()
        };
        let answer = region(&self.channel_with(files, service, settings)).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    }

    /// Reads directory's feed as `service`, which only services may.
    async fn tail(&self, files: &config::Tls, service: &'static str) -> Result<(), Status> {
        let channel = self.channel(files, "directory");
        let peer = Peer::new(channel.clone(), service, self.context.clone());
        let request = peer
            .request(
                &Caller::system(service),
                None,
                TailRequest {
                    log: "directory".to_owned(),
                    ..TailRequest::default()
                },
            )
            .unwrap();
        EventFeedClient::new(channel)
            .tail(request)
            .await
            .map(|_| ())
    }
}

async fn region(channel: &Channel) -> Result<(), Status> {
    let request = GetRegionRequest { code: "42".into() };
    RegionServiceClient::new(channel.clone())
        .get_region(request)
        .await
        .map(|_| ())
}

fn folder_of(base: &TempDir, name: &str) -> std::path::PathBuf {
    Path::join(base.path(), name)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_certificate_of_the_authority_is_not_spoken_to() {
    let base = tempfile::tempdir().unwrap();
    let ours = Authority::new(&folder_of(&base, "ours"));
    let served = serve(&ours.of("directory", 2090), config::Server::default()).await;
    let casework = ours.of("casework", 2090);
    // A person's tool that knows the authority, and a service: both sides are content.
    region(&served.channel(&ours.known(), "directory"))
        .await
        .unwrap();
    served.tail(&casework, "casework").await.unwrap();

    let others = Authority::new(&folder_of(&base, "others"));
    let mut forged = others.of("casework", 2090);
    // The server's certificate is of an authority that this one does not know.
    served.refuses(&forged, "directory").await;
    // It knows the server's, and shows a certificate of another authority.
    forged.authority = ours.known().authority;
    served.refuses(&forged, "directory").await;
    // One that has expired.
    let expired = Authority::new(&folder_of(&base, "expired"));
    let expired_server = serve(&expired.of("directory", 2021), config::Server::default()).await;
    expired_server.refuses(&expired.known(), "directory").await;
    let old = ours.of("consultation", 2021);
    served.refuses(&old, "directory").await;
    // The process that answers is not the service that was wanted.
    served.refuses(&casework, "supervision").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_is_believed_over_the_certificate_of_its_service_only() {
    let base = tempfile::tempdir().unwrap();
    let ours = Authority::new(base.path());
    let served = serve(&ours.of("directory", 2090), config::Server::default()).await;
    let casework = ours.of("casework", 2090);
    let reason = async |files: &config::Tls, service| {
        let status = served.tail(files, service).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        refusal::reason(&status)
    };
    assert_eq!(
        reason(&casework, "consultation").await,
        "CERTIFICATE_OF_ANOTHER_SERVICE"
    );
    assert_eq!(
        reason(&ours.known(), "casework").await,
        "CERTIFICATE_MISSING"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_renewed_are_taken_up_and_broken_ones_are_not() {
    let base = tempfile::tempdir().unwrap();
    let ours = Authority::new(base.path());
    let files = ours.of("directory", 2090);
    let tls = Tls::open(&files).unwrap().unwrap();
    assert!(!tls.renew().unwrap(), "nothing has changed");
    ours.of("directory", 2091);
    assert!(tls.renew().unwrap());
    std::fs::write(&files.certificate, "half of a file").unwrap();
    let told = tls.renew().unwrap_err().to_string();
    assert!(
        told.contains("directory.pem") && told.contains("[tls]"),
        "{told}"
    );
    // A key of another certificate.
    ours.of("directory", 2092);
    let other = ours.of("casework", 2092);
    std::fs::copy(&other.key, &files.key).unwrap();
    assert!(tls.renew().is_err());
    ours.of("directory", 2093);
    assert!(tls.renew().unwrap(), "it goes on with the next good ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_says_nothing_or_watches_holds_a_drain() {
    let base = tempfile::tempdir().unwrap();
    let ours = Authority::new(base.path());
    for tls in [config::Tls::default(), ours.of("directory", 2090)] {
        let server = config::Server {
            drain_seconds: 60,
            ..config::Server::default()
        };
        let served = serve(&tls, server).await;
        let mut silent = TcpStream::connect(served.address).await.unwrap();
        let scheme = if tls == config::Tls::default() {
            "http"
        } else {
            "https"
        };
        let text = format!("{scheme}://{}", served.address);
        let known = Tls::open(&ours.known()).unwrap();
        let endpoints = Endpoints::parse(&text, true).unwrap();
        let channel = Channel::balanced(endpoints, Secure::to_address(known), settings());
        let mut health = HealthClient::new(channel.clone());
        let watched = health.watch(HealthCheckRequest::default()).await;
        let mut watched = watched.unwrap().into_inner();
        assert_eq!(watched.message().await.unwrap().unwrap().status, 1);
        region(&channel).await.unwrap();
        let began = Instant::now();
        served.stop.cancel();
        served.ended.await.unwrap().unwrap();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(50), "{took:?}");
        // It was told to leave, by a status or by the end of the stream, and the silent one was left.
        while let Ok(Some(_)) = watched.message().await {}
        let mut byte = [0; 64];
        loop {
            match silent.read(&mut byte).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_has_a_name_of_its_own_in_health_and_serves_no_more_than_its_process() {
    const NOTICE: Duration = Duration::from_secs(2);
    let holds = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&holds);
    let condition = Condition {
        name: "tests.Condition",
        holds: Box::new(move || asked.load(Ordering::Relaxed)),
    };
    let server = config::Server {
        drain_notice_seconds: NOTICE.as_secs(),
        ..config::Server::default()
    };
    let served = serve_with(&config::Tls::default(), server, vec![condition]).await;
    let text = format!("http://{}", served.address);
    let channel = tonic::transport::Endpoint::from_shared(text).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let named = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    let watched = health.watch(named("tests.Condition")).await;
    let mut watched = watched.unwrap().into_inner();
    for status in [ServingStatus::Serving, ServingStatus::NotServing] {
        holds.store(status == ServingStatus::Serving, Ordering::Relaxed);
        let told = tokio::time::timeout(PATIENCE, watched.message()).await;
        assert_eq!(told.unwrap().unwrap().unwrap().status(), status);
        let process = health.check(named("")).await.unwrap().into_inner();
        assert_eq!(process.status(), ServingStatus::Serving);
    }
    // It holds again while the process drains: that must not bring anybody here.
    let began = Instant::now();
    served.stop.cancel();
    holds.store(true, Ordering::Relaxed);
    let mut answers = 0;
    while answers == 0 || began.elapsed() < NOTICE / 2 {
        match health.check(named("tests.Condition")).await {
            Ok(told) => assert_eq!(told.into_inner().status, 2, "not serving"),
            // The name is gone when the notice is over.
            Err(status) => {
                assert!(answers > 0 && began.elapsed() >= NOTICE, "{status:?}");
                break;
            }
        }
        answers += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    served.ended.await.unwrap().unwrap();
    while let Ok(Some(told)) = watched.message().await {
        assert_eq!(told.status(), ServingStatus::NotServing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_bound_are_closed_and_places_come_back() {
    let server = config::Server {
        max_connections: 2,
        ..config::Server::default()
    };
    let served = serve(&config::Tls::default(), server).await;
    let connect = || async { TcpStream::connect(served.address).await.unwrap() };
    let first = connect().await;
    let _second = connect().await;
    let mut third = connect().await;
    assert_eq!(third.read(&mut [0; 8]).await.unwrap_or(0), 0, "closed");
    drop(first);
    let text = format!("http://{}", served.address);
    let endpoints = Endpoints::parse(&text, false).unwrap();
    let channel = Channel::balanced(endpoints, Secure::to_address(None), settings());
    region(&channel).await.unwrap();
}

/// A way to an address that counts the connections on it.
async fn counted(to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                // How it ends is for both ends to judge.
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    (address, connections)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_replaced_when_they_are_old_and_no_call_fails_of_it() {
    const AGE: Duration = Duration::from_secs(1);
    let base = tempfile::tempdir().unwrap();
    let ours = Authority::new(base.path());
    let server = config::Server {
        max_connection_seconds: AGE.as_secs(),
        ..config::Server::default()
    };
    let mut served = serve(&ours.of("directory", 2090), server).await;
    let (address, connections) = counted(served.address).await;
    served.address = address;
    let began = Instant::now();
    let channel = served.channel(&ours.of("casework", 2090), "directory");
    let peer = Peer::new(channel.clone(), "casework", served.context.clone());
    // A stream that never ends holds its connection, but no longer than twice its age.
    let request = TailRequest {
        log: "open".to_owned(),
        ..TailRequest::default()
    };
    let request = peer.stream_request(&Caller::system("casework"), request);
    let mut stream = EventFeedClient::new(channel.clone())
        .tail(request.unwrap())
        .await
        .unwrap()
        .into_inner();
    let reading = tokio::spawn(async move {
        while let Ok(Some(_)) = stream.message().await {}
        began.elapsed()
    });
    while connections.load(Ordering::Relaxed) < 3 && began.elapsed() < PATIENCE {
        region(&channel).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let replaced = connections.load(Ordering::Relaxed) - 1;
    // None before its age, a tenth more or less.
    let most = began.elapsed().div_duration_f64(AGE.mul_f64(0.9)) as usize + 1;
    assert!((2..=most).contains(&replaced), "{replaced}");
    let lasted = tokio::time::timeout(PATIENCE, reading).await;
    let lasted = lasted.unwrap().unwrap();
    assert!(lasted > AGE + AGE / 2, "{lasted:?}");
}
