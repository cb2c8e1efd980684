//! Connections for single statements on PostgreSQL: kept open, handed from one statement to the next.
//!
//! sqlx's own pool asks a connection whether it lives each time it is put back, which makes two round trips of every
//! statement. Most commands are nothing but two single statements: what those cost is what a command costs.
//! Transactions stay on the pool.

use std::time::Duration;

use bangban_telemetry::sql::{Database, Place};
use deadpool::managed::{self, Metrics, Pool, PoolError, QueueMode, RecycleError, Timeouts};
use sea_orm::{
    ConnAcquireErr, DbErr, QueryResult, RuntimeErr, Statement, Values,
    sqlx::{
        AssertSqlSafe, ConnectOptions as _, Connection as _, Error, IntoArguments, Postgres,
        postgres::{PgArguments, PgConnectOptions, PgConnection},
        query_with,
    },
};
use sea_query_sqlx::SqlxValues;

use crate::traced::told;

/// A connection that was not used for so long is asked whether it lives.
const ASKED_AFTER: Duration = Duration::from_secs(5);

/// A connection that is so old is replaced, so that what a server process gathers does not stay for ever.
const OLDEST: Duration = Duration::from_secs(1800);

/// The connections.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pool: Pool<Opener>,
    database: Database,
}

/// How a connection is opened and looked at.
#[derive(Debug)]
pub(crate) struct Opener(PgConnectOptions);

/// A connection, and whether the last statement on it was heard out to its end.
#[derive(Debug)]
pub(crate) struct Lane {
    connection: PgConnection,
    is_idle: bool,
}

impl managed::Manager for Opener {
    type Type = Lane;
    type Error = Error;

    async fn create(&self) -> Result<Lane, Error> {
        // What is rare has a place of its own, so that getting a connection is small.
        let connection = Box::pin(self.0.connect()).await?;
        Ok(Lane {
            connection,
            is_idle: true,
        })
    }

    async fn recycle(&self, lane: &mut Lane, metrics: &Metrics) -> managed::RecycleResult<Error> {
        // The caller of a statement went away, or the connection broke under it.
        if !lane.is_idle {
            return Err(RecycleError::message("a statement was left behind"));
        }
        if metrics.age() > OLDEST {
            return Err(RecycleError::message("too old"));
        }
        if metrics.last_used() > ASKED_AFTER {
            Box::pin(lane.connection.ping()).await?;
        }
        Ok(())
    }
}

impl Lanes {
    /// At most `most` connections, of which none is opened before it is needed.
    pub(crate) fn new(
        options: PgConnectOptions,
        most: usize,
        patience: Duration,
        database: Database,
    ) -> Result<Self, DbErr> {
        let pool = Pool::builder(Opener(options.disable_statement_logging()))
            .max_size(most)
            // The one that was used last: its server process is still in the processor's cache.
            .queue_mode(QueueMode::Lifo)
            .runtime(deadpool::Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(patience),
                create: Some(patience),
                recycle: Some(patience),
            })
            .build()
            .map_err(|e| DbErr::Custom(e.to_string()))?;
        Ok(Self { pool, database })
    }

    /// What one statement answers.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let values = SqlxValues(statement.values.unwrap_or_else(|| Values(Vec::new())));
        let arguments = IntoArguments::<Postgres>::into_arguments(values);
        let statement_told = self.database.statement(&statement.sql);
        told(statement_told, self.answers(statement.sql, arguments)).await
    }

    /// What one statement answers to those who asked, as many as `asked`, of whom these wait in traces that are recorded.
    pub(crate) async fn answers_to(
        &self,
        places: &[Place],
        asked: usize,
        sql: String,
        arguments: PgArguments,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.database.together(&sql, places, asked);
        told(statement, self.answers(sql, arguments)).await
    }

    async fn answers(
        &self,
        sql: String,
        arguments: PgArguments,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let mut lane = self.pool.get().await.map_err(unavailable)?;
        lane.is_idle = false;
        let answered = query_with::<Postgres, _>(AssertSqlSafe(sql), arguments)
            .fetch_all(&mut lane.connection)
            .await;
        lane.is_idle = answered.as_ref().map_or_else(is_only_refused, |_| true);
        if !lane.is_idle {
            // The server goes or has gone: the others are as dead as this one.
            self.pool.retain(|_, _| false);
        }
        let rows = answered.map_err(|e| DbErr::Query(RuntimeErr::SqlxError(e.into())))?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }
}

/// Whether the server refused the statement and keeps the connection; class 57P are its own ends.
fn is_only_refused(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    code.is_some_and(|code| !code.starts_with("57P"))
}

fn unavailable(error: PoolError<Error>) -> DbErr {
    match error {
        PoolError::Backend(error) => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
        _ => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
    }
}
