//! What a server bears of HTTP/2: each limit that is set is met, and only who breaks it is cut off.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use bangban_kit::{
    access::{Deadline, Regions},
    config,
    identity::{ContextKey, Issuer, Verifier},
    refusal::{Refusal, reason},
};
use bangban_net::{
    client::Local,
    server::{self as serving, Plan},
};
use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, region_service_client::RegionServiceClient,
    region_service_server::RegionServiceServer,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, service::Routes};

use crate::{
    frames::{ACK, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS, fields, frame},
    server::{Handler, PATIENCE},
};

const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

const MAX_CONCURRENT_STREAMS: u16 = 3;
const MAX_HEADER_LIST_SIZE: u16 = 6;

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

struct Served {
    address: SocketAddr,
    _stop: DropGuard,
    _folder: tempfile::TempDir,
}

/// The real server, with a handler that answers.
async fn served(server: config::Server) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let jwks = folder.path().join("jwks.json");
    let key = folder.path().join("issuer.key");
    Issuer::open_or_create(&key, &jwks, "https://issuer", "bangban").unwrap();
    let context = ContextKey::open_or_create(&folder.path().join("context.key")).unwrap();
    let server = config::Server {
        listen: "127.0.0.1:0".parse().unwrap(),
        ..server
    };
    let listening = serving::listen(&server).await.unwrap();
    let address = listening.address;
    let regions = RegionServiceServer::new(Handler(Arc::default()))
        .max_decoding_message_size(server.max_message_bytes);
    let plan = Plan {
        routes: Routes::new(regions),
        names: Vec::new(),
        conditions: Vec::new(),
        verifier: Arc::new(Verifier::new(&jwks, "https://issuer", "bangban", context).unwrap()),
        regions: Arc::new(Everywhere),
        local: Local::default(),
        tls: None,
    };
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        serving::serve(listening, &server, plan, stopped)
            .await
            .unwrap()
    });
    Served {
        address,
        _stop: stop.drop_guard(),
        _folder: folder,
    }
}

impl Served {
    async fn get(&self, code: String) -> Result<(), tonic::Status> {
        let mut client = RegionServiceClient::connect(format!("http://{}", self.address))
            .await
            .unwrap();
        client.get_region(GetRegionRequest { code }).await?;
        Ok(())
    }

    /// Others do not notice.
    async fn still_serves(&self) {
        self.get("33".to_owned()).await.unwrap();
    }
}

/// A caller who writes frames as it likes.
struct Raw(TcpStream);

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

impl Raw {
    async fn connect(served: &Served) -> Self {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        Self(stream)
    }

    /// Writes; a server that has had enough may have closed already.
    async fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload,
        })
    }

    /// The first frame that is wanted.
    async fn until(&mut self, is_wanted: impl Fn(&Frame) -> bool) -> Frame {
        let found = timeout(PATIENCE, async {
            loop {
                match self.read().await {
                    Some(frame) if is_wanted(&frame) => return frame,
                    Some(_) => {}
                    None => panic!("the connection has ended"),
                }
            }
        });
        found.await.expect("it does not come")
    }

    async fn goaway(&mut self) -> u32 {
        self.until(|f| f.kind == GOAWAY && f.number(4) != 0)
            .await
            .number(4)
    }
}

/// The request headers of a call whose message is still to come.
fn call() -> Vec<u8> {
    fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "here"),
        (":path", "/bangban.directory.v1.RegionService/GetRegion"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ])
}

/// The message of a call: a prefix, and the code "33".
const MESSAGE: [u8; 9] = [0, 0, 0, 0, 4, 0x0a, 2, b'3', b'3'];

/// A call that is taken back in the same breath.
fn taken_back(stream: u32) -> Vec<u8> {
    let mut frames = frame(HEADERS, END_HEADERS, stream, &call());
    frames.extend(frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()));
    frames
}

