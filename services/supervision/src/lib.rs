//! Supervision: keeps what the tiers below cannot change afterwards. So far the checkpoints of their ledgers (BX-6), taken
//! from casework's feed as they are made, in a database of its own.
//!
//! `domain` judges and compares, `store` keeps, `rpc` translates, `tasks` runs unasked.

pub mod domain;
pub mod rpc;
pub mod store;
pub mod tasks;

use bangban_kit::config::Config;
use bangban_learned::effects::FromDirectory;
use bangban_net::peer::Peer;
use bangban_proto::bangban::supervision::v1::checkpoint_service_server::{
    CheckpointServiceServer, SERVICE_NAME as CHECKPOINTS,
};
use bangban_store::{Error, Store, consume};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub use store::Migrator;

/// The service.
#[derive(Debug, Clone)]
pub struct Supervision {
    store: Store,
    directory: Peer,
    casework: Peer,
    max_message_bytes: usize,
}

impl Supervision {
    /// Connects to its database; `directory` and `casework` are how it reaches the other services.
    ///
    /// # Errors
    /// When the database cannot be reached or its tables do not fit.
    pub async fn open(config: &Config, directory: Peer, casework: Peer) -> Result<Self, Error> {
        let store = Store::open::<Migrator>("supervision", config).await?;
        Ok(Self {
            store,
            directory,
            casework,
            max_message_bytes: config.server.max_message_bytes,
        })
    }

    /// Its store, for the feed.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Adds its services and answers their names.
    pub fn add_to(&self, routes: &mut RoutesBuilder) -> Vec<&'static str> {
        let rpc = rpc::Rpc::new(self.store.clone(), self.casework.clone());
        routes.add_service(
            CheckpointServiceServer::new(rpc).max_decoding_message_size(self.max_message_bytes),
        );
        vec![CHECKPOINTS]
    }

    /// Starts what runs without being asked.
    #[must_use]
    pub fn tasks(&self, stop: CancellationToken) -> Vec<JoinHandle<()>> {
        let effects = FromDirectory {
            store: self.store.clone(),
        };
        vec![
            tokio::spawn(consume::run(
                self.store.clone(),
                self.directory.clone(),
                "directory",
                effects,
                stop.clone(),
            )),
            tokio::spawn(tasks::keep(self.store.clone(), self.casework.clone(), stop)),
        ]
    }
}
