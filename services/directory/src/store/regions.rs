//! The region tree: data sets of which one is in force. Reference data outside any district.

use bangban_kit::page::Page;
use bangban_store::{Error, Store, Transaction, error::retried, write};
use sea_orm::{ConnectionTrait, Statement, Value};

use crate::domain::regions::Region;

/// Rows that are written in one transaction.
const CHUNK: usize = 2000;

/// Rows of one statement: three values each, under the limits of both databases.
const ROWS: usize = 500;

const ACTIVE: &str = "r.data_set = (SELECT id FROM region_data_sets WHERE is_active)";

fn statement(
    store: &Store,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(store.backend, sql, values)
}

/// A region of the data set in force, with that data set.
///
/// # Errors
/// The database's.
pub async fn get(store: &Store, code: &str) -> Result<Option<(Region, String)>, Error> {
    let sql = format!(
        "SELECT r.code, r.name, r.parent, r.data_set FROM regions r WHERE {ACTIVE} AND r.code = $1"
    );
    let row = store.row(statement(store, sql, [code.into()])).await?;
    row.map(|r| read(&r)).transpose()
}

/// A page of the regions below one, by code; one more when there are more.
///
/// # Errors
/// The database's.
pub async fn below(
    store: &Store,
    parent: &str,
    page: &Page,
) -> Result<Vec<(Region, String)>, Error> {
    let sql = format!(
        "SELECT r.code, r.name, r.parent, r.data_set FROM regions r
         WHERE {ACTIVE} AND r.parent = $1 AND r.code > $2 ORDER BY r.code LIMIT $3"
    );
    let after = page.after.first().cloned().unwrap_or_default();
    let most = i64::try_from(page.size + 1).unwrap_or(i64::MAX);
    let rows = store
        .rows(statement(
            store,
            sql,
            [parent.into(), after.into(), most.into()],
        ))
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &sea_orm::QueryResult) -> Result<(Region, String), Error> {
    let region = Region {
        code: row.try_get_by_index(0)?,
        name: row.try_get_by_index(1)?,
        parent: row.try_get_by_index(2)?,
    };
    Ok((region, row.try_get_by_index(3)?))
}

/// Writes a data set that is not in force yet, in short transactions.
///
/// # Errors
/// The database's.
pub async fn write(
    store: &Store,
    data_set: &str,
    regions: &[Region],
    at_us: i64,
    progress: &impl Fn(u64, u64),
) -> Result<(), Error> {
    let sql = "INSERT INTO region_data_sets (id, is_active, imported_at_us) VALUES ($1, $2, $3)";
    store
        .db
        .execute_raw(statement(
            store,
            sql,
            [data_set.into(), false.into(), at_us.into()],
        ))
        .await?;
    let mut done = 0;
    for chunk in regions.chunks(CHUNK) {
        retried(async || {
            let transaction = write::begin(&store.db).await?;
            for rows in chunk.chunks(ROWS) {
                transaction
                    .execute_raw(insert(store, data_set, rows))
                    .await?;
            }
            Ok(transaction.commit().await?)
        })
        .await?;
        done += chunk.len();
        progress(done as u64, regions.len() as u64);
    }
    Ok(())
}

fn insert(store: &Store, data_set: &str, rows: &[Region]) -> Statement {
    let mut values: Vec<Value> = Vec::with_capacity(rows.len() * 3 + 1);
    values.push(data_set.into());
    let mut places = Vec::with_capacity(rows.len());
    for region in rows {
        let at = values.len();
        places.push(format!("($1, ${}, ${}, ${})", at + 1, at + 2, at + 3));
        for value in [&region.code, &region.name, &region.parent] {
            values.push(value.into());
        }
    }
    let sql = format!(
        "INSERT INTO regions (data_set, code, name, parent) VALUES {}",
        places.join(", ")
    );
    statement(store, sql, values)
}

/// Puts a data set in force: one update of the pointer.
///
/// # Errors
/// The database's.
pub async fn activate(
    store: &Store,
    transaction: &Transaction,
    data_set: &str,
) -> Result<(), Error> {
    let sql = "UPDATE region_data_sets SET is_active = (id = $1)";
    transaction
        .execute_raw(statement(store, sql, [data_set.into()]))
        .await?;
    Ok(())
}

/// Deletes what is not in force, data sets of broken imports included, in chunks.
///
/// # Errors
/// The database's.
pub async fn sweep(store: &Store) -> Result<(), Error> {
    let old = "SELECT id FROM region_data_sets WHERE NOT is_active";
    for row in store.rows(statement(store, old, [])).await? {
        let id: String = row.try_get_by_index(0)?;
        sweep_one(store, &id).await?;
        let sql = "DELETE FROM region_data_sets WHERE id = $1 AND NOT is_active";
        store
            .db
            .execute_raw(statement(store, sql, [id.into()]))
            .await?;
    }
    Ok(())
}

/// Deletes the regions of a data set from the lowest code up, so that no chunk looks at what the ones before left behind.
async fn sweep_one(store: &Store, data_set: &str) -> Result<(), Error> {
    let mut from = String::new();
    loop {
        let sql = "SELECT code FROM regions WHERE data_set = $1 AND code >= $2
                   ORDER BY code LIMIT 1 OFFSET 5000";
        let values = [data_set.into(), from.clone().into()];
        let next = store.row(statement(store, sql, values)).await?;
        let Some(next) = next else { break };
        let until: String = next.try_get_by_index(0)?;
        let sql = "DELETE FROM regions WHERE data_set = $1 AND code >= $2 AND code < $3";
        let values = [data_set.into(), from.into(), until.clone().into()];
        store.db.execute_raw(statement(store, sql, values)).await?;
        from = until;
    }
    let sql = "DELETE FROM regions WHERE data_set = $1";
    let values = [data_set.into()];
    store.db.execute_raw(statement(store, sql, values)).await?;
    Ok(())
}