/// Odd numbers, as a client counts its streams.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|n| 2 * n + 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_beyond_the_limit_is_refused_and_the_others_live() {
    let served = served(config::Server {
        max_streams: 3,
        ..config::Server::default()
    })
    .await;
    let mut raw = Raw::connect(&served).await;
    let settings = raw
        .until(|f| f.kind == SETTINGS && f.flags & ACK == 0)
        .await;
    let said: Vec<(u16, u32)> = settings
        .payload
        .chunks(6)
        .map(|c| {
            let value = u32::from_be_bytes(c[2..6].try_into().unwrap());
            (u16::from_be_bytes([c[0], c[1]]), value)
        })
        .collect();
    assert!(said.contains(&(MAX_CONCURRENT_STREAMS, 3)), "{said:?}");
    assert!(said.contains(&(MAX_HEADER_LIST_SIZE, 16 << 10)), "{said:?}");

    raw.write(&frame(SETTINGS, ACK, 0, &[])).await;
    for stream in streams(4) {
        raw.write(&frame(HEADERS, END_HEADERS, stream, &call()))
            .await;
    }
    let reset = raw.until(|f| f.kind == RST_STREAM).await;
    assert_eq!((reset.stream, reset.number(0)), (7, REFUSED_STREAM));

    // The first one is answered when its message comes.
    raw.write(&frame(0, END_STREAM, 1, &MESSAGE)).await;
    raw.until(|f| f.kind == 0 && f.stream == 1 && !f.payload.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_taken_back_at_once_end_the_connection() {
    let served = served(config::Server::default()).await;
    let mut raw = Raw::connect(&served).await;
    // CVE-2023-44487: never more than one at a time, so that no limit on streams is met.
    let mut burst = Vec::new();
    for stream in streams(1000) {
        burst.extend(taken_back(stream));
    }
    raw.write(&burst).await;
    assert_eq!(raw.goaway().await, ENHANCE_YOUR_CALM);
    served.still_serves().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_dozen_calls_that_are_taken_back_at_once_are_borne() {
    let served = served(config::Server::default()).await;
    let mut raw = Raw::connect(&served).await;
    // As a client does that has waited long enough for a process that was stopped.
    let mut burst: Vec<u8> = streams(60).flat_map(taken_back).collect();
    burst.extend(frame(HEADERS, END_HEADERS, 121, &call()));
    burst.extend(frame(0, END_STREAM, 121, &MESSAGE));
    raw.write(&burst).await;
    let heard = raw
        .until(|f| f.kind == GOAWAY || f.kind == 0 && f.stream == 121 && !f.payload.is_empty())
        .await;
    assert_eq!(heard.kind, 0, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_that_make_the_server_reset_end_the_connection() {
    let served = served(config::Server::default()).await;
    let raw = Raw::connect(&served).await;
    // CVE-2025-8671: a window that grows over its bound is an error of the stream, which the server has to reset.
    let mut burst = Vec::new();
    for stream in streams(1500) {
        burst.extend(frame(HEADERS, END_HEADERS, stream, &call()));
        burst.extend(frame(
            WINDOW_UPDATE,
            0,
            stream,
            &0x7fff_ffffu32.to_be_bytes(),
        ));
    }
    let (reading, writing) = raw.0.into_split();
    tokio::spawn(async move {
        let mut writing = writing;
        // Broken off when the server has had enough.
        let _ = writing.write_all(&burst).await;
        writing
    });
    let mut resets = 0;
    let mut reading = tokio::io::BufReader::new(reading);
    let code = timeout(PATIENCE, async {
        loop {
            let mut head = [0; 9];
            reading.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            reading.read_exact(&mut payload).await.unwrap();
            match head[3] {
                RST_STREAM => resets += 1,
                GOAWAY => return u32::from_be_bytes(payload[4..8].try_into().unwrap()),
                _ => {}
            }
        }
    });
    assert_eq!(code.await.expect("no end"), ENHANCE_YOUR_CALM);
    assert!(resets <= 1024, "{resets}");
    served.still_serves().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_too_large_are_refused_and_endless_ones_end_the_connection() {
    let served = served(config::Server::default()).await;
    let tcp = TcpStream::connect(served.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("http://here/bangban.directory.v1.RegionService/GetRegion")
        .header("content-type", "application/grpc")
        .header("x-long", "x".repeat(17 << 10))
        .body(())
        .unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    assert_eq!(answer.await.unwrap().status(), 431);

    let mut raw = Raw::connect(&served).await;
    raw.write(&frame(HEADERS, 0, 1, &call())).await;
    let more: Vec<u8> = (0..60)
        .flat_map(|n| fields(&[(&format!("x-{n}"), &"x".repeat(100))]))
        .collect();
    let more = frame(CONTINUATION, 0, 1, &more);
    for _ in 0..400 {
        raw.write(&more).await;
    }
    assert_eq!(raw.goaway().await, ENHANCE_YOUR_CALM);
    served.still_serves().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_refused_with_the_reason() {
    let served = served(config::Server {
        max_message_bytes: 1024,
        ..config::Server::default()
    })
    .await;
    let status = served.get("3".repeat(1100)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(reason(&status), "MESSAGE_TOO_LARGE");
    served.still_serves().await;
}
