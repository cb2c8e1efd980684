//! A process that serves: all services in one, or one of them with the others on the network.

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use bangban_casework::Casework;
use bangban_consultation::Consultation;
use bangban_directory::Directory;
use bangban_kit::{
    access::Regions,
    config::Config,
    identity::{ContextKey, Verifier},
};
use bangban_net::{
    client::{Channel, Endpoints, Local, Settings},
    peer::Peer,
    server::{self, Plan},
    tls::{Secure, Tls},
};
use bangban_proto::bangban::events::v1::event_feed_server::EventFeedServer;
use bangban_scheduling::Scheduling;
use bangban_store::{Store, feed::Feeds};
use bangban_supervision::Supervision;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use crate::{cli, failure::Failure, regions::RemoteRegions, token::Signer};

/// How long background tasks get to end after the server has.
const TASKS_END: Duration = Duration::from_secs(5);

/// What a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Everything.
    All,
    /// One service.
    One(cli::Service),
}

impl What {
    /// As the command line says it.
    pub fn of(all: bool, service: Option<cli::Service>) -> Self {
        match service {
            Some(service) if !all => Self::One(service),
            _ => Self::All,
        }
    }

    fn has(self, service: cli::Service) -> bool {
        self == Self::All || self == Self::One(service)
    }
}

/// A process that serves.
pub struct Running {
    /// Where.
    pub address: SocketAddr,
    /// The directory, when it runs here.
    pub directory: Option<Arc<Directory>>,
    server: JoinHandle<Result<(), server::Error>>,
    tasks: Vec<JoinHandle<()>>,
    feeds: CancellationToken,
}

/// Serves until SIGTERM or Ctrl-C.
pub async fn until_signalled(config: &Config, what: What) -> Result<(), Failure> {
    told(config, what, async {
        let stop = stop_when_signalled();
        let running = start(config, what, stop).await?;
        tracing::info!(address = %running.address, ?what, "serving");
        running.ended().await
    })
    .await
}

/// Tells about what `serving` does, as configured, and when it has ended what was not told yet.
pub async fn told(
    config: &Config,
    what: What,
    serving: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let name = match what {
        What::All => "bangban".to_owned(),
        What::One(service) => format!("bangban-{}", service.name()),
    };
    let telemetry = bangban_telemetry::start(&config.telemetry, &config.log, &name)
        .map_err(|e| Failure::new(format!("{e}.")))?;
    let done = serving.await;
    telemetry.end().await;
    done
}

/// A token that is cancelled when the process is asked to end.
pub fn stop_when_signalled() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        server::signalled().await;
        cancelled.cancel();
    });
    stop
}

/// Opens what is to be served, and serves it in the background until `stop`.
pub async fn start(
    config: &Config,
    what: What,
    stop: CancellationToken,
) -> Result<Running, Failure> {
    std::fs::create_dir_all(&config.data).map_err(|e| {
        Failure::of(
            &format!(
                "the data folder {} cannot be made; choose another with --data",
                config.data.display()
            ),
            &e,
        )
    })?;
    let keys = |e| {
        Failure::of(
            "keys cannot be used; look at [identity] with `bangban config check`",
            &e,
        )
    };
    if config.is_own_issuer() {
        Signer::open(config)?;
    }
    let identity = &config.identity;
    let context = ContextKey::open_or_create(&config.context_key()).map_err(keys)?;
    let verifier = Verifier::new(
        &config.jwks(),
        &identity.issuer,
        &identity.audience,
        context.clone(),
    )
    .map_err(keys)?;
    let tls = Tls::open(&config.tls)
        .map_err(|e| Failure::of("certificates cannot be used; correct them", &e))?;
    let listening = server::listen(&config.server).await.map_err(|e| {
        Failure::new(format!(
            "{e} (or with --listen ADDRESS, port 0 for a free one)."
        ))
    })?;
    let address = listening.address;

    let local = Local::default();
    let mut builder = RoutesBuilder::default();
    let mut names = Vec::new();
    let mut conditions = Vec::new();
    let mut stores: Vec<Store> = Vec::new();
    let mut tasks = Vec::new();
    let feeds = CancellationToken::new();

    let mut directory = None;
    if what.has(cli::Service::Directory) {
        let opened = Arc::new(
            Directory::open(config)
                .await
                .map_err(|e| unopened("directory", &e))?,
        );
        names.extend(opened.add_to(&mut builder));
        stores.push(opened.store());
        tasks.extend(opened.tasks(feeds.clone()));
        directory = Some(opened);
    }
    let to = |service, name| {
        if what.has(service) {
            Ok(Channel::local(local.clone()))
        } else {
            remote(config, tls.clone(), name)
        }
    };
    let channel = to(cli::Service::Directory, "directory")?;
    let peer = |channel: &Channel, name| Peer::new(channel.clone(), name, context.clone());
    if what.has(cli::Service::Casework) {
        let casework = Casework::open(config, peer(&channel, "casework"))
            .await
            .map_err(|e| unopened("casework", &e))?;
        names.extend(casework.add_to(&mut builder));
        stores.push(casework.store());
        tasks.extend(casework.tasks(feeds.clone()));
    }
    if what.has(cli::Service::Consultation) {
        let casework = to(cli::Service::Casework, "casework")?;
        let consultation = Consultation::open(
            config,
            peer(&channel, "consultation"),
            peer(&casework, "consultation"),
        )
        .await
        .map_err(|e| unopened("consultation", &e))?;
        names.extend(consultation.add_to(&mut builder));
        stores.push(consultation.store());
        tasks.extend(consultation.tasks(feeds.clone()));
    }
    if what.has(cli::Service::Supervision) {
        let casework = to(cli::Service::Casework, "casework")?;
        let supervision = Supervision::open(
            config,
            peer(&channel, "supervision"),
            peer(&casework, "supervision"),
        )
        .await
        .map_err(|e| unopened("supervision", &e))?;
        names.extend(supervision.add_to(&mut builder));
        stores.push(supervision.store());
        tasks.extend(supervision.tasks(feeds.clone()));
    }
    if what.has(cli::Service::Scheduling) {
        has_gate(config, what)?;
        let scheduling = Scheduling::open(config, peer(&channel, "scheduling"))
            .await
            .map_err(|e| unopened("scheduling", &e))?;
        names.extend(scheduling.add_to(&mut builder));
        conditions.push(scheduling.readiness());
        stores.push(scheduling.store());
        tasks.extend(scheduling.tasks(feeds.clone()));
    }
    // Well before the connection that they run on is cut off.
    let longest = Duration::from_secs(config.server.max_connection_seconds) / 2;
    builder.add_service(
        EventFeedServer::new(Feeds::new(stores).until(feeds.clone()).for_at_most(longest))
            .max_decoding_message_size(config.server.max_message_bytes),
    );
    let regions: Arc<dyn Regions> = match &directory {
        Some(directory) => directory.regions(),
        None => Arc::new(RemoteRegions::of(channel)),
    };
    let plan = Plan {
        routes: builder.routes(),
        names,
        conditions,
        verifier: Arc::new(verifier),
        regions,
        local,
        tls,
    };
    let config = config.server.clone();
    let ending = feeds.clone();
    tokio::spawn({
        let stop = stop.clone();
        let notice = Duration::from_secs(config.drain_notice_seconds);
        async move {
            // Feeds are open calls: they end with the notice, or they would hold the drain open until its bound.
            stop.cancelled().await;
            tokio::time::sleep(notice).await;
            ending.cancel();
        }
    });
    let server = tokio::spawn(async move { server::serve(listening, &config, plan, stop).await });
    Ok(Running {
        address,
        directory,
        server,
        tasks,
        feeds,
    })
}

