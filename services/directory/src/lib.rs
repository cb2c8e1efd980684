//! Directory: what every case builds on. Regions and districts, sites and staff, applicants, the catalogue of service
//! items, rules of service, calendars, and the clock.
//!
//! `rpc` speaks the contract, `work` reads, lets `domain` decide, and writes; `store` alone knows tables. Applicants are
//! the one place where personal data live: sealed, found by keyed hashes, shown as masks.

pub mod domain;
mod keys;
mod rpc;
mod store;
pub mod tasks;
mod work;

use std::{collections::HashSet, sync::Arc};

use bangban_kit::{access::Regions, config::Config, refusal::Refusal};
use bangban_proto::bangban::{
    clock::v1::clock_service_server::{ClockServiceServer, SERVICE_NAME as CLOCK},
    directory::v1::{
        applicant_service_server::{ApplicantServiceServer, SERVICE_NAME as APPLICANT},
        calendar_service_server::{CalendarServiceServer, SERVICE_NAME as CALENDAR},
        catalogue_service_server::{CatalogueServiceServer, SERVICE_NAME as CATALOGUE},
        district_service_server::{DistrictServiceServer, SERVICE_NAME as DISTRICT},
        region_service_server::{RegionServiceServer, SERVICE_NAME as REGION},
        rule_service_server::{RuleServiceServer, SERVICE_NAME as RULE},
        site_service_server::{SERVICE_NAME as SITE, SiteServiceServer},
        staff_service_server::{SERVICE_NAME as STAFF, StaffServiceServer},
    },
};
use bangban_store::{Error, Store};
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use keys::Keys;

pub use domain::complaint::Complaint;
pub use store::migrations::Migrator;
pub use work::{ImportError, ImportReport};

/// Name of the service, of its schema and of its log.
pub const SERVICE: &str = "directory";

/// The service. Cloning shares it.
#[derive(Clone)]
pub struct Directory {
    store: Store,
    keys: Arc<Keys>,
    config: Arc<Config>,
    /// Region codes that were seen in the data set in force.
    known: Arc<Mutex<HashSet<String>>>,
}

impl Directory {
    /// Opens its database and its keys.
    ///
    /// # Errors
    /// When the database cannot be used, or the key file.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let store = Store::open::<Migrator>(SERVICE, config).await?;
        let keys = Keys::open(config.keyring()).map_err(|error| {
            Refusal::precondition(
                "KEYRING_UNUSABLE",
                "",
                format!("密钥文件无法使用：{error}"),
                error.to_string(),
            )
        })?;
        Ok(Self {
            store,
            keys: Arc::new(keys),
            config: Arc::new(config.clone()),
            known: Arc::default(),
        })
    }

    /// Its store, for the feed of its log.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Knows regions, for tokens that name one.
    #[must_use]
    pub fn regions(&self) -> Arc<dyn Regions> {
        Arc::new(self.clone())
    }

    /// Starts what runs without being asked.
    #[must_use]
    pub fn tasks(&self, stop: CancellationToken) -> Vec<JoinHandle<()>> {
        vec![tokio::spawn(tasks::remind(self.clone(), stop))]
    }

    /// Adds its services, and answers their names.
    pub fn add_to(&self, routes: &mut RoutesBuilder) -> Vec<&'static str> {
        let most = self.config.server.max_message_bytes;
        routes.add_service(RegionServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes
            .add_service(DistrictServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes.add_service(SiteServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes.add_service(StaffServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes
            .add_service(ApplicantServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes
            .add_service(CatalogueServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes.add_service(RuleServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes
            .add_service(CalendarServiceServer::new(self.clone()).max_decoding_message_size(most));
        routes.add_service(ClockServiceServer::new(self.clone()).max_decoding_message_size(most));
        vec![
            REGION, DISTRICT, SITE, STAFF, APPLICANT, CATALOGUE, RULE, CALENDAR, CLOCK,
        ]
    }
}
