//! Accepts connections: not more than may be, with TLS where the process has a certificate, and none while it drains.

use std::{io, sync::Arc, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

use super::connection::{Connection, End, Io};
use crate::tls::Tls;

/// How long a client may take for its part of the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Between keepalive probes of an idle connection.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Pause when the system gives no more connections: files that are open elsewhere are closed in time.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections that are accepted and not yet taken up.
const WAITING: usize = 64;

/// The connections that come in until the drain begins: not more than `most`, each cut off at the age of `longest`.
pub(super) fn incoming(
    listener: TcpListener,
    tls: Option<Tls>,
    (most, longest): (u32, Duration),
    end: End,
) -> ReceiverStream<io::Result<Connection>> {
    let (taken, incoming) = mpsc::channel(WAITING);
    tokio::spawn(accept(listener, tls, (most, longest), end, taken));
    ReceiverStream::new(incoming)
}

async fn accept(
    listener: TcpListener,
    tls: Option<Tls>,
    (most, longest): (u32, Duration),
    end: End,
    taken: mpsc::Sender<io::Result<Connection>>,
) {
    let places = Arc::new(Semaphore::new(most as usize));
    loop {
        let accepted = tokio::select! {
            () = end.closing.cancelled() => return,
            () = taken.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(
                most,
                "no more connections than server.max_connections; one was closed"
            );
            continue;
        };
        set(&stream);
        let secured = tls.as_ref().and_then(Tls::server).map(TlsAcceptor::from);
        let (taken, end) = (taken.clone(), end.child());
        tokio::spawn(async move {
            let io = match secured {
                None => Io::Plain(stream),
                Some(acceptor) => match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => Io::Secure(Box::new(stream)),
                    Ok(Err(error)) => {
                        tracing::info!(%error, "a TLS handshake failed");
                        return;
                    }
                    Err(_) => return,
                },
            };
            // Nobody takes it when the server has ended meanwhile.
            let connection = Connection::new(io, end, longest, place);
            let _ = taken.send(Ok(connection)).await;
        });
    }
}

/// What a connection goes without when these fail is speed, and the notice of a peer that vanished.
fn set(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE / 6);
    let done = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = done {
        tracing::debug!(%error, "options of a connection");
    }
}
