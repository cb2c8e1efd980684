//! An instance in this process, and everybody who calls it.

use std::path::Path;

use bangban::{
    client::Client,
    sample::{self, Sample, operator},
    serve::{self, Running, What},
    token::Signer,
};
use bangban_kit::{config::Config, identity::Person};
use sea_orm::{ConnectionTrait as _, Database as Connections};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Where an instance stores.
#[derive(Debug, Clone)]
pub enum Database {
    /// Files in a folder of its own.
    Sqlite,
    /// A database of its own on this server.
    Postgres(String),
}

impl Database {
    /// The server that `DATABASE_URL` names.
    #[must_use]
    pub fn postgres() -> Option<Self> {
        if let Ok(url) = std::env::var("DATABASE_URL") {
            return Some(Self::Postgres(url));
        }
        eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
        None
    }
}

/// An instance with the sample district.
pub struct World {
    /// What it was started with.
    pub config: Config,
    /// The sample.
    pub sample: Sample,
    /// Id of the sample district.
    pub district: String,
    /// Calls without a token.
    pub public: Client,
    signer: Signer,
    running: Running,
    stop: CancellationToken,
    folder: TempDir,
    server: Option<String>,
}

/// An id for one request.
#[must_use]
pub fn request_id() -> String {
    Uuid::now_v7().to_string()
}

impl World {
    /// Starts an instance and loads the sample district.
    ///
    /// # Panics
    /// When that fails.
    pub async fn open(database: &Database) -> Self {
        Self::open_with(database, |_| ()).await
    }

    /// The same with a changed configuration.
    ///
    /// # Panics
    /// When that fails.
    pub async fn open_with(database: &Database, change: impl Fn(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.drain_seconds = 2;
        config.demonstration.is_enabled = true;
        let mut server = None;
        if let Database::Postgres(url) = database {
            let name = format!("bangban_{}", Uuid::now_v7().simple());
            let db = Connections::connect(url).await.expect("postgresql");
            db.execute_unprepared(&format!("CREATE DATABASE {name}"))
                .await
                .expect("a database");
            let (rest, _) = url.rsplit_once('/').expect("a URL with a database");
            config.database.url = format!("{rest}/{name}");
            config.database.max_connections = 8;
            server = Some(url.clone());
        }
        change(&mut config);
        let signer = Signer::open(&config).expect("keys");
        let stop = CancellationToken::new();
        let running = serve::start(&config, What::All, stop.clone())
            .await
            .expect("an instance");
        let address = running.address.to_string();
        let public = Client::connect(&config, Some(&address)).expect("a client");
        let sample = Sample::shipped().expect("the sample");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/sample");
        let directory = running.directory.as_ref().expect("a directory");
        let position = sample::load_if_absent(&sample, directory, &public, &signer, &shipped)
            .await
            .expect("the sample is loaded");
        let world = Self {
            district: sample.district.id.clone(),
            config,
            sample,
            public,
            signer,
            running,
            stop,
            folder,
            server,
        };
        world.casework_has_seen(&position).await;
        world
    }

    /// Casework lives on directory's feed: waits, within bounds, until it has taken in this position of it.
    async fn casework_has_seen(&self, position: &str) {
        use bangban_proto::bangban::casework::v1::{
            GetCaseByReceiptRequest, case_service_client::CaseServiceClient,
        };
        let agent = self.agent();
        let request = GetCaseByReceiptRequest {
            district: self.district.clone(),
            receipt: "4252700000001".to_owned(),
            after: position.to_owned(),
        };
        // Whatever it answers, it has waited first.
        let _ = CaseServiceClient::new(agent.channel())
            .get_case_by_receipt(agent.request(request))
            .await;
    }

    /// Somebody with these claims, for an hour.
    ///
    /// # Panics
    /// When no token can be signed.
    #[must_use]
    pub fn person(&self, person: &Person) -> Client {
        let token = self.signer.token(person, 1).expect("a token");
        self.bearing(&token)
    }

    /// Whoever bears this token.
    ///
    /// # Panics
    /// When it cannot be sent.
    #[must_use]
    pub fn bearing(&self, token: &str) -> Client {
        self.public.with(token).expect("a client")
    }

    /// A member of staff of the sample district, by id: with the region of the site.
    ///
    /// # Panics
    /// When the sample has none.
    #[must_use]
    pub fn staff(&self, id: &str) -> Client {
        self.person(&self.sample.person(id).expect("in the sample"))
    }

    /// The agent of the walk, at her village station.
    ///
    /// # Panics
    /// When the sample has none.
    #[must_use]
    pub fn agent(&self) -> Client {
        self.person(&self.sample.agent().expect("in the sample"))
    }

    /// Who runs the installation: the whole country.
    #[must_use]
    pub fn operator(&self) -> Client {
        self.person(&operator())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.running.address
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it, and removes what it stored.
    ///
    /// # Panics
    /// When it does not end well.
    pub async fn end(self) {
        self.stop.cancel();
        self.running.ended().await.expect("ended");
        if let Some(server) = &self.server {
            let (_, name) = self.config.database.url.rsplit_once('/').expect("a URL");
            let db = Connections::connect(server).await.expect("postgresql");
            db.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
                .await
                .expect("dropped");
        }
    }
}
