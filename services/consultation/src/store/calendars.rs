//! Consultations whose clocks were counted by an older calendar (BX-3).

use bangban_store::{Error, Store};
use sea_orm::{ConnectionTrait as _, Statement, Value};

use super::due::Key;

/// Consultations with a running clock that was counted by an older calendar.
///
/// # Errors
/// The database's.
pub async fn outdated(store: &Store, limit: i64) -> Result<Vec<Key>, Error> {
    let sql = "SELECT s.district, s.id FROM calendars c JOIN consultations s ON s.district = c.district \
               AND s.calendar_revision < c.revision AND s.next_due_at_us IS NOT NULL LIMIT $1";
    store.pairs(sql, [limit.into()]).await
}

/// The clocks of a consultation stay as they are under the district's calendar: remembers that, unless it has changed.
///
/// # Errors
/// The database's.
pub async fn unmoved(
    store: &Store,
    (district, id): (&str, &str),
    version: u64,
    revision: i64,
) -> Result<(), Error> {
    let sql = "UPDATE consultations SET calendar_revision = $1 WHERE district = $2 AND id = $3 AND version = $4";
    let values: [Value; 4] = [
        revision.into(),
        district.into(),
        id.into(),
        i64::try_from(version).unwrap_or(i64::MAX).into(),
    ];
    store
        .db
        .execute_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    Ok(())
}
