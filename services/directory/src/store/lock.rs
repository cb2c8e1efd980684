//! One import of regions at a time in an installation, whichever process runs it.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use bangban_kit::refusal::Refusal;
use bangban_store::{Error, Store};
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Key of PostgreSQL's advisory lock: "regions" as a number.
const KEY: i64 = 0x72_65_67_69_6f_6e_73;

/// Held as long as it lives, and lost with the process: by a session of PostgreSQL outside the pool, whose end gives it
/// back whatever happened, or by a file beside SQLite's.
pub struct Lock {
    _held: Box<dyn Send>,
}

impl Lock {
    fn of(held: impl Send + 'static) -> Self {
        Self {
            _held: Box::new(held),
        }
    }
}

/// Takes the lock; none when somebody else has it.
///
/// # Errors
/// The database's; INTERNAL when the data folder cannot be written.
pub async fn take(store: &Store, data: &Path) -> Result<Option<Lock>, Error> {
    if store.is_postgres() {
        let pool = store.db.get_postgres_connection_pool();
        let mut session = pool.acquire().await.map_err(database)?.detach();
        let is_ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(KEY)
            .fetch_one(&mut session)
            .await
            .map_err(database)?;
        return Ok(is_ours.then(|| Lock::of(session)));
    }
    let file = File::create(data.join("directory.regions.lock")).map_err(Refusal::internal)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock::of(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Refusal::internal(error).into()),
    }
}

fn database(error: sqlx::Error) -> Error {
    DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()
}
