//! A connection that was accepted: in the clear or over TLS, given up when it says nothing, and cut off when it is old.

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
    _place: OwnedSemaphorePermit,
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
    pub(super) fn new(
        io: Io,
        draining: CancellationToken,
        longest: Duration,
        place: OwnedSemaphorePermit,
    ) -> Self {
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
                draining: Box::pin(draining.cancelled_owned()),
            }),
            old: Box::pin(tokio::time::sleep(longest)),
            _place: place,
        }
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
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_write(cx, bytes),
            Io::Secure(io) => Pin::new(io).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_flush(cx),
            Io::Secure(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Io::Secure(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
