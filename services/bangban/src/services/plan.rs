//! What runs where: written down in the folder, so that people and tools find it, and so that a process that is started
//! again is the same.
//!
//! The folder holds a configuration for each service (`casework.toml`, with the password of its database, hence for the
//! owner alone), one for who calls (`bangban.toml`), the keys that the processes share, certificates, and logs.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use bangban_kit::{
    config::{self, Config, Log, LogFormat},
    identity::ContextKey,
};

use super::{certificates, databases, files::write_secret, ports};
use crate::{
    cli::{Service, Services},
    failure::Failure,
    token::Signer,
};

/// Where the files are when nobody says.
const FOLDER: &str = ".bangban/services";

/// Where the certificates are in it.
const CERTIFICATES: &str = "certificates";

/// Between the ports of two replicas of a service.
const REPLICA_STEP: u16 = 10;

/// Ordinals of the services: of the ports of a replica's processes.
const ORDINALS: std::ops::Range<u16> = 0..5;

const _: () = assert!(ORDINALS.end as usize == Service::ALL.len());

/// One process of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// Which service.
    pub service: Service,
    /// From 1.
    pub number: u16,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Replica {
    /// As logs call it: `casework-1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.service.name(), self.number)
    }

    /// Where it is, as the key `peers` says it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

/// What runs where.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program that every process runs.
    pub program: PathBuf,
    /// For who calls: the folder, and where the services are.
    pub config: Config,
    /// All processes.
    pub replicas: Vec<Replica>,
    database_url: String,
    connections: u32,
}

impl Plan {
    /// Makes everything that processes need before they start: folder, keys, certificates, databases, configurations.
    /// What is there already is used again.
    ///
    /// # Errors
    /// What is missing or taken, with what to do about it.
    pub async fn make(
        mut config: Config,
        wish: &Services,
        program: PathBuf,
    ) -> Result<Self, Failure> {
        if !config.is_own_issuer() {
            return Err(Failure::new(
                "identity.jwks names a real issuer, and this is a demonstration, which moves the clock: leave it out here.",
            ));
        }
        let database_url = database_url(&config, wish)?;
        gate(&mut config, wish)?;
        if config.data == Config::default().data {
            config.data = PathBuf::from(FOLDER);
        }
        config.data = made(&config.data)?;
        made(&config.data.join("logs"))?;
        config.demonstration.is_enabled = true;
        if config.log == Log::default() {
            config.log.format = LogFormat::Text;
        }
        let replicas = replicas(wish)?;
        config.peers = Service::ALL
            .iter()
            .map(|service| (service.name().to_owned(), urls(&replicas, *service)))
            .collect();
        keys(&config)?;
        let names: Vec<&str> = Service::ALL.iter().map(|service| service.name()).collect();
        let folder = config.data.join(CERTIFICATES);
        certificates::make(&folder, &names)?;
        // Who calls as a person has no certificate, and knows the authority.
        config.tls.authority = certificates::Files::of(&folder, "authority").certificate;
        let mut plan = Self {
            program,
            connections: config.database.max_connections,
            config,
            replicas,
            database_url,
        };
        let urls: Vec<String> = Service::ALL.map(|s| plan.database_of(s)).into();
        let share = databases::make(&plan.database_url, &urls, plan.replicas.len()).await?;
        plan.connections = plan.connections.min(share);
        plan.write()?;
        Ok(plan)
    }

    /// The configuration of a service's processes, which differ in where they listen alone.
    #[must_use]
    pub fn config_of(&self, service: Service) -> Config {
        let mut config = self.config.clone();
        config.database.url = self.database_of(service);
        config.database.max_connections = self.connections;
        config.peers.remove(service.name());
        let files = self.certificate_of(service);
        config.tls = config::Tls {
            certificate: files.certificate,
            key: files.key,
            authority: files.authority,
        };
        config
    }

    /// The URL of a service's database.
    #[must_use]
    pub fn database_of(&self, service: Service) -> String {
        databases::url_with(&self.database_url, |name| {
            format!("{name}_{}", service.name())
        })
    }

    /// Host and port of each process of a service.
    #[must_use]
    pub fn authorities(&self, service: Service) -> Vec<String> {
        self.of(service)
            .map(|replica| replica.address.to_string())
            .collect()
    }

