//! Serves gRPC: limits set explicitly, health, reflection, and an end that is bounded.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures::StreamExt as _;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    access::{AccessLayer, Regions},
    config,
    identity::Verifier,
    peers::Connection,
};

/// Why serving ended badly, or never began.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address with server.listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The transport failed.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    /// Reflection has no descriptors.
    #[error(transparent)]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// What a process serves.
pub struct Plan {
    /// The services.
    pub routes: Routes,
    /// Their full names, for health.
    pub names: Vec<&'static str>,
    /// Checks tokens.
    pub verifier: Arc<Verifier>,
    /// Knows regions.
    pub regions: Arc<dyn Regions>,
    /// Connections from within the process.
    pub memory: mpsc::Receiver<tokio::io::DuplexStream>,
}

/// A server that listens and does not answer yet.
pub struct Listening {
    listener: TcpListener,
    /// Where.
    pub address: SocketAddr,
}

/// Takes the address, so that a wrong one is known before anything else starts.
///
/// # Errors
/// When the address is taken or not ours.
pub async fn listen(server: &config::Server) -> Result<Listening, Error> {
    let failed = |source| Error::Listen {
        address: server.listen,
        source,
    };
    let listener = TcpListener::bind(server.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { listener, address })
}

/// Serves until `stop`, then drains: not serving, a notice, no new connections, calls in flight until the bound.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    listening: Listening,
    server: &config::Server,
    plan: Plan,
    stop: CancellationToken,
) -> Result<(), Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    for name in &plan.names {
        health
            .set_service_status(*name, ServingStatus::Serving)
            .await;
    }
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(bangban_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = plan
        .routes
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);

    let tcp = TcpIncoming::from(listening.listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(Duration::from_secs(60)))
        .map(|connection| connection.map(Connection::Tcp));
    let memory = tokio_stream::wrappers::ReceiverStream::new(plan.memory)
        .map(|stream| Ok::<_, std::io::Error>(Connection::Memory(stream)));
    let incoming = futures::stream::select(tcp, memory);

    let closing = CancellationToken::new();
    let drained = closing.clone();
    let serving = Server::builder()
        // tonic passes None for these two, which hyper takes as "no limit": set, not defaulted.
        .max_concurrent_streams(Some(server.max_streams))
        .http2_max_local_error_reset_streams(Some(1024))
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_max_header_list_size(Some(16 << 10))
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .layer(bangban_telemetry::server::CallLayer)
        .layer(AccessLayer::new(plan.verifier, plan.regions))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, async move { drained.cancelled().await });
    let notice = Duration::from_secs(server.drain_notice_seconds);
    let bound = Duration::from_secs(server.drain_seconds);
    let drain = drain(stop, health, &plan.names, notice, closing, bound);
    tokio::select! {
        ended = serving => ended.map_err(Error::from),
        () = drain => {
            tracing::warn!(seconds = bound.as_secs(), "calls were still open at the end of the drain; cut off");
            Ok(())
        }
    }
}

async fn drain(
    stop: CancellationToken,
    health: HealthReporter,
    names: &[&'static str],
    notice: Duration,
    closing: CancellationToken,
    bound: Duration,
) {
    stop.cancelled().await;
    tracing::info!("draining");
    for name in names.iter().copied().chain([""]) {
        health
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
    tokio::time::sleep(notice).await;
    // Ends the streams of those who watch our health, which would hold the drain open for ever.
    for name in names.iter().copied().chain([""]) {
        let mut health = health.clone();
        health.clear_service_status(name).await;
    }
    closing.cancel();
    tokio::time::sleep(bound).await;
}

/// Resolves when the process is asked to end: SIGTERM or Ctrl-C.
pub async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
