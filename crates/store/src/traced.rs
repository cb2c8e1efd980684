//! Connections whose statements are told where a trace is recorded: what they do to which tables, never a value.

use std::ops::Deref;

use bangban_telemetry::sql::{Database, Statement as Told};
use futures::FutureExt as _;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};

use crate::error;

/// A pool, or a transaction of it.
#[derive(Clone, Debug)]
pub struct Traced<C> {
    inner: C,
    database: Database,
}

/// A service's pool.
pub type Connection = Traced<DatabaseConnection>;

/// A transaction: rolled back when it is dropped.
pub type Transaction = Traced<DatabaseTransaction>;

impl<C> Traced<C> {
    pub(crate) fn new(inner: C, database: Database) -> Self {
        Self { inner, database }
    }

    fn told<T>(
        &self,
        sql: &str,
        answer: impl Future<Output = Result<T, DbErr>>,
    ) -> impl Future<Output = Result<T, DbErr>> {
        told(self.database.statement(sql), answer)
    }
}

/// Waits for the answer to a statement that is told. No `async fn`, which keeps a place for the answer it was given and
/// one more for the answer that it waits for.
pub(crate) fn told<T>(
    statement: Option<Told>,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> impl Future<Output = Result<T, DbErr>> {
    answer.map(move |answer| {
        if let Some(statement) = statement {
            statement.end(answer.as_ref().err().map(error::code));
        }
        answer
    })
}

impl Connection {
    /// Begins a transaction that means to write. SQLite takes the write lock at once: upgrading later deadlocks.
    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let begun = self.told("BEGIN", self.inner.begin_with_options(options));
        Ok(Traced::new(begun.await?, self.database))
    }
}

impl Transaction {
    /// Makes it last.
    ///
    /// # Errors
    /// The database's.
    pub async fn commit(self) -> Result<(), DbErr> {
        let statement = self.database.statement("COMMIT");
        told(statement, self.inner.commit()).await
    }

    /// Undoes it.
    ///
    /// # Errors
    /// The database's.
    pub async fn rollback(self) -> Result<(), DbErr> {
        let statement = self.database.statement("ROLLBACK");
        told(statement, self.inner.rollback()).await
    }
}

impl<C> Deref for Traced<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.inner
    }
}

#[async_trait::async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Traced<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let told = self.database.statement(&statement.sql);
        self::told(told, self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.told(sql, self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let told = self.database.statement(&statement.sql);
        self::told(told, self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let told = self.database.statement(&statement.sql);
        self::told(told, self.inner.query_all_raw(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.inner.support_returning()
    }
}
