//! Revisions of the districts' calendars, and the cases whose clocks were counted by an older one (BX-3).

use bangban_store::{Error, Store};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

async fn run(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    sql: &str,
    values: Vec<Value>,
) -> Result<(), Error> {
    db.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}

/// A district begins with revision 0.
///
/// # Errors
/// The database's.
pub async fn begin(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    district: &str,
) -> Result<(), Error> {
    let sql = "INSERT INTO calendars (district, revision) VALUES ($1, 0) ON CONFLICT DO NOTHING";
    run(db, backend, sql, vec![district.into()]).await
}

/// The calendar of a district changed; of every district without one.
///
/// # Errors
/// The database's.
pub async fn changed(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    district: Option<&str>,
    reason: &str,
) -> Result<(), Error> {
    let mut values = Vec::new();
    let mut which = "";
    if let Some(district) = district {
        begin(db, backend, district).await?;
        which = " WHERE district = $1";
        values.push(Value::from(district));
    }
    let sql = format!("UPDATE calendars SET revision = revision + 1{which}");
    run(db, backend, &sql, values.clone()).await?;
    values.push(reason.into());
    let sql = format!(
        "INSERT INTO calendar_changes (district, revision, reason) \
         SELECT district, revision, ${} FROM calendars{which}",
        values.len()
    );
    run(db, backend, &sql, values).await
}

/// Open cases whose clocks were counted by an older calendar: district and id.
///
/// # Errors
/// The database's.
pub async fn outdated(store: &Store, limit: i64) -> Result<Vec<(String, String)>, Error> {
    let sql = "SELECT s.district, s.id FROM calendars c JOIN cases s ON s.district = c.district \
               AND s.calendar_revision < c.revision AND s.due_at_us IS NOT NULL LIMIT $1";
    let statement = Statement::from_sql_and_values(store.backend, sql, [limit.into()]);
    let rows = store.db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}

/// What changed in a district's calendar after a revision, oldest first.
///
/// # Errors
/// The database's.
pub async fn reasons(store: &Store, district: &str, after: i64) -> Result<Vec<String>, Error> {
    let sql = "SELECT reason FROM calendar_changes WHERE district = $1 AND revision > $2 ORDER BY revision";
    let values: [Value; 2] = [district.into(), after.into()];
    let statement = Statement::from_sql_and_values(store.backend, sql, values);
    let rows = store.db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok(row.try_get_by_index(0)?))
        .collect()
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
    let values = vec![
        revision.into(),
        district.into(),
        case.into(),
        i64::try_from(version).unwrap_or(i64::MAX).into(),
    ];
    run(&store.db, store.backend, sql, values).await
}
