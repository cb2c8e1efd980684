//! Consultation: every contact is registered, answered at once or referred to the competent department, and answered in
//! time; it may become a case (BB-10.1.1, BB-10.2.1, BB-4.2a).
//!
//! `domain` decides, `store` keeps, `rpc` translates, `tasks` runs unasked.

pub mod domain;
pub mod rpc;
pub mod store;
pub mod tasks;

use bangban_kit::config::Config;
use bangban_learned::{effects::FromDirectory, known::Learned};
use bangban_net::peer::Peer;
use bangban_proto::bangban::consultation::v1::consultation_service_server::{
    ConsultationServiceServer, SERVICE_NAME,
};
use bangban_store::{Error, Store, consume};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub use store::Migrator;

/// The service.
#[derive(Debug, Clone)]
pub struct Consultation {
    store: Store,
    learned: Learned,
    directory: Peer,
    casework: Peer,
    max_message_bytes: usize,
}

impl Consultation {
    /// Connects to its database; `directory` and `casework` are how it reaches the other services.
    ///
    /// # Errors
    /// When the database cannot be reached or its tables do not fit.
    pub async fn open(config: &Config, directory: Peer, casework: Peer) -> Result<Self, Error> {
        let store = Store::open::<Migrator>("consultation", config).await?;
        Ok(Self {
            learned: Learned::new(store.clone()),
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
        let rpc = rpc::Rpc::new(
            self.learned.clone(),
            self.directory.clone(),
            self.casework.clone(),
        );
        routes.add_service(
            ConsultationServiceServer::new(rpc).max_decoding_message_size(self.max_message_bytes),
        );
        vec![SERVICE_NAME]
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
            tokio::spawn(tasks::sweep(self.learned.clone(), stop.clone())),
            tokio::spawn(tasks::convert(
                self.learned.clone(),
                self.casework.clone(),
                stop,
            )),
        ]
    }
}
