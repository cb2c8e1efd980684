//! The platform as its operators run it: every service as processes of its own, on free ports of this machine, each
//! service with a database of its own. Whoever tests or measures it may end, stop and start every process.
//!
//! The processes run the `bangban` that lies beside the tests: `cargo test --workspace` builds it.

mod member;
pub mod metrics;
mod program;
mod ways;

use std::{path::Path, sync::Arc};

use bangban::{
    cli::{self, Service},
    client::Client,
    sample::{Sample, operator},
    services::{self, Plan, Process},
    token::Signer,
};
use bangban_kit::{
    config::Config,
    identity::{Caller, ContextKey, Person},
};
use bangban_net::client::Settings;
use sea_orm::{ConnectionTrait as _, Database as Connections, DatabaseConnection};
use tempfile::TempDir;
use uuid::Uuid;

pub use member::Member;
pub use ways::{Ways, sum};

/// Every service as processes of its own.
pub struct Cluster {
    /// What runs where; its `config` is that of who calls.
    pub plan: Arc<Plan>,
    /// The sample.
    pub sample: Sample,
    /// Calls without a token.
    pub public: Client,
    /// Position of directory's log behind which the sample is loaded.
    pub loaded: String,
    signer: Signer,
    members: Vec<Member>,
    server: String,
    // Last, so that files outlive the processes.
    _folder: TempDir,
}

impl Cluster {
    /// Starts so many processes of each service on the PostgreSQL that `DATABASE_URL` names, and loads the sample
    /// district. None without a `DATABASE_URL`.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start(replicas: u16) -> Option<Self> {
        Self::start_with(replicas, |_| ()).await
    }

    /// The same with a changed configuration, of all processes and of who calls.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start_with(replicas: u16, change: impl FnOnce(&mut Config)) -> Option<Self> {
        let Ok(server) = std::env::var("DATABASE_URL") else {
            eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
            return None;
        };
        Some(Self::start_on(server, replicas, change).await)
    }

    /// The same on the PostgreSQL of this URL, with the sample district.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start_on(server: String, replicas: u16, change: impl FnOnce(&mut Config)) -> Self {
        let mut cluster = Self::start_empty_on(server, replicas, change).await;
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/sample");
        cluster.loaded = services::load(
            &cluster.plan,
            &cluster.sample,
            &cluster.public,
            &cluster.signer,
            &shipped,
        )
        .await
        .expect("the sample is loaded");
        cluster
    }

    /// The same with nothing in it.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start_empty_on(
        server: String,
        replicas: u16,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let folder = program::folder();
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.server.drain_seconds = 5;
        config.database.max_connections = 8;
        change(&mut config);
        let name = format!("bangban_{}", Uuid::now_v7().simple());
        let db = Connections::connect(&server).await.expect("postgresql");
        db.execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a database");
        let (rest, _) = server.rsplit_once('/').expect("a URL with a database");
        let wish = cli::Services {
            replicas,
            port_base: 0,
            database_url: Some(format!("{rest}/{name}")),
            redis_url: std::env::var("REDIS_URL").ok(),
        };
        let plan = Plan::make(config, &wish, program::bangban())
            .await
            .expect("a plan");
        let plan = Arc::new(plan);
        let signer = Signer::open(&plan.config).expect("keys");
        let mut members: Vec<Member> = plan
            .replicas
            .iter()
            .map(|replica| Process::start(&plan, replica).expect("a process"))
            .map(|process| Member::new(plan.clone(), process))
            .collect();
        for member in &mut members {
            member.serves().await;
        }
        let public = Client::connect(&plan.config, None).expect("a client");
        Self {
            plan,
            sample: Sample::shipped().expect("the sample"),
            public,
            loaded: String::new(),
            signer,
            members,
            server,
            _folder: folder,
        }
    }

    /// One process, by its service and its number, from 1.
    ///
    /// # Panics
    /// When there is none.
    pub fn member(&mut self, service: Service, number: u16) -> &mut Member {
        let is_it = |m: &&mut Member| {
            let replica = m.replica();
            replica.service == service && replica.number == number
        };
        self.members.iter_mut().find(is_it).expect("a process")
    }

    /// All processes: a replica of each service, then the next of each.
    pub fn members(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut()
    }

    /// The numbers of all processes that run.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.members.iter().filter_map(Member::id)
    }

    /// What all processes keep resident now, in MB of a million bytes.
    ///
    /// # Panics
    /// When one of them has gone away.
    #[must_use]
    pub fn resident(&self) -> f64 {
        self.members.iter().map(Member::resident).sum()
    }

    /// A token for somebody with these claims, for an hour.
    ///
    /// # Panics
    /// When no token can be signed.
    #[must_use]
    pub fn token(&self, person: &Person) -> String {
        self.signer.token(person, 1).expect("a token")
    }

    /// Somebody with these claims, for an hour.
    ///
    /// # Panics
    /// When no token can be signed.
    #[must_use]
    pub fn person(&self, person: &Person) -> Client {
        self.public.with(&self.token(person)).expect("a client")
    }

    /// A member of staff of the sample district, by id.
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

    /// Supervision, which acts unasked: over [`Self::service_ways`] it is believed.
    ///
    /// # Panics
    /// When no context can be signed.
    #[must_use]
    pub fn service(&self) -> Client {
        let name = Service::Supervision.name();
        let key = ContextKey::open_or_create(&self.plan.config.context_key()).expect("a key");
        let context = key.context(name, &Caller::system(name));
        let context = context.expect("a context");
        self.public.with(&context).expect("a client")
    }

    /// A person's ways to all services, each with these settings.
    ///
    /// # Panics
    /// When the plan names no addresses.
    #[must_use]
    pub fn ways(&self, settings: impl Fn(Settings) -> Settings) -> Ways {
        Ways::to(&self.plan, &self.plan.config.tls, settings)
    }

    /// The same with supervision's certificate.
    ///
    /// # Panics
    /// When the plan names no addresses.
    #[must_use]
    pub fn service_ways(&self, settings: impl Fn(Settings) -> Settings) -> Ways {
        let files = self.plan.config_of(Service::Supervision).tls;
        Ways::to(&self.plan, &files, settings)
    }

    /// A connection to the database of a service, beside its processes.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn database(&self, service: Service) -> DatabaseConnection {
        let url = self.plan.database_of(service);
        let schema = format!("options=-csearch_path%3D{}", service.name());
        Connections::connect(format!("{url}?{schema}"))
            .await
            .expect("a database")
    }

    /// Ends all processes, at the same time, and removes what they stored.
    ///
    /// # Panics
    /// When a database cannot be removed.
    pub async fn end(mut self) {
        let mut members = std::mem::take(&mut self.members);
        for member in &mut members {
            member.continue_if_stopped();
        }
        let ends = members.iter_mut().map(Member::end);
        futures::future::join_all(ends).await;
        let db = Connections::connect(&self.server)
            .await
            .expect("postgresql");
        let base = self.plan.database_of(Service::Directory);
        let base = base.trim_end_matches("_directory");
        let urls = Service::ALL.map(|service| self.plan.database_of(service));
        for url in urls.iter().map(String::as_str).chain([base]) {
            let (_, name) = url.rsplit_once('/').expect("a URL with a database");
            db.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
                .await
                .expect("dropped");
        }
    }
}

impl Drop for Cluster {
    /// A test that fails shows what the processes said last; the processes themselves end with what holds them.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for member in &self.members {
                eprintln!("--- {}\n{}", member.replica().name(), member.log());
            }
        }
    }
}
