//! A service that answers an authenticated call with nothing, in a process of its own: what a call costs before anything is
//! done. The method is one that supervision has; this one keeps nothing.

mod caller;
mod process;

use std::{future::Future, pin::Pin, sync::Arc};

use bangban::{failure::Failure, tell, token::Signer};
use bangban_kit::{
    access::{AccessLayer, Deadline, DeadlineLayer, Regions},
    config::Config,
    identity::{ContextKey, Verifier},
    refusal::Refusal,
};
use bangban_net::{
    client::Local,
    server::{self, Plan},
    tls::Tls,
};
use bangban_proto::bangban::supervision::v1::{
    CompareCheckpointsRequest, CompareCheckpointsResponse, ListKeptCheckpointsRequest,
    ListKeptCheckpointsResponse,
    checkpoint_service_server::{CheckpointService, CheckpointServiceServer},
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    service::Routes,
    transport::{Server, server::TcpIncoming},
};

pub use caller::Caller;
pub use process::{By, Process};

/// The argument that makes this program the service.
pub const ARGUMENT: &str = "serve-empty";

/// What is around the method, the check of the token aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// The product's own server.
    Ours,
    /// tonic's, as it comes.
    Tonics,
}

impl Around {
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Tonics => "tonics",
        }
    }
}

struct Empty;

#[tonic::async_trait]
impl CheckpointService for Empty {
    async fn list_kept_checkpoints(
        &self,
        _: Request<ListKeptCheckpointsRequest>,
    ) -> Result<Response<ListKeptCheckpointsResponse>, Status> {
        Ok(Response::new(ListKeptCheckpointsResponse::default()))
    }

    async fn compare_checkpoints(
        &self,
        _: Request<CompareCheckpointsRequest>,
    ) -> Result<Response<CompareCheckpointsResponse>, Status> {
        Err(Status::unimplemented("nothing is kept here"))
    }
}

struct Anywhere;

impl Regions for Anywhere {
    fn exists(
        &self,
        _: String,
        _: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

/// Serves, with the configuration that the arguments name, until standard input is closed; tells its address first.
pub async fn serve(arguments: &[String]) -> Result<(), Failure> {
    let [around, flags @ ..] = arguments else {
        return Err(Failure::new("which server is to be around the method?"));
    };
    let config = process::config(flags)?;
    let unusable = |e| Failure::of("the keys of the measurement cannot be used", &e);
    Signer::open(&config)?;
    let identity = &config.identity;
    let context = ContextKey::open_or_create(&config.context_key()).map_err(unusable)?;
    let verifier = Verifier::new(
        &config.jwks(),
        &identity.issuer,
        &identity.audience,
        context,
    )
    .map_err(unusable)?;
    let verifier = Arc::new(verifier);
    let routes = Routes::new(CheckpointServiceServer::new(Empty));
    let stop = CancellationToken::new();
    process::cancel_with_input(stop.clone());
    if around == Around::Ours.name() {
        ours(&config, routes, verifier, stop).await
    } else {
        tonics(routes, verifier, stop).await
    }
}

async fn ours(
    config: &Config,
    routes: Routes,
    verifier: Arc<Verifier>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let tls = Tls::open(&config.tls);
    let tls = tls.map_err(|e| Failure::of("the certificates cannot be used", &e))?;
    let listening = server::listen(&config.server).await;
    let listening = listening.map_err(|e| Failure::of("no port is free", &e))?;
    tell::line(listening.address);
    let plan = Plan {
        routes,
        names: Vec::new(),
        conditions: Vec::new(),
        verifier,
        regions: Arc::new(Anywhere),
        local: Local::default(),
        tls,
    };
    server::serve(listening, &config.server, plan, stop)
        .await
        .map_err(|e| Failure::of("serving has failed", &e))
}

async fn tonics(
    routes: Routes,
    verifier: Arc<Verifier>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())
        .map_err(|e| Failure::of("no port is free", &e))?
        .with_nodelay(Some(true));
    let address = incoming.local_addr();
    tell::line(address.map_err(|e| Failure::of("no port is free", &e))?);
    Server::builder()
        .layer(DeadlineLayer)
        .layer(AccessLayer::new(verifier, Arc::new(Anywhere)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await
        .map_err(|e| Failure::of("serving has failed", &e))
}
