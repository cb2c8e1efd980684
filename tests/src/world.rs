//! An instance in this process, and everybody who calls it.

use std::{path::Path, time::Duration};

use bangban::{
    client::Client,
    sample::{self, Sample, operator},
    serve::{self, Running, What},
    token::Signer,
};
use bangban_kit::{
    config::Config,
    identity::{Caller, ContextKey, Issuer, Person},
};
use bangban_proto::bangban::{
    casework::v1::{ListCasesRequest, case_service_client::CaseServiceClient},
    clock::v1::{AdvanceClockRequest, GetClockRequest, clock_service_client::ClockServiceClient},
    consultation::v1::{
        ListConsultationsRequest, consultation_service_client::ConsultationServiceClient,
    },
    events::v1::{Act, TailRequest, event_feed_client::EventFeedClient},
    options::v1::Role,
    scheduling::v1::{ListBookingsRequest, booking_service_client::BookingServiceClient},
};
use bangban_store::open::sqlite_file;
use prost_types::Timestamp;
use sea_orm::{ConnectionTrait as _, Database as Connections, DatabaseConnection, Statement};
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::PATIENCE;

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
        // Nobody but the test calls it, and it knows.
        config.server.drain_notice_seconds = 0;
        config.server.drain_seconds = 2;
        // A test sends hundreds of calls at once, on a machine that may stand still for seconds.
        config.server.queue_milliseconds = 10_000;
        config.database.acquire_seconds = 60;
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
        let until = Instant::now() + PATIENCE;
        while let Err(status) = world.have_seen(&position).await {
            let is_early = status.code() == Code::Unavailable && Instant::now() < until;
            assert!(is_early, "{status:?}");
        }
        world
    }

    /// The services live on directory's feed: waits, within bounds, until those that are called have taken in this position
    /// of it.
    async fn have_seen(&self, position: &str) -> Result<(), Status> {
        let operator = self.operator();
        let (district, after) = (self.district.clone(), position.to_owned());
        let cases = ListCasesRequest {
            district: district.clone(),
            after: after.clone(),
            ..ListCasesRequest::default()
        };
        CaseServiceClient::new(operator.channel())
            .list_cases(operator.request(cases))
            .await?;
        let register = ListConsultationsRequest {
            district: district.clone(),
            after: after.clone(),
            ..ListConsultationsRequest::default()
        };
        ConsultationServiceClient::new(operator.channel())
            .list_consultations(operator.request(register))
            .await?;
        let bookings = ListBookingsRequest {
            district,
            after,
            ..ListBookingsRequest::default()
        };
        BookingServiceClient::new(operator.channel())
            .list_bookings(operator.request(bookings))
            .await
            .map(|_| ())
    }

    /// Somebody with these claims, for an hour.
    ///
    /// # Panics
    /// When no token can be signed.
    #[must_use]
    pub fn person(&self, person: &Person) -> Client {
        self.bearing(&self.token(person))
    }

    /// A token for somebody with these claims, for an hour.
    ///
    /// # Panics
    /// When no token can be signed.
    #[must_use]
    pub fn token(&self, person: &Person) -> String {
        self.signer.token(person, 1).expect("a token")
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

    /// A clerk of a department of the sample district.
    #[must_use]
    pub fn clerk(&self, department: &str) -> Client {
        self.person(&Person {
            subject: format!("clerk-of-{department}"),
            roles: vec!["department".to_owned()],
            region: self.sample.district.region.clone(),
            department: department.to_owned(),
            ..Person::default()
        })
    }

    /// The applicant of a case, identified for that case alone.
    #[must_use]
    pub fn citizen(&self, case: &str) -> Client {
        self.person(&Person {
            subject: "citizen".to_owned(),
            roles: vec!["citizen".to_owned()],
            case: case.to_owned(),
            ..Person::default()
        })
    }

    /// Another service of this installation, which acts unasked.
    ///
    /// # Panics
    /// When no context can be signed.
    #[must_use]
    pub fn service(&self) -> Client {
        let key = ContextKey::open_or_create(&self.config.context_key()).expect("a key");
        let context = key.context("tests", &Caller::system("tests"));
        self.bearing(&context.expect("a context"))
    }

    /// A token by the installation's own key that says another issuer or audience, or lives for so many seconds.
    ///
    /// # Panics
    /// When no token can be signed.
    #[must_use]
    pub fn odd_token(&self, person: &Person, issuer: &str, audience: &str, seconds: u64) -> String {
        let jwks = self.config.jwks();
        Issuer::open_or_create(&self.config.issuer_key(), &jwks, issuer, audience)
            .and_then(|odd| odd.token(&jwks, person, Duration::from_secs(seconds)))
            .expect("a token")
    }

    /// All acts of a service's log that may be read now.
    ///
    /// # Panics
    /// When the feed breaks.
    pub async fn tail(&self, log: &str) -> Vec<Act> {
        let until = Instant::now() + PATIENCE;
        let (mut acts, mut from) = (Vec::new(), String::new());
        loop {
            match self.tail_from(log, &mut from, &mut acts).await {
                Ok(()) => return acts,
                // Another test's transaction holds the feeds of its server up: it says to go on a little later.
                Err(status) if status.code() == Code::Unavailable && Instant::now() < until => {}
                Err(status) => panic!("{log}: {status:?}"),
            }
        }
    }

    /// Adds the acts behind a position that may be read now, and moves it.
    async fn tail_from(
        &self,
        log: &str,
        from: &mut String,
        acts: &mut Vec<Act>,
    ) -> Result<(), Status> {
        let service = self.service();
        let request = TailRequest {
            log: log.to_owned(),
            from: from.clone(),
            until_caught_up: true,
            ..TailRequest::default()
        };
        let mut feed = EventFeedClient::new(service.channel()).max_decoding_message_size(64 << 20);
        let mut stream = feed.tail(service.request(request)).await?.into_inner();
        while let Some(batch) = stream.message().await? {
            acts.extend(batch.acts);
            *from = batch.position;
        }
        Ok(())
    }

    /// Reads beside the services: a connection to the database of one of them.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn database(&self, service: &str) -> DatabaseConnection {
        let url = if self.config.database.url == "sqlite" {
            let file = sqlite_file(service, &self.config.data);
            format!("sqlite://{}?mode=ro", file.display())
        } else {
            let schema = format!("options=-csearch_path%3D{service}");
            format!("{}?{schema}", self.config.database.url)
        };
        Connections::connect(url).await.expect("a database")
    }

    /// How many acts stand in a service's log, written and not only readable.
    ///
    /// # Panics
    /// When they cannot be counted.
    pub async fn act_count(&self, service: &str) -> i64 {
        let db = self.database(service).await;
        let count = Statement::from_string(db.get_database_backend(), "SELECT count(*) FROM acts");
        let row = db.query_one_raw(count).await.expect("a count");
        row.and_then(|r| r.try_get_by_index(0).ok())
            .unwrap_or_default()
    }

    /// Imports a catalogue into the sample district.
    ///
    /// # Errors
    /// All that is wrong with it.
    ///
    /// # Panics
    /// When no directory runs here.
    pub async fn import_catalogue(&self, yaml: &str) -> Result<(), String> {
        let directory = self.running.directory.as_ref().expect("a directory");
        let editor = Caller {
            subject: "operator".to_owned(),
            roles: vec![Role::Operator],
            ..Caller::public()
        };
        let done = directory
            .import_catalogue(&self.district, yaml, &editor)
            .await;
        done.map(|_| ()).map_err(|e| e.to_string())
    }

    /// Imports a region tree from the files of a folder.
    ///
    /// # Errors
    /// All that is wrong with it.
    ///
    /// # Panics
    /// When no directory runs here.
    pub async fn import_regions(&self, folder: &Path) -> Result<(), String> {
        let directory = self.running.directory.as_ref().expect("a directory");
        let done = directory.import_regions(folder, |_, _| ()).await;
        done.map(|_| ()).map_err(|e| e.to_string())
    }

    /// The time by which rules are judged.
    ///
    /// # Panics
    /// When the clock cannot be read.
    pub async fn now(&self) -> Timestamp {
        let operator = self.operator();
        let clock = ClockServiceClient::new(operator.channel())
            .get_clock(operator.request(GetClockRequest::default()))
            .await
            .expect("a clock")
            .into_inner();
        clock.now.expect("a time")
    }

    /// Today in Asia/Shanghai, by the clock that rules are judged by: `YYYY-MM-DD`.
    ///
    /// # Panics
    /// When the clock cannot be read.
    pub async fn today(&self) -> String {
        crate::day(self.now().await.seconds)
    }

    /// Moves the demonstration clock to an instant, in seconds since the epoch; answers the position of the act.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn advance(&self, seconds: i64) -> String {
        let operator = self.operator();
        let request = AdvanceClockRequest {
            request_id: request_id(),
            to: Some(Timestamp { seconds, nanos: 0 }),
            ..AdvanceClockRequest::default()
        };
        ClockServiceClient::new(operator.channel())
            .advance_clock(operator.request(request))
            .await
            .expect("advanced")
            .into_inner()
            .position
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
