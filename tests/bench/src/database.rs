//! Databases of our own on the server that `DATABASE_URL` names. They are dropped at the end.

use bangban::failure::Failure;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database as Connections, DatabaseConnection};
use uuid::Uuid;

/// A new, empty database.
pub struct Database {
    /// Where it is.
    pub url: String,
    name: String,
    server: DatabaseConnection,
}

fn failed(what: &str) -> impl Fn(sea_orm::DbErr) -> Failure {
    move |error| Failure::of(what, &error)
}

/// A connection, for statements that are ours.
pub async fn connect(url: &str) -> Result<DatabaseConnection, Failure> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Connections::connect(options)
        .await
        .map_err(failed("PostgreSQL cannot be reached; look at DATABASE_URL"))
}

impl Database {
    /// Makes one.
    pub async fn create() -> Result<Self, Failure> {
        let url = std::env::var("DATABASE_URL").map_err(|_| {
            Failure::new("there is no DATABASE_URL: `make bench` starts a PostgreSQL and sets it.")
        })?;
        let server = connect(&url).await?;
        let name = format!("bangban_bench_{}", Uuid::now_v7().simple());
        let (rest, _) = url
            .rsplit_once('/')
            .ok_or_else(|| Failure::new("DATABASE_URL names no database"))?;
        server
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .map_err(failed("no database can be made; the user needs CREATEDB"))?;
        Ok(Self {
            url: format!("{rest}/{name}"),
            name,
            server,
        })
    }

    /// Drops it, whoever is still connected.
    pub async fn drop(self) -> Result<(), Failure> {
        self.server
            .execute_unprepared(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
            .map(|_| ())
            .map_err(failed("a database of this measurement is left behind"))
    }
}
