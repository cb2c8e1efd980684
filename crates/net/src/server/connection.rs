//! A connection that was accepted: in the clear or over TLS, given up when it says nothing, and cut off when it is old or
//! its server has ended.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bangban_kit::link::Link;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::Sleep,
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use crate::tls;

/// Bytes with which HTTP/2 begins (RFC 9113, 3.4).
const PREFACE: usize = 24;

/// How long a client may take to begin: hyper has no bound of its own, and would wait for it through a whole drain.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection.
pub struct Connection {
    io: Io,
    link: Link,
    silent: Option<Silent>,
    /// When it is cut off. Before that tonic has asked for its end: what is left is a stream that does not end.
    old: Pin<Box<Sleep>>,
    ending: Ending,
    _place: OwnedSemaphorePermit,
}

/// How connections are told that serving ends.
#[derive(Clone, Default)]
pub(super) struct End {
    /// The drain has begun: nothing new is accepted.
    pub(super) closing: CancellationToken,
    /// It is over: what is open is cut off.
    pub(super) over: CancellationToken,
}

impl End {
    /// The same, for one connection: looking at it keeps no other waiting.
    pub(super) fn child(&self) -> Self {
        Self {
            closing: self.closing.child_token(),
            over: self.over.clone(),
        }
    }
}

struct Ending {
    end: End,
    over: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Ending {
    /// Whether the drain is over. It is waited for only once the drain has begun, which wakes every connection.
    fn has_come(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.end.closing.is_cancelled() {
            return false;
        }
        let end = &self.end;
        let over = || Box::pin(end.over.clone().cancelled_owned());
        let over = self.over.get_or_insert_with(over);
        over.as_mut().poll(cx).is_ready()
    }
}

pub(super) enum Io {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// Until the preface is there.
struct Silent {
    left: usize,
    until: Pin<Box<Sleep>>,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Connection {
    pub(super) fn new(io: Io, end: End, longest: Duration, place: OwnedSemaphorePermit) -> Self {
        let link = match &io {
            Io::Plain(_) => Link::Plain,
            Io::Secure(stream) => Link::Secure(shown(stream)),
        };
        Self {
            io,
            link,
            silent: Some(Silent {
                left: PREFACE,
                until: Box::pin(tokio::time::sleep(PATIENCE)),
                draining: Box::pin(end.closing.clone().cancelled_owned()),
            }),
            old: Box::pin(tokio::time::sleep(longest)),
            ending: Ending { end, over: None },
            _place: place,
        }
    }

    /// What came of reading or writing, or the end. Connections are tasks of their own, and so are their calls: they do not
    /// end because the server does (`tonic/src/transport/server/mod.rs`, `serve_connection`), but with the socket.
    fn or_end<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_pending() && self.ending.has_come(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        polled
    }
}

/// The service whose certificate the client has shown.
fn shown(stream: &TlsStream<TcpStream>) -> Option<Arc<str>> {
    let (_, session) = stream.get_ref();
    session
        .peer_certificates()
        .and_then(<[_]>::first)
        .and_then(tls::service)
}

impl Silent {
    fn is_given_up(&mut self, cx: &mut Context<'_>) -> bool {
        self.until.as_mut().poll(cx).is_ready() || self.draining.as_mut().poll(cx).is_ready()
    }
}

impl Connected for Connection {
    type ConnectInfo = Link;

    fn connect_info(&self) -> Link {
        self.link.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = match &mut this.io {
            Io::Plain(io) => Pin::new(io).poll_read(cx, buffer),
            Io::Secure(io) => Pin::new(io).poll_read(cx, buffer),
        };
        if let Some(silent) = &mut this.silent {
            silent.left = silent.left.saturating_sub(buffer.filled().len() - before);
            if silent.left == 0 {
                this.silent = None;
            } else if read.is_pending() && silent.is_given_up(cx) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        if read.is_pending() && this.old.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        this.or_end(cx, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = match &mut this.io {
            Io::Plain(io) => Pin::new(io).poll_write(cx, bytes),
            Io::Secure(io) => Pin::new(io).poll_write(cx, bytes),
        };
        this.or_end(cx, done)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = match &mut this.io {
            Io::Plain(io) => Pin::new(io).poll_flush(cx),
            Io::Secure(io) => Pin::new(io).poll_flush(cx),
        };
        this.or_end(cx, done)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = match &mut this.io {
            Io::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Io::Secure(io) => Pin::new(io).poll_shutdown(cx),
        };
        this.or_end(cx, done)
    }
}
