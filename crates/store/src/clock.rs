//! The time that rules are judged by: the database's, so that all replicas agree, and in a demonstration an offset
//! that only moves forward.

use bangban_calendar::SHANGHAI;
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{Error, Store};

/// The instant at which a command is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The instant.
    pub at: DateTime<Utc>,
    /// Whether an offset is in force: then what is written is marked.
    pub is_demonstration: bool,
}

impl Now {
    /// The instant in Asia/Shanghai.
    #[must_use]
    pub fn local(&self) -> DateTime<FixedOffset> {
        self.at.with_timezone(&SHANGHAI)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn us(&self) -> i64 {
        self.at.timestamp_micros()
    }

    /// From the database's microseconds and the offset in seconds.
    #[must_use]
    pub fn from_row(us: i64, offset_seconds: i64) -> Self {
        let at =
            DateTime::from_timestamp_micros(us + offset_seconds * 1_000_000).unwrap_or_default();
        Self {
            at,
            is_demonstration: offset_seconds != 0,
        }
    }

    /// As protobuf writes it.
    #[must_use]
    pub fn timestamp(&self) -> prost_types::Timestamp {
        timestamp(self.at)
    }
}

/// An instant as protobuf writes it.
#[must_use]
pub fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

/// SQL for the database's microseconds since the epoch.
#[must_use]
pub fn now_sql(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        _ => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    }
}

impl Store {
    /// Now, by the database's clock.
    ///
    /// # Errors
    /// The database's.
    pub async fn now(&self) -> Result<Now, Error> {
        now(&self.db, self.backend).await
    }
}

/// Now, by the clock of the database behind `db`.
///
/// # Errors
/// The database's.
pub async fn now(db: &impl ConnectionTrait, backend: DbBackend) -> Result<Now, Error> {
    let sql = format!(
        "SELECT {}, offset_seconds FROM clock WHERE id = 1",
        now_sql(backend)
    );
    let row = db
        .query_one_raw(Statement::from_string(backend, sql))
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    Ok(Now::from_row(
        row.try_get_by_index(0)?,
        row.try_get_by_index(1)?,
    ))
}

/// Sets the offset, never back.
///
/// # Errors
/// The database's.
pub async fn set_offset(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    seconds: i64,
) -> Result<(), Error> {
    db.execute_raw(Statement::from_sql_and_values(
        backend,
        "UPDATE clock SET offset_seconds = $1 WHERE id = 1 AND offset_seconds < $1",
        [seconds.into()],
    ))
    .await?;
    Ok(())
}