impl Running {
    /// Waits until serving has ended and the background tasks with it.
    pub async fn ended(self) -> Result<(), Failure> {
        let ended = self.server.await;
        self.feeds.cancel();
        let tasks = futures::future::join_all(self.tasks);
        if tokio::time::timeout(TASKS_END, tasks).await.is_err() {
            tracing::warn!("background tasks were still running at the end; left behind");
        }
        match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::of("serving has failed; start it again", &error)),
            Err(error) => Err(Failure::of(
                "serving has broken off; report this and start it again",
                &error,
            )),
        }
    }
}

/// A gate in memory serves one process: two would tell people "full" of seats that are free.
fn has_gate(config: &Config, what: What) -> Result<(), Failure> {
    let is_one = what == What::All && config.database.url == "sqlite";
    if !config.redis.url.is_empty() || is_one || config.scheduling.is_single_process {
        return Ok(());
    }
    // Everything in one process on PostgreSQL is one process as well, unless somebody starts a second one.
    if what == What::All {
        tracing::warn!(
            "the gate of appointments is in memory: no second process may serve this database; name a Redis with `--set redis.url=redis://HOST:PORT`"
        );
        return Ok(());
    }
    Err(Failure::new(
        "scheduling needs a Redis where it may run in several processes: name one with `--set redis.url=redis://HOST:PORT`, or say that there is one process alone with `--set scheduling.is_single_process=true`.",
    ))
}

fn unopened(service: &str, error: &bangban_store::Error) -> Failure {
    Failure::of(
        &format!(
            "{service} does not open; look at database.url and data with `bangban config check`"
        ),
        error,
    )
}

fn remote(config: &Config, tls: Option<Tls>, service: &str) -> Result<Channel, Failure> {
    let address = config.peers.get(service).ok_or_else(|| {
        Failure::new(format!(
            "{service} does not run in this process: say where it is with `--set peers.{service}=https://HOST:PORT`."
        ))
    })?;
    // Contexts are signed with a key that both processes must hold.
    if config.identity.context_key.as_os_str().is_empty()
        && !Path::new(&config.context_key()).exists()
    {
        tracing::warn!(
            "this data folder had no context key: give both processes the same identity.context_key"
        );
    }
    channel(service, address, tls)
}

/// A channel to a service, as the key `peers` says where it is.
///
/// # Errors
/// Text that names no endpoints.
pub(crate) fn channel(
    service: &str,
    addresses: &str,
    tls: Option<Tls>,
) -> Result<Channel, Failure> {
    let endpoints = Endpoints::parse(addresses, tls.is_some())
        .map_err(|e| Failure::of(&format!("peers.{service} cannot be used; correct it"), &e))?;
    Ok(Channel::balanced(
        endpoints,
        Secure::to_service(tls, service),
        Settings::of(service),
    ))
}
