//! How one service reaches another: over the network, or within the process through memory, by the same calls.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
    sync::mpsc,
    time::Instant,
};
use tonic::{
    Request,
    metadata::MetadataValue,
    transport::{Channel, Endpoint, server::Connected},
};

use crate::{
    access::Deadline,
    identity::{Caller, ContextKey},
    refusal::Refusal,
};

/// Bytes that an in-memory connection buffers.
const MEMORY_BUFFER: usize = 256 << 10;

/// Deadline of a call that nobody set one for.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// A connection to the server, from the network or from the same process.
#[derive(Debug)]
pub enum Connection {
    /// From the network.
    Tcp(TcpStream),
    /// From the same process.
    Memory(DuplexStream),
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Memory(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Memory(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Memory(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// Both ends of the in-process listener.
#[derive(Debug)]
pub struct Memory {
    dial: mpsc::Sender<DuplexStream>,
    /// What the server accepts from.
    pub accept: mpsc::Receiver<DuplexStream>,
}

impl Default for Memory {
    fn default() -> Self {
        let (dial, accept) = mpsc::channel(16);
        Self { dial, accept }
    }
}

impl Memory {
    /// A channel to the server in this process; it connects when it is first used.
    ///
    /// # Errors
    /// Never in practice: the address is fixed.
    pub fn channel(&self) -> Result<Channel, tonic::transport::Error> {
        let dial = self.dial.clone();
        Ok(
            Endpoint::from_shared("http://in-process")?.connect_with_connector_lazy(
                tower::service_fn(move |_: http::Uri| {
                    let dial = dial.clone();
                    async move {
                        let (ours, theirs) = tokio::io::duplex(MEMORY_BUFFER);
                        dial.send(theirs).await.map_err(|_| {
                            std::io::Error::from(std::io::ErrorKind::ConnectionRefused)
                        })?;
                        Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(ours))
                    }
                }),
            ),
        )
    }
}

/// A channel to a service on the network; it connects when it is first used.
///
/// # Errors
/// An address that is no URL.
pub fn remote(address: &str) -> Result<Channel, tonic::transport::Error> {
    Ok(Endpoint::from_shared(address.to_owned())?
        .connect_timeout(Duration::from_secs(3))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .connect_lazy())
}

/// How a service calls others: its name, the secret for contexts, and the channel.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The channel.
    pub channel: bangban_telemetry::client::Channel<Channel>,
    service: &'static str,
    context: Arc<ContextKey>,
}

impl Peer {
    /// A peer that `service` calls.
    #[must_use]
    pub fn new(channel: Channel, service: &'static str, context: ContextKey) -> Self {
        Self {
            channel: bangban_telemetry::client::Channel(channel),
            service,
            context: Arc::new(context),
        }
    }

    /// A request in the name of `caller`, with the time that is left of the deadline.
    ///
    /// # Errors
    /// When the context cannot be signed.
    pub fn request<T>(
        &self,
        caller: &Caller,
        deadline: Option<Deadline>,
        body: T,
    ) -> Result<Request<T>, Refusal> {
        let mut request = self.stream_request(caller, body)?;
        let left = deadline.map_or(DEFAULT_DEADLINE, |d| {
            d.0.saturating_duration_since(Instant::now())
        });
        request.set_timeout(left.max(Duration::from_millis(1)));
        Ok(request)
    }

    /// A request without a deadline, for streams.
    ///
    /// # Errors
    /// When the context cannot be signed.
    pub fn stream_request<T>(&self, caller: &Caller, body: T) -> Result<Request<T>, Refusal> {
        let context = self.context.context(self.service, caller)?;
        let mut request = Request::new(body);
        let bearer: MetadataValue<_> = format!("Bearer {context}")
            .parse()
            .map_err(Refusal::internal)?;
        request.metadata_mut().insert("authorization", bearer);
        Ok(request)
    }
}
