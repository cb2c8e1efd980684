//! Revisions of the districts' calendars: matters remember by which one their clocks were counted, so that those counted
//! by an older one are found (BX-3).

use bangban_store::{Error, Store};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use sea_orm_migration::prelude::{DbErr, SchemaManager};

/// Creates the tables; for a migration of the service that learns.
///
/// # Errors
/// The database's.
pub async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for statement in [
        "CREATE TABLE calendars (district text PRIMARY KEY, revision bigint NOT NULL)",
        "CREATE TABLE calendar_changes (
            district text NOT NULL, revision bigint NOT NULL, reason text NOT NULL,
            PRIMARY KEY (district, revision))",
        "CREATE TABLE learned (district text PRIMARY KEY, revision bigint NOT NULL)",
    ] {
        manager
            .get_connection()
            .execute_unprepared(statement)
            .await?;
    }
    Ok(())
}

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

/// Something was learned about a district; about all of them without one.
///
/// # Errors
/// The database's.
pub async fn learned(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    district: &str,
) -> Result<(), Error> {
    let sql = "INSERT INTO learned (district, revision) VALUES ($1, 1) \
               ON CONFLICT (district) DO UPDATE SET revision = learned.revision + 1";
    run(db, backend, sql, vec![district.into()]).await
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

/// What changed in a district's calendar after a revision, oldest first.
///
/// # Errors
/// The database's.
pub async fn reasons(store: &Store, district: &str, after: i64) -> Result<Vec<String>, Error> {
    let sql = "SELECT reason FROM calendar_changes WHERE district = $1 AND revision > $2 ORDER BY revision";
    let values: [Value; 2] = [district.into(), after.into()];
    let statement = Statement::from_sql_and_values(store.backend, sql, values);
    let rows = store.rows(statement).await?;
    rows.iter()
        .map(|row| Ok(row.try_get_by_index(0)?))
        .collect()
}
