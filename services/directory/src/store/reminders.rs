//! Who is to be reminded of an entitlement, and who was (BB-4.2c). Days of birth are here as keyed hashes alone, and only
//! of applicants that want to be reminded.

use bangban_kit::{page::Page, scope::Scope};
use bangban_store::{Error, Store, act};
use sea_orm::{
    ConnectionTrait, QueryOrder as _, QuerySelect as _, Statement, Value, entity::prelude::*,
};

use crate::domain::{acts, entitlement};

/// Kind of the lookups that lead from a day of birth to applicants.
pub const BIRTHDAY: &str = "birthday";

/// Applicants with any of these hashes of their day of birth, for whom the item was not noted yet.
///
/// # Errors
/// The database's.
pub async fn due(
    store: &Store,
    scope: &Scope,
    item: &str,
    births: Vec<String>,
) -> Result<Vec<String>, Error> {
    let (before, after) = entitlement::around(item);
    let births = births.into_iter().map(Value::from);
    let first = [scope.district(), BIRTHDAY, &before, &after].map(Value::from);
    let places: Vec<String> = (1..=births.len())
        .map(|n| format!("${}", n + first.len()))
        .collect();
    // Ids are ordered by bytes, the log's subjects as the database orders: its index serves its own order alone.
    let order = if store.is_postgres() {
        "COLLATE \"default\""
    } else {
        ""
    };
    let sql = format!(
        "SELECT l.id FROM lookups l WHERE l.district = $1 AND l.kind = $2 AND l.value IN ({})
         AND NOT EXISTS (SELECT 1 FROM acts a WHERE a.district = $1 AND a.number = 1
                         AND a.subject = ($3 || l.id || $4) {order})
         ORDER BY l.id",
        places.join(", ")
    );
    let query = Statement::from_sql_and_values(store.backend, sql, first.into_iter().chain(births));
    let rows = store.rows(query).await?;
    rows.iter()
        .map(|r| r.try_get_by_index(0).map_err(Error::from))
        .collect()
}

/// A page of what was noted, newest first, for applicants that still want to be reminded; one more when there are more.
///
/// # Errors
/// The database's.
pub async fn page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    page: &Page,
) -> Result<Vec<act::Model>, Error> {
    // An applicant's id is a UUID behind the subject's first word.
    let from = acts::subject("applicant", "").len() + 1;
    let still_wants = format!(
        "EXISTS (SELECT 1 FROM lookups l WHERE l.district = acts.district AND l.kind = '{BIRTHDAY}'
                 AND l.id = substr(acts.subject, {from}, 36))"
    );
    let mut find = act::Entity::find()
        .filter(act::Column::District.eq(scope.district()))
        .filter(act::Column::Kind.eq(acts::NEAR))
        .filter(Expr::cust(still_wants));
    if let Some(before) = page.after.first().and_then(|p| p.parse::<i64>().ok()) {
        find = find.filter(act::Column::Position.lt(before));
    }
    Ok(find
        .order_by_desc(act::Column::Position)
        .limit(page.size + 1)
        .all(db)
        .await?)
}
