//! What can go wrong between us and a database, and which of it may be tried again.

use std::time::Duration;

use bangban_kit::refusal::{Kind, Refusal};
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command cannot be done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody else changed the row since it was read: decide again.
    #[error("the row has changed since it was read")]
    Conflict,
    /// A unique key is taken: names the constraint or its columns.
    #[error("a unique key is taken: {0}")]
    Taken(String),
    /// The database.
    #[error(transparent)]
    Database(DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(what)) => Self::Taken(what),
            _ => Self::Database(error),
        }
    }
}

impl Error {
    /// Whether doing the same again may succeed: a conflict, a serialisation failure, a busy file.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Conflict => true,
            Self::Database(error) => matches!(
                code(error).as_deref(),
                // PostgreSQL: serialisation failure, deadlock. SQLite: BUSY, LOCKED, BUSY_SNAPSHOT.
                Some("40001" | "40P01" | "5" | "6" | "517" | "261")
            ),
            Self::Refused(_) | Self::Taken(_) => false,
        }
    }
}

/// The database's own code of an error.
pub(crate) fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))
    | DbErr::Conn(RuntimeErr::SqlxError(inner))) = error
    else {
        return None;
    };
    inner
        .as_database_error()?
        .code()
        .map(|code| code.into_owned())
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal,
            Error::Conflict => Refusal::new(
                Kind::Stale,
                "CHANGED_MEANWHILE",
                "",
                "该记录刚被他人修改，请刷新后重试",
                "somebody else has just changed this: read it again",
            ),
            Error::Taken(what) => {
                tracing::warn!(%what, "a unique key was taken that no rule foresaw");
                Refusal::exists("ALREADY_EXISTS", "", "该记录已存在", "it exists already")
            }
            Error::Database(error) if is_down(&error) => {
                tracing::warn!(%error, "the database cannot be reached, or has broken off what was asked");
                Refusal::new(
                    Kind::Unavailable,
                    "DATABASE_UNAVAILABLE",
                    "",
                    "数据库暂时不可用，请稍后重试",
                    "the database cannot be reached at the moment: try again",
                )
                .retry_after(Duration::from_secs(1))
            }
            Error::Database(error) => Refusal::internal(error),
        }
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        Refusal::from(error).into()
    }
}

/// Whether a statement broke itself off ([`crate::together`]).
pub(crate) fn is_division_by_zero(error: &DbErr) -> bool {
    code(error).as_deref() == Some("22012")
}

/// Whether the database cannot be reached, or went away under a statement, of which nobody knows then whether it was done, or
/// has broken a transaction off, of which nothing is left.
pub(crate) fn is_down(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_))
        || matches!(
            error,
            DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner))
                if matches!(**inner, sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::PoolTimedOut)
        )
        || code(error).is_some_and(|code| {
            // 25P03: the transaction stood still for longer than our own bound, and was ended with its connection.
            code.starts_with("08")
                || code.starts_with("57P")
                || matches!(code.as_str(), "53300" | "25P03")
        })
}

/// Runs `attempt` again while it fails in passing, up to eight times with a growing random pause.
///
/// # Errors
/// The last error.
pub async fn retried<T>(mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = Duration::from_millis(2);
    for _ in 0..7 {
        match attempt().await {
            Err(error) if error.is_passing() => {
                tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
                pause = (pause * 2).min(Duration::from_millis(100));
            }
            done => return done,
        }
    }
    attempt().await
}
