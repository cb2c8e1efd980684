//! Casework: assisted cases from the first contact to the ledger (BB-3.1, BB-4, BB-10.1).
//!
//! `domain` decides, `store` keeps, `rpc` translates, `tasks` runs unasked.

pub mod checkpoint;
pub mod domain;
pub mod rpc;
pub mod store;
pub mod tasks;

use std::sync::Arc;

use bangban_kit::config::Config;
use bangban_learned::{effects::FromDirectory, known::Learned};
use bangban_ledger::SigningKey;
use bangban_net::peer::Peer;
use bangban_proto::bangban::casework::v1::{
    case_service_server::{CaseServiceServer, SERVICE_NAME as CASES},
    ledger_service_server::{LedgerServiceServer, SERVICE_NAME as LEDGERS},
};
use bangban_store::{Error, Store, consume};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub use store::Migrator;

/// The service.
#[derive(Debug, Clone)]
pub struct Casework {
    store: Store,
    learned: Learned,
    directory: Peer,
    key: Arc<SigningKey>,
    max_message_bytes: usize,
}

impl Casework {
    /// Connects to its database; `directory` is how it reaches the other service.
    ///
    /// # Errors
    /// When the database cannot be reached or its tables do not fit; LEDGER_KEY_UNUSABLE.
    pub async fn open(config: &Config, directory: Peer) -> Result<Self, Error> {
        let store = Store::open::<Migrator>("casework", config).await?;
        Ok(Self {
            learned: Learned::new(store.clone()),
            store,
            directory,
            key: Arc::new(checkpoint::key(config)?),
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
        let rpc = rpc::Rpc::new(
            self.store.clone(),
            self.learned.clone(),
            self.directory.clone(),
        );
        routes.add_service(
            CaseServiceServer::new(rpc.clone()).max_decoding_message_size(self.max_message_bytes),
        );
        routes.add_service(
            LedgerServiceServer::new(rpc::Ledgers::new(rpc, self.key.public()))
                .max_decoding_message_size(self.max_message_bytes),
        );
        vec![CASES, LEDGERS]
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
            tokio::spawn(tasks::sweep(
                self.store.clone(),
                self.learned.clone(),
                stop.clone(),
            )),
            tokio::spawn(checkpoint::run(
                self.store.clone(),
                Arc::clone(&self.key),
                stop,
            )),
        ]
    }
}
