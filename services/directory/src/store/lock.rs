//! One import of regions at a time in an installation, whichever process runs it.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use bangban_kit::refusal::Refusal;
use bangban_store::{Error, Store};
use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, PgConnection},
};

/// Key of PostgreSQL's advisory lock: "regions" as a number.
const KEY: i64 = 0x72_65_67_69_6f_6e_73;

/// Held until it is given back, and lost with the process: by a session of PostgreSQL outside the pool, whose end gives
/// it back whatever happened, or by a file beside SQLite's.
pub enum Lock {
    Session(Box<PgConnection>),
    File(File),
}

impl Lock {
    /// Gives it back: who asks next has it. Its end alone would do, but only once the server has seen that of the
    /// session, and once no process that is just being started holds a copy of the file.
    pub async fn give_back(self) {
        let given = match self {
            Self::File(file) => file.unlock().map_err(sqlx::Error::Io),
            Self::Session(mut session) => {
                let unlock = sqlx::query("SELECT pg_advisory_unlock($1)").bind(KEY);
                unlock.execute(&mut *session).await.map(drop)
            }
        };
        if let Err(error) = given {
            tracing::warn!(%error, "the lock of imports ends with its holder");
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
        return Ok(is_ours.then(|| Lock::Session(Box::new(session))));
    }
    let file = File::create(data.join("directory.regions.lock")).map_err(Refusal::internal)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock::File(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Refusal::internal(error).into()),
    }
}

fn database(error: sqlx::Error) -> Error {
    DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()
}
