//! The service as a server: beside the test, on a configuration that several of them may share.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use bangban_kit::{
    access::{Deadline, Regions},
    config::Config,
    identity::{ContextKey, Verifier},
    refusal::Refusal,
};
use bangban_net::{
    client::{Channel, Local},
    peer::Peer,
    server::{self, Plan},
};
use bangban_proto::bangban::events::v1::event_feed_server::EventFeedServer;
use bangban_scheduling::{Scheduling, tasks};
use bangban_store::feed::Feeds;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use super::{
    double::Directory,
    log::Log,
    patience::{is_broken_off, patiently, told},
};

struct Anywhere;

impl Regions for Anywhere {
    fn exists(
        &self,
        _: String,
        _: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(async { Ok(true) })
    }
}

/// A server. Dropped, it ends.
pub struct Served {
    pub service: Scheduling,
    /// Within the process.
    pub channel: Channel,
    /// Whom it takes for another service.
    pub peer: Peer,
    /// Directory's log, where the double has one.
    pub log: Option<Log>,
    /// Over the network.
    pub address: SocketAddr,
    stop: CancellationToken,
}

impl Served {
    /// Serves on what the configuration names, whose issuer has its keys already.
    pub async fn start(config: &Config, directory: Directory) -> Self {
        let identity = &config.identity;
        let context = ContextKey::open_or_create(&config.context_key()).expect("a key");
        let (jwks, key) = (config.jwks(), context.clone());
        let verifier = Verifier::new(&jwks, &identity.issuer, &identity.audience, key);
        let local = Local::default();
        let channel = Channel::local(local.clone());
        let peer = Peer::new(channel.clone(), "scheduling", context);
        let service = patiently(is_broken_off, || async {
            let opened = Scheduling::open(config, peer.clone()).await;
            opened.map_err(told)
        });
        let service = service.await.expect("opened");
        let mut routes = RoutesBuilder::default();
        let names = service.add_to(&mut routes);
        let conditions = vec![service.readiness()];
        let log = match directory.has_log() {
            true => Some(Log::open(config).await),
            false => None,
        };
        let logs = log.iter().map(|log| log.0.clone());
        let feeds = Feeds::new(logs.chain([service.store()]));
        routes.add_service(directory);
        routes.add_service(EventFeedServer::new(feeds));
        let plan = Plan {
            routes: routes.routes(),
            names,
            conditions,
            verifier: Arc::new(verifier.expect("a verifier")),
            regions: Arc::new(Anywhere),
            local,
            tls: None,
        };
        let listening = server::listen(&config.server).await.expect("an address");
        let (address, stop) = (listening.address, CancellationToken::new());
        tokio::spawn({
            let (settings, stop) = (config.server.clone(), stop.clone());
            async move { server::serve(listening, &settings, plan, stop).await }
        });
        Self {
            service,
            channel,
            peer,
            log,
            address,
            stop,
        }
    }

    /// Starts all that runs unasked, as a process does.
    pub fn begins(&self) -> Vec<JoinHandle<()>> {
        self.service.tasks(self.stop.child_token())
    }

    /// Starts all that runs unasked, until it is told to stop.
    pub fn works(&self) -> CancellationToken {
        let stop = self.stop.child_token();
        drop(self.service.tasks(stop.clone()));
        stop
    }

    /// Starts what runs unasked, but for what follows directory's feed, of which the double has none.
    pub fn works_unasked(&self) {
        let (rpc, stop) = (self.service.rpc(), &self.stop);
        tokio::spawn(tasks::look(rpc.clone(), stop.clone()));
        tokio::spawn(tasks::sweep(rpc.clone(), stop.clone()));
        tokio::spawn(tasks::audit(rpc, stop.clone()));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
