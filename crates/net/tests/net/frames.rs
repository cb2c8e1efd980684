//! A server that speaks HTTP/2 frame by frame, so that it can do what well-behaved servers do not.
//!
//! It answers the question for health; calls get what is planned.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What happens to a call.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// GOAWAY that names the stream before: this one was not taken.
    GoAway,
    /// RST_STREAM with this error code.
    Reset(u32),
    /// The connection closes.
    Close,
    /// The response headers, and then the connection closes.
    CloseAfterHeaders,
    /// Nothing.
    Silence,
}

pub struct Frames {
    pub address: SocketAddr,
    pub calls: Arc<AtomicU64>,
}

impl Frames {
    pub async fn start(deed: Deed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::<AtomicU64>::default();
        let counted = calls.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counted = counted.clone();
                // Whoever closes first ends it.
                tokio::spawn(async move {
                    let _ = connection(stream, deed, &counted).await;
                });
            }
        });
        Self { address, calls }
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// Length of `grpc.health.v1.HealthCheckRequest` for the empty name: nothing but gRPC's prefix.
const HEALTH_REQUEST: usize = 5;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Header fields as literals that are not indexed (RFC 7541, 6.2.2).
pub fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            bytes.push(text.len() as u8);
            bytes.extend(text.bytes());
        }
    }
    bytes
}

fn response_headers(stream: u32) -> Vec<u8> {
    let block = fields(&[(":status", "200"), ("content-type", "application/grpc")]);
    frame(HEADERS, END_HEADERS, stream, &block)
}

async fn connection(mut stream: TcpStream, deed: Deed, calls: &AtomicU64) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    let mut lengths = HashMap::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        if head[3] == DATA {
            *lengths.entry(id).or_insert(0) += length;
        }
        match (head[3], head[4]) {
            (SETTINGS, flags) if flags & ACK == 0 => {
                stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await?;
            }
            (PING, flags) if flags & ACK == 0 => {
                stream.write_all(&frame(PING, ACK, 0, &payload)).await?;
            }
            // The request is there when its message is.
            (DATA, flags) if flags & END_STREAM != 0 && lengths[&id] == HEALTH_REQUEST => {
                // `grpc.health.v1.HealthCheckResponse` with `SERVING`.
                let serving = [0, 0, 0, 0, 2, 8, 1];
                let trailers = fields(&[("grpc-status", "0")]);
                let mut answer = response_headers(id);
                answer.extend(frame(DATA, 0, id, &serving));
                answer.extend(frame(HEADERS, END_HEADERS | END_STREAM, id, &trailers));
                stream.write_all(&answer).await?;
            }
            (DATA, flags) if flags & END_STREAM != 0 => {
                calls.fetch_add(1, Ordering::Relaxed);
                match deed {
                    Deed::GoAway => {
                        let mut payload = (id - 2).to_be_bytes().to_vec();
                        payload.extend(0u32.to_be_bytes());
                        stream.write_all(&frame(GOAWAY, 0, 0, &payload)).await?;
                    }
                    Deed::Reset(code) => {
                        let payload = code.to_be_bytes();
                        stream
                            .write_all(&frame(RST_STREAM, 0, id, &payload))
                            .await?;
                    }
                    Deed::Close => return Ok(()),
                    Deed::CloseAfterHeaders => {
                        stream.write_all(&response_headers(id)).await?;
                        return Ok(());
                    }
                    Deed::Silence => {}
                }
            }
            _ => {}
        }
    }
}
