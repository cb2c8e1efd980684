//! Connects a service to its database: a file of SQLite, or a schema of PostgreSQL.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bangban_kit::{config, refusal::Refusal};
use bangban_telemetry::sql;
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DbBackend, DbErr, QueryResult, RuntimeErr,
    Statement, sqlx::postgres::PgConnectOptions,
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::{Notify, watch};

use crate::{
    Connection, Error, Position, adopt, lanes::Lanes, migrate, question::Askers, queue::Queue,
    together::Writer, traced::Traced,
};

/// Connections that a SQLite file gets at most: one writes at a time, the others read.
const SQLITE_CONNECTIONS: u32 = 4;

/// A service's database, and what wakes those who wait for it.
#[derive(Clone, Debug)]
pub struct Store {
    /// The connection pool.
    pub db: Connection,
    /// Which database it is.
    pub backend: DbBackend,
    /// The service whose store it is.
    pub service: &'static str,
    lanes: Option<Lanes>,
    pub(crate) point: Option<Lanes>,
    pub(crate) askers: Askers,
    pub(crate) writers: Arc<Queue<Writer>>,
    pub(crate) incarnation: Arc<str>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) seen: Arc<Mutex<HashMap<String, watch::Sender<Option<Position>>>>>,
}

impl Store {
    /// Connects, brings the tables up to date when the configuration says so, else checks that they are.
    ///
    /// # Errors
    /// When the database cannot be reached, its tables are older or newer than this program, or its log was restored from
    /// another PostgreSQL and nobody has migrated since.
    pub async fn open<M: MigratorTrait>(
        service: &'static str,
        config: &config::Config,
    ) -> Result<Self, Error> {
        if config.database.migrate {
            migrate::up::<M>(service, config).await?;
        }
        let db = Database::connect(options(service, config, false)).await?;
        let backend = db.get_database_backend();
        migrate::check::<M>(&db, service).await?;
        if adopt::is_from_elsewhere(&db).await? {
            return Err(from_elsewhere(service).into());
        }
        let row = db
            .query_one_raw(Statement::from_string(
                backend,
                "SELECT incarnation FROM log WHERE id = 1",
            ))
            .await?
            .ok_or_else(|| DbErr::RecordNotFound("the log has no incarnation".to_owned()))?;
        let incarnation: String = row.try_get_by_index(0)?;
        let database = sql::Database {
            system: match backend {
                DbBackend::Postgres => "postgresql",
                _ => "sqlite",
            },
            namespace: service,
        };
        Ok(Self {
            db: Traced::new(db, database),
            backend,
            service,
            lanes: lanes(database, config, &[("jit", "off")], 2)?,
            point: lanes(database, config, POINT, 1)?,
            askers: Askers::default(),
            writers: Arc::default(),
            incarnation: incarnation.into(),
            wake: Arc::new(Notify::new()),
            seen: Arc::default(),
        })
    }

    /// What a single statement answers. What needs more than one is a transaction on [`Store::db`].
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.lanes {
            // In a place of its own: whoever awaits this is as large as all that it awaits.
            Some(lanes) => Box::pin(lanes.rows(statement)).await,
            None => self.db.query_all_raw(statement).await,
        }
    }

    /// The one row that a single statement answers, if any.
    ///
    /// # Errors
    /// The database's.
    pub async fn row(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Whether it is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    /// A position in this service's own log.
    #[must_use]
    pub fn position(&self, tx: i64, at: i64) -> Position {
        Position {
            log: self.service.to_owned(),
            incarnation: self.incarnation.to_string(),
            tx,
            at,
        }
    }
}

fn from_elsewhere(service: &str) -> Refusal {
    Refusal::precondition(
        "LOG_FROM_ELSEWHERE",
        "",
        format!("{service} 的日志来自另一个 PostgreSQL：请先运行 bangban migrate"),
        format!("the log of {service} came from another PostgreSQL: run `bangban migrate`"),
    )
}

/// How statements are planned that look rows up by their keys: never by reading a whole table, whatever the statistics of
/// a table that has just been filled say.
const POINT: &[(&str, &str)] = &[
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    // Planning for the very arrays that are given costs more than it saves.
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
];

/// Connections for single statements: so many quarters of all. The pool, for transactions, has the last quarter.
fn lanes(
    told: sql::Database,
    config: &config::Config,
    settings: &[(&str, &str)],
    quarters: u32,
) -> Result<Option<Lanes>, DbErr> {
    let database = &config.database;
    if database.url == "sqlite" {
        return Ok(None);
    }
    let options: PgConnectOptions = database
        .url
        .parse()
        .map_err(|e: sea_orm::sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(e.into())))?;
    let options = guarded(options)
        .application_name(&format!("bangban-{}", told.namespace))
        .options([("search_path", format!("\"{}\"", told.namespace))])
        .options(settings.iter().copied());
    let most = database.max_connections * quarters / 4;
    let patience = Duration::from_secs(database.acquire_seconds);
    Lanes::new(options, most.max(1) as usize, patience, told).map(Some)
}

/// How long a transaction may be left open by a process that hangs between two of its statements. It holds back every
/// reader of every feed, and whoever wants the same rows: for less time than people wait for an answer (10 s).
const LEFT_OPEN: &str = "5s";

fn guarded(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("idle_in_transaction_session_timeout", LEFT_OPEN),
        ("statement_timeout", "60s"),
    ])
}

/// How a service connects. `single` is for migrations: one connection, which holds the lock.
pub(crate) fn options(
    service: &'static str,
    config: &config::Config,
    single: bool,
) -> ConnectOptions {
    let is_sqlite = config.database.url == "sqlite";
    let url = if is_sqlite {
        format!(
            "sqlite://{}?mode=rwc",
            sqlite_file(service, &config.data).display()
        )
    } else {
        config.database.url.clone()
    };
    let mut options = ConnectOptions::new(url);
    let most = if is_sqlite {
        SQLITE_CONNECTIONS.min(config.database.max_connections)
    } else {
        (config.database.max_connections / 4).max(1)
    };
    options
        .max_connections(if single { 1 } else { most })
        .acquire_timeout(Duration::from_secs(config.database.acquire_seconds))
        // The lock of a migration lasts as long as its connection.
        .max_lifetime((!single).then_some(Duration::from_secs(1800)))
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(5))
        .record_stmt_in_spans(false)
        .sqlx_logging(false);
    if is_sqlite {
        options
            .min_connections(1)
            .idle_timeout(Duration::from_secs(60))
            .map_sqlx_sqlite_opts(|o| {
                o.pragma("journal_mode", "WAL")
                    .pragma("synchronous", "FULL")
                    .pragma("busy_timeout", "5000")
                    .pragma("foreign_keys", "ON")
                    .pragma("cache_size", "-2000")
            });
    } else {
        options
            .set_schema_search_path(service)
            .set_application_name(format!("bangban-{service}"));
        options.map_sqlx_postgres_opts(guarded);
    }
    options
}

/// The file of a service's SQLite database.
#[must_use]
pub fn sqlite_file(service: &str, data: &Path) -> std::path::PathBuf {
    data.join(format!("{service}.sqlite"))
}