    /// The processes of a service.
    pub fn of(&self, service: Service) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(move |r| r.service == service)
    }

    /// The configuration file for who calls: `--config` of `bangban token`, `walk` and `ledger`.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.config.data.join("bangban.toml")
    }

    /// The configuration file of a service's processes.
    #[must_use]
    pub fn file_of(&self, service: Service) -> PathBuf {
        self.config.data.join(format!("{}.toml", service.name()))
    }

    /// The certificate, key and authority of a service's processes.
    #[must_use]
    pub fn certificate_of(&self, service: Service) -> certificates::Files {
        certificates::Files::of(&self.config.data.join(CERTIFICATES), service.name())
    }

    /// The folder of the logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.config.data.join("logs")
    }

    /// The log of a process.
    #[must_use]
    pub fn log_of(&self, replica: &Replica) -> PathBuf {
        self.logs().join(format!("{}.log", replica.name()))
    }

    /// What only this process is told, as flags.
    #[must_use]
    pub fn flags(&self, replica: &Replica) -> Vec<String> {
        vec!["--listen".to_owned(), replica.address.to_string()]
    }

    fn write(&self) -> Result<(), Failure> {
        let text = |config: &Config| {
            toml::to_string(config)
                .map_err(|e| Failure::of("the configuration cannot be written; report this", &e))
        };
        write_secret(&self.file(), &text(&self.config)?)?;
        for service in Service::ALL {
            let config = self.config_of(service);
            write_secret(&self.file_of(service), &text(&config)?)?;
        }
        Ok(())
    }
}

fn database_url(config: &Config, wish: &Services) -> Result<String, Failure> {
    let configured = Some(&config.database.url).filter(|url| *url != "sqlite");
    let url = wish.database_url.as_ref().or(configured).ok_or_else(|| {
        Failure::new(
            "processes of their own need a PostgreSQL: start with `make services`, which brings one, or name one in DATABASE_URL (postgres://USER:PASSWORD@HOST:PORT/NAME, a user who may create databases).",
        )
    })?;
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(url.clone());
    }
    Err(Failure::new(
        "DATABASE_URL is no URL of a PostgreSQL: write postgres://USER:PASSWORD@HOST:PORT/NAME.",
    ))
}

/// Where the gate of appointments is: in Redis, or in memory where one process serves them.
fn gate(config: &mut Config, wish: &Services) -> Result<(), Failure> {
    if let Some(url) = &wish.redis_url {
        config.redis.url.clone_from(url);
    }
    if config.redis.url.is_empty() && wish.replicas > 1 {
        return Err(Failure::new(
            "several processes of scheduling need a Redis: start with `make services`, which brings one, or name one in REDIS_URL (redis://HOST:PORT).",
        ));
    }
    config.scheduling.is_single_process = wish.replicas == 1;
    Ok(())
}

/// The folder, by its full path: processes may be started again from elsewhere.
fn made(folder: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(folder)
        .and_then(|()| folder.canonicalize())
        .map_err(|e| {
            Failure::of(
                &format!(
                    "the folder {} cannot be made; choose another with --data",
                    folder.display()
                ),
                &e,
            )
        })
}

fn replicas(wish: &Services) -> Result<Vec<Replica>, Failure> {
    let numbers = 1..=wish.replicas;
    let all: Vec<(Service, u16)> = numbers
        .flat_map(|number| Service::ALL.map(|service| (service, number)))
        .collect();
    let wanted: Option<Vec<u16>> = (0..wish.replicas)
        .flat_map(|replica| ORDINALS.map(move |service| (replica, service)))
        .map(|(replica, service)| wish.port_base.checked_add(replica * REPLICA_STEP + service))
        .collect();
    let wanted = wanted.ok_or_else(|| {
        Failure::new("the last port would be above 65535: choose a smaller --port-base.")
    })?;
    let addresses = ports::addresses(&wanted, wish.port_base)?;
    let replica = |((service, number), address)| Replica {
        service,
        number,
        address,
    };
    Ok(all.into_iter().zip(addresses).map(replica).collect())
}

/// Where a service is, as the key `peers` says it.
fn urls(replicas: &[Replica], service: Service) -> String {
    let urls: Vec<String> = replicas
        .iter()
        .filter(|replica| replica.service == service)
        .map(Replica::url)
        .collect();
    urls.join(",")
}

/// Makes the keys that all processes share before the first of them looks for one.
fn keys(config: &Config) -> Result<(), Failure> {
    Signer::open(config)?;
    ContextKey::open_or_create(&config.context_key()).map_err(|e| {
        Failure::of(
            "the key for contexts cannot be used; choose another folder with --data",
            &e,
        )
    })?;
    bangban_casework::checkpoint::key(config).map_err(|e| Failure::new(e.to_string()))?;
    Ok(())
}
