//! Serves gRPC: limits set explicitly, TLS, health, reflection, and an end that is bounded.

mod accept;
mod conditions;
mod connection;
mod drain;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bangban_kit::{
    access::{AccessLayer, DeadlineLayer, Regions},
    config,
    identity::Verifier,
    link::Link,
};
use bangban_proto::bangban::events::v1::event_feed_server;
use bangban_telemetry::server::CallLayer;
use http::Request;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::{body::Body, service::Routes, transport::Server};
use tonic_health::{ServingStatus, pb::health_server};
use tonic_reflection::pb as reflection;
use tower::ServiceBuilder;

use crate::{
    admission::{self, Admission, AdmissionLayer},
    client::{Local, Stack},
    tls::Tls,
};

pub use self::{conditions::Condition, drain::signalled};
use self::{conditions::Conditions, connection::End};

/// Streams that a client resets before a handler took them (CVE-2023-44487). h2 has 20 when nobody says; a process that
/// was stopped for a moment finds more calls than that of one client together with their ends, and means no harm.
const PENDING_RESETS: usize = 64;

/// Streams that we reset because of what a client sent, over the life of a connection (CVE-2025-8671).
const OWN_RESETS: usize = 1024;

/// Bytes of request headers.
const HEADERS: u32 = 16 << 10;

/// Between two pings, and how long an answer may take.
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// What every process serves beside its own.
const STANDARD: [&str; 4] = [
    event_feed_server::SERVICE_NAME,
    health_server::SERVICE_NAME,
    reflection::v1::server_reflection_server::SERVICE_NAME,
    reflection::v1alpha::server_reflection_server::SERVICE_NAME,
];

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
    /// What has a name of its own in health beside them.
    pub conditions: Vec<Condition>,
    /// Checks tokens.
    pub verifier: Arc<Verifier>,
    /// Knows regions.
    pub regions: Arc<dyn Regions>,
    /// Filled with what calls within the process reach.
    pub local: Local,
    /// Certificates, where there are any.
    pub tls: Option<Tls>,
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

/// Serves until `stop`, then drains: not serving, a notice, no new connections, calls in flight until the bound. What is
/// open after that is cut off.
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
    let mut conditions = Conditions::new(plan.conditions);
    conditions.tell(&health).await;
    let names = STANDARD.iter().chain(&plan.names).copied();
    let reflection = || {
        let all = tonic_reflection::server::Builder::configure();
        // Those that are served here, of all those whose files are known.
        names
            .clone()
            .fold(all, tonic_reflection::server::Builder::with_service_name)
            .register_encoded_file_descriptor_set(bangban_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // What refusals carry: callers without files of ours read them too.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = plan
        .routes
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .prepare();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let admission = Admission::new(admission::Settings::of(server, processors));
    let _told = AbortOnDropHandle::new(tokio::spawn(admission.clone().tell()));
    let admission = AdmissionLayer::new(&admission, plan.verifier.clone());
    let access = AccessLayer::new(plan.verifier, plan.regions);
    let _inside = plan.local.fill(inside(&access, routes.clone()));

    let end = End::default();
    // However this returns.
    let _over = end.over.clone().drop_guard();
    let age = Duration::from_secs(server.max_connection_seconds);
    let incoming = accept::incoming(
        listening.listener,
        plan.tls.clone(),
        (server.max_connections, age * 2),
        end.clone(),
    );
    let closing = end.closing;
    if let Some(tls) = plan.tls {
        tokio::spawn(tls.watch(closing.clone()));
    }
    let closed = closing.clone();
    let serving = Server::builder()
        // tonic passes None for these two, which hyper takes as "no limit": set, not defaulted.
        .max_concurrent_streams(Some(server.max_streams))
        .http2_max_local_error_reset_streams(Some(OWN_RESETS))
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
        .http2_max_header_list_size(Some(HEADERS))
        .http2_keepalive_interval(Some(PING.0))
        .http2_keepalive_timeout(Some(PING.1))
        // Replicas that start together do not close together. Without a grace of tonic's (0.14.9), which would send no
        // GOAWAY: what does not end is cut off by the connection itself.
        .max_connection_age(age.mul_f64(rand::random_range(0.9..1.1)))
        .layer(CallLayer)
        .layer(DeadlineLayer)
        // What comes from within the process was taken in already, with the call that it serves.
        .layer(admission)
        .layer(access)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, async move { closed.cancelled().await });
    let drained = drain::drain(stop, health, (plan.names, conditions), server, closing);
    tokio::select! {
        ended = serving => ended.map_err(Error::from),
        () = drained => {
            tracing::warn!(seconds = server.drain_seconds, "calls were still open at the end of the drain; cut off");
            Ok(())
        }
    }
}

/// The stack as calls from within the process reach it.
fn inside(access: &AccessLayer, routes: Routes) -> Stack {
    Stack::new(
        ServiceBuilder::new()
            .map_request(|mut request: Request<Body>| {
                request.extensions_mut().insert(Link::Inside);
                request
            })
            .layer(CallLayer)
            .layer(DeadlineLayer)
            .layer(access.clone())
            .service(routes),
    )
}
