//! Cases whose clocks were counted by an older calendar (BX-3).

use bangban_store::{Error, Store};
use sea_orm::{ConnectionTrait as _, Statement, Value};

/// Open cases whose clocks were counted by an older calendar: district and id.
///
/// # Errors
/// The database's.
pub async fn outdated(store: &Store, limit: i64) -> Result<Vec<(String, String)>, Error> {
    let sql = "SELECT s.district, s.id FROM calendars c JOIN cases s ON s.district = c.district \
               AND s.calendar_revision < c.revision AND s.ended_at_us IS NULL AND s.due_at_us IS NOT NULL LIMIT $1";
    store.pairs(sql, [limit.into()]).await
}

/// The clocks of a case stay as they are under the district's calendar: remembers that, unless the case has changed.
///
/// # Errors
/// The database's.
pub async fn unmoved(
    store: &Store,
    (district, case): (&str, &str),
    version: u64,
    revision: i64,
) -> Result<(), Error> {
    let sql =
        "UPDATE cases SET calendar_revision = $1 WHERE district = $2 AND id = $3 AND version = $4";
    let values: [Value; 4] = [
        revision.into(),
        district.into(),
        case.into(),
        i64::try_from(version).unwrap_or(i64::MAX).into(),
    ];
    store
        .db
        .execute_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    Ok(())
}
