//! Connections over TLS where the address says so.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{DOMAIN, Tls};
use crate::client::{Address, Dial, Tcp};

/// Dials `https` addresses over TLS and others in the clear.
#[derive(Debug, Clone)]
pub struct Secure {
    tls: Option<Tls>,
    /// Name that the other side's certificate must bear; without one that of the address.
    expected: Option<String>,
}

impl Secure {
    /// To a service: its certificate has to say that it is that service, whatever the address.
    #[must_use]
    pub fn to_service(tls: Option<Tls>, service: &str) -> Self {
        Self {
            tls,
            expected: Some(format!("{service}{DOMAIN}")),
        }
    }

    /// To an address: the certificate has to bear its host.
    #[must_use]
    pub const fn to_address(tls: Option<Tls>) -> Self {
        Self {
            tls,
            expected: None,
        }
    }
}

impl Dial for Secure {
    type Io = Io;

    async fn dial(&self, address: &Address) -> io::Result<Io> {
        if !address.is_secure {
            return Tcp::connect(address).await.map(Io::Plain);
        }
        let tls = self.tls.as_ref().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("https://{address} wants an authority to trust: configure tls.authority"),
            )
        })?;
        let expected = self
            .expected
            .clone()
            .unwrap_or_else(|| address.host.clone());
        let name = ServerName::try_from(expected)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        let stream = Tcp::connect(address).await?;
        let connector = TlsConnector::from(tls.client());
        let stream = connector.connect(name, stream).await?;
        Ok(Io::Secure(Box::new(stream)))
    }
}

/// A connection in the clear, or over TLS.
#[derive(Debug)]
pub enum Io {
    /// In the clear.
    Plain(TcpStream),
    /// Over TLS.
    Secure(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buffer),
            Self::Secure(io) => Pin::new(io).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, bytes),
            Self::Secure(io) => Pin::new(io).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Secure(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Secure(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
