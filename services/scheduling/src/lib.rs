//! Appointments (BB-9.2b): slots that nobody can overbook, booked, kept, moved and counted.
//!
//! PostgreSQL, or SQLite, is the truth: a seat is a row, and its key and its version let nobody have it twice. The gate
//! (`crates/slots`) keeps the crowd away from it. `domain` decides, `store` keeps, `rpc` translates, `tasks` runs unasked,
//! `work` makes days of what capacity says, `doorkeeper` asks the gate.

pub mod domain;
pub mod doorkeeper;
mod effects;
pub mod figures;
mod generations;
pub mod rpc;
mod secret;
pub mod store;
pub mod tasks;
mod work;

use std::sync::Arc;

use bangban_kit::config::Config;
use bangban_learned::{effects::FromDirectory, known::Learned};
use bangban_net::{peer::Peer, server::Condition};
use bangban_proto::bangban::scheduling::v1::{
    booking_service_server::{self, BookingServiceServer},
    capacity_service_server::{self, CapacityServiceServer},
};
use bangban_slots::{Gate, Health};
use bangban_store::{Error, Store, consume};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub use doorkeeper::Doorkeeper;
pub use store::Migrator;

/// The name under which health says whether seats can be given.
pub const GATE: &str = "bangban.scheduling.v1.Gate";

/// The service.
#[derive(Debug, Clone)]
pub struct Scheduling {
    rpc: rpc::Rpc,
    max_message_bytes: usize,
}

impl Scheduling {
    /// Connects to its database and to the gate; `directory` is how it reaches that service.
    ///
    /// # Errors
    /// When the database cannot be reached or its tables do not fit, or the gate's address cannot be read; LINK_KEY_UNUSABLE (BB-9.2b).
    pub async fn open(config: &Config, directory: Peer) -> Result<Self, Error> {
        let store = Store::open::<Migrator>("scheduling", config).await?;
        let gate = generations::gate(config, &store)?;
        Self::with(config, store, gate, directory)
    }

    /// The service on a store and a gate that are open.
    ///
    /// # Errors
    /// LINK_KEY_UNUSABLE (BB-9.2b).
    pub fn with(config: &Config, store: Store, gate: Gate, directory: Peer) -> Result<Self, Error> {
        let links = secret::open_or_create(&config.link_key())?;
        let learned = Learned::new(store.clone());
        let doors = Doorkeeper::new(gate, store);
        Ok(Self {
            rpc: rpc::Rpc::new(learned, directory, doors, Arc::new(links)),
            max_message_bytes: config.server.max_message_bytes,
        })
    }

    /// Its store, for the feed.
    #[must_use]
    pub fn store(&self) -> Store {
        self.rpc.store.clone()
    }

    /// What its methods and tasks work with.
    #[must_use]
    pub fn rpc(&self) -> rpc::Rpc {
        self.rpc.clone()
    }

    /// Whether seats can be booked now: a service whose gate is out of reach is degraded, and ready all the same.
    #[must_use]
    pub fn health(&self) -> Health {
        self.rpc.doors.gate().health()
    }

    /// The same for health: [`GATE`] serves while seats can be given. Without a gate bookings are refused with a hint
    /// when to try again, and everything else works, so the services' own names go on serving (BB-9.2b).
    #[must_use]
    pub fn readiness(&self) -> Condition {
        let service = self.clone();
        Condition {
            name: GATE,
            holds: Box::new(move || service.health() == Health::Ready),
        }
    }

    /// What the gate has done and how it is, for whoever watches.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        self.rpc.doors.gate()
    }

    /// Adds its services and answers their names.
    pub fn add_to(&self, routes: &mut RoutesBuilder) -> Vec<&'static str> {
        let most = self.max_message_bytes;
        routes.add_service(
            CapacityServiceServer::new(self.rpc.clone()).max_decoding_message_size(most),
        );
        routes.add_service(
            BookingServiceServer::new(self.rpc.clone()).max_decoding_message_size(most),
        );
        vec![
            capacity_service_server::SERVICE_NAME,
            booking_service_server::SERVICE_NAME,
        ]
    }

    /// Starts what runs without being asked.
    #[must_use]
    pub fn tasks(&self, stop: CancellationToken) -> Vec<JoinHandle<()>> {
        let rpc = &self.rpc;
        let effects = effects::Learns {
            from: FromDirectory {
                store: rpc.store.clone(),
            },
            specials: Arc::clone(&rpc.specials),
        };
        vec![
            tokio::spawn(consume::run(
                rpc.store.clone(),
                rpc.directory.clone(),
                "directory",
                effects,
                stop.clone(),
            )),
            tokio::spawn(figures::run(self.gate().clone(), stop.clone())),
            tokio::spawn(tasks::look(rpc.clone(), stop.clone())),
            tokio::spawn(tasks::sweep(rpc.clone(), stop.clone())),
            tokio::spawn(tasks::audit(rpc.clone(), stop)),
        ]
    }
}
