//! Districts whose rules have changed, and the bookings whose due time was counted by older ones (BB-9.2b).

use bangban_store::{Error, Store, write::State};
use sea_orm::{
    ConnectionTrait as _, Statement, Value,
    sea_query::{Alias, Expr, OnConflict, Query},
};

use super::seat::long;

/// A district with new rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// District.
    pub district: String,
    /// Version of its policy.
    pub version: i64,
    /// Until when bookings are looked for, in microseconds since the epoch: a command that had read the older rules may
    /// still write some.
    pub until_us: i64,
}

/// Puts a change down, together with the policy.
#[must_use]
pub fn changed(district: &str, version: u64, until_us: i64) -> State {
    let columns = ["district", "version", "until_us"].map(Alias::new);
    let mut insert = Query::insert();
    insert
        .into_table(Alias::new("rule_changes"))
        .columns(columns.clone())
        .values_panic([
            Expr::val(district),
            Expr::val(long(version)),
            Expr::val(until_us),
        ])
        .on_conflict(
            OnConflict::column(Alias::new("district"))
                .update_columns(columns.into_iter().skip(1))
                .to_owned(),
        );
    State::Insert(insert)
}

/// Districts with new rules, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn open(store: &Store, limit: i64) -> Result<Vec<Change>, Error> {
    let sql = "SELECT district, version, until_us FROM rule_changes ORDER BY district LIMIT $1";
    let values = [limit.into()];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Change {
                district: row.try_get_by_index(0)?,
                version: row.try_get_by_index(1)?,
                until_us: row.try_get_by_index(2)?,
            })
        })
        .collect()
}

/// Bookings that have not begun and are due by older rules, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn outdated(
    store: &Store,
    change: &Change,
    now_us: i64,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let sql = "SELECT district, id FROM bookings WHERE district = $1 AND starts_us > $2 AND ruled_by < $3 \
               AND due_us IS NOT NULL ORDER BY starts_us, id LIMIT $4";
    let values = vec![
        change.district.clone().into(),
        now_us.into(),
        change.version.into(),
        limit.into(),
    ];
    let pairs = store.pairs(sql, values).await?;
    Ok(pairs.into_iter().map(|(_, id)| id).collect())
}

/// A change has reached all bookings, unless another has followed it.
///
/// # Errors
/// The database's.
pub async fn passed(store: &Store, change: &Change) -> Result<(), Error> {
    let sql = "DELETE FROM rule_changes WHERE district = $1 AND version = $2";
    let values: [Value; 2] = [change.district.clone().into(), change.version.into()];
    store
        .db
        .execute_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    Ok(())
}
