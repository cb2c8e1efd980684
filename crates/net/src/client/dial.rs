//! How a connection is opened: plain TCP here, TLS where certificates are known.

use std::{future::Future, io};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::endpoints::Address;

/// Opens connections. The connect timeout is kept by the caller, the handshake included.
pub trait Dial: Send + Sync + 'static {
    /// A connection that speaks HTTP/2 from its first byte.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Opens one.
    ///
    /// # Errors
    /// Nobody there, or somebody else than who was expected.
    fn dial(&self, address: &Address) -> impl Future<Output = io::Result<Self::Io>> + Send;
}

/// Plain TCP, without delay of small segments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Tcp {
    /// A TCP connection, to put TLS on or not.
    ///
    /// # Errors
    /// A name that does not resolve, an address where nobody listens.
    pub async fn connect(address: &Address) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Dial for Tcp {
    type Io = TcpStream;

    async fn dial(&self, address: &Address) -> io::Result<TcpStream> {
        if address.is_secure {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("https://{address} wants TLS: configure certificates, or write http://"),
            ));
        }
        Self::connect(address).await
    }
}
