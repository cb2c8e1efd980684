//! One task for each connection: opens it, asks for the endpoint's health, offers it to callers and takes it back.

use std::{future::Future, pin::Pin, sync::Arc, task, time::Duration};

use http::{
    Request, Response, Uri,
    uri::{Authority, Scheme},
};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use tonic::{Code, body::Body};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    backoff,
    body::{Incoming, Outgoing, Whole},
    dial::Dial,
    endpoints::Address,
    set::{Member, Set},
    settings::Settings,
};

/// Shortest time between two questions for health, however many calls fail.
const HEALTH_PAUSE: Duration = Duration::from_millis(20);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the tasks of a channel share.
pub(super) struct Shared<D> {
    pub(super) dial: D,
    pub(super) settings: Arc<Settings>,
    pub(super) set: Arc<Set>,
    /// Told when an endpoint does not answer: the name is resolved anew.
    pub(super) failed: Arc<Notify>,
}

/// A member while it serves; taken back however the task ends.
struct Offered<'a> {
    set: &'a Set,
    member: &'a Arc<Member>,
}

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        self.set.remove(self.member);
    }
}

/// Keeps one connection to this address for ever.
pub(super) async fn keep<D: Dial>(shared: Arc<Shared<D>>, address: Address) {
    let service = &shared.settings.service;
    let mut failed = 0u32;
    loop {
        match open(&shared, &address).await {
            Ok((member, closed)) => {
                // One that accepts and never serves is waited for like one that does not accept.
                if watch(&shared, &Arc::new(member), closed).await {
                    failed = 0;
                } else {
                    failed = failed.saturating_add(1);
                }
                tracing::debug!(service, %address, "the connection ended");
            }
            Err(error) => {
                failed = failed.saturating_add(1);
                // Once for each time that it goes away, not for each attempt.
                if failed == 1 {
                    tracing::warn!(service, %address, %error, "the endpoint cannot be reached; trying on");
                }
            }
        }
        shared.failed.notify_one();
        tokio::time::sleep(backoff::pause(failed.max(1))).await;
    }
}

async fn open<D: Dial>(
    shared: &Shared<D>,
    address: &Address,
) -> Result<(Member, JoinHandle<()>), BoxError> {
    let settings = &shared.settings;
    let opened = async {
        let io = shared.dial.dial(address).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(settings.keepalive_every)
            .keep_alive_timeout(settings.keepalive_timeout)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(io))
            .await?;
        Ok::<_, BoxError>((sender, connection))
    };
    let (sender, connection) = timeout(settings.connect_timeout, opened)
        .await
        .map_err(|_| "no connection in time")??;
    // Not ended with this task: calls on their way end in peace when an endpoint is no longer announced.
    let closed = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection");
        }
    });
    let scheme = if address.is_secure {
        Scheme::HTTPS
    } else {
        Scheme::HTTP
    };
    let authority = Authority::try_from(address.to_string())?;
    let doubted = Arc::new(Notify::new());
    Ok((
        Member::new(address.clone(), scheme, authority, sender, doubted),
        closed,
    ))
}

/// Offers the connection to callers while the endpoint says that it serves, until the connection ends; whether it served.
async fn watch<D: Dial>(
    shared: &Shared<D>,
    member: &Arc<Member>,
    mut closed: JoinHandle<()>,
) -> bool {
    let settings = &shared.settings;
    let mut offered = None;
    let mut has_served = false;
    loop {
        let asked = timeout(settings.health_timeout, serves(settings, member));
        let health = tokio::select! {
            health = asked => health.unwrap_or(Health::Silent),
            _ = &mut closed => return has_served,
        };
        match health {
            Health::Serving if offered.is_none() => {
                has_served = true;
                shared.set.insert(member);
                offered = Some(Offered {
                    set: &shared.set,
                    member,
                });
            }
            Health::Serving => {}
            Health::NotServing | Health::Silent => {
                if offered.take().is_some() {
                    tracing::info!(service = settings.service, address = %member.address, ?health, "no calls to the endpoint for now");
                }
                if health == Health::Silent {
                    shared.failed.notify_one();
                }
            }
        }
        let doubted = async {
            tokio::time::sleep(HEALTH_PAUSE).await;
            member.doubted.notified().await;
        };
        tokio::select! {
            () = tokio::time::sleep(backoff::about(settings.health_every)) => {}
            () = doubted => {}
            _ = &mut closed => return has_served,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Serving,
    NotServing,
    /// No answer, or none that one can make sense of.
    Silent,
}

async fn serves(settings: &Settings, member: &Member) -> Health {
    let uri = Uri::builder()
        .scheme(member.scheme.clone())
        .authority(member.authority.clone())
        .path_and_query("/")
        .build();
    let Ok(origin) = uri else {
        return Health::Silent;
    };
    let mut client = HealthClient::with_origin(Wire(member.sender.clone()), origin);
    let request = HealthCheckRequest {
        service: settings.health_service.clone(),
    };
    match client.check(request).await {
        Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => Health::Serving,
        Ok(_) => Health::NotServing,
        // A server without the health service is as healthy as its connection (gRFC A17).
        Err(status) if status.code() == Code::Unimplemented => Health::Serving,
        Err(status) if status.code() == Code::NotFound => Health::NotServing,
        Err(_) => Health::Silent,
    }
}

/// One connection as what a generated client takes.
struct Wire(SendRequest<Outgoing>);

impl tower::Service<Request<Body>> for Wire {
    type Response = Response<Body>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> task::Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let sent = self
            .0
            .send_request(request.map(|body| Outgoing::Through(Whole::default(), body)));
        Box::pin(async move {
            Ok(sent.await?.map(|rest| {
                Body::new(Incoming {
                    before: Whole::default(),
                    rest,
                    until: None,
                })
            }))
        })
    }
}
