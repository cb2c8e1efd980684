//! What directory's feed has changed of the plans of days: calendars, and when sites are open. Each change is carried out
//! site after site; how far it came stands beside it, so that a restart goes on from there (BB-9.2b).

use bangban_store::{Error, Store};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

/// Most changes that are looked at together.
const MOST: i64 = 500;

/// A change that is not carried out everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number: later ones have higher ones.
    pub number: i64,
    /// Which sites it touches.
    pub whose: Whose,
    /// Why days are others by it.
    pub reason: String,
    /// The last site in which it was carried out: district and id.
    pub behind: (String, String),
}

/// Which days a change touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whose {
    /// District; empty for all.
    pub district: String,
    /// Site; empty for all of the district.
    pub site: String,
    /// First day, YYYY-MM-DD.
    pub first: String,
    /// Last day.
    pub last: String,
}

impl Whose {
    /// Whether a day (YYYY-MM-DD) of a site is one of them.
    #[must_use]
    pub fn has(&self, district: &str, site: &str, date: &str) -> bool {
        (self.district.is_empty() || self.district == district)
            && (self.site.is_empty() || self.site == site)
            && self.first.as_str() <= date
            && date <= self.last.as_str()
    }
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

/// Puts a change down, within the transaction that takes it in. It is carried out from [`ready`] on.
///
/// # Errors
/// The database's.
pub async fn changed(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    whose: Whose,
    reason: String,
) -> Result<(), Error> {
    let sql = "UPDATE gate SET plan_changes = plan_changes + 1 WHERE id = 1";
    run(db, backend, sql, Vec::new()).await?;
    let sql = "INSERT INTO plan_changes \
               (number, district, site, first, last, reason, is_ready, behind_district, behind_site) \
               SELECT plan_changes, $1, $2, $3, $4, $5, 0, '', '' FROM gate WHERE id = 1";
    let values = vec![
        whose.district.into(),
        whose.site.into(),
        whose.first.into(),
        whose.last.into(),
        reason.into(),
    ];
    run(db, backend, sql, values).await
}

/// All that directory's log held is taken in: the changes that were put down can be carried out.
///
/// # Errors
/// The database's.
pub async fn ready(db: &impl ConnectionTrait, backend: DbBackend) -> Result<(), Error> {
    let sql = "UPDATE plan_changes SET is_ready = 1 WHERE is_ready = 0";
    run(db, backend, sql, Vec::new()).await
}

/// Forgets the changes of a log that begins anew, by which every day may be another.
///
/// # Errors
/// The database's.
pub async fn anew(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    reason: String,
) -> Result<(), Error> {
    run(db, backend, "DELETE FROM plan_changes", Vec::new()).await?;
    let all = Whose {
        last: "9999".to_owned(),
        ..Whose::default()
    };
    changed(db, backend, all, reason).await
}

/// Whether a site has days to compare, now that it is known again: a log that begins anew may say so only after the
/// change of [`anew`] was carried out, which passed the site by.
///
/// # Errors
/// The database's.
pub async fn was_passed_by(
    db: &impl ConnectionTrait,
    backend: DbBackend,
    district: &str,
    site: &str,
) -> Result<bool, Error> {
    // What is not ready has not begun: it comes to the site by itself.
    let sql = "SELECT 1 FROM capacity WHERE district = $1 AND id = $2 AND NOT EXISTS \
               (SELECT 1 FROM plan_changes WHERE is_ready = 0 AND district = '' AND first = '')";
    let values = [district.into(), site.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(db.query_one_raw(statement).await?.is_some())
}

/// The number of the last change. Whoever plans reads it before anything else.
///
/// # Errors
/// The database's.
pub async fn as_of(store: &Store) -> Result<i64, Error> {
    let sql = "SELECT plan_changes FROM gate WHERE id = 1";
    let row = store
        .row(Statement::from_string(store.backend, sql))
        .await?
        .ok_or_else(|| bangban_kit::refusal::Refusal::internal("the gate has no row"))?;
    Ok(row.try_get_by_index(0)?)
}

/// The changes that can be carried out and are not, oldest first.
///
/// # Errors
/// The database's.
pub async fn open(store: &Store) -> Result<Vec<Change>, Error> {
    let sql = "SELECT number, district, site, first, last, reason, behind_district, behind_site FROM plan_changes \
               WHERE is_ready = 1 ORDER BY number LIMIT $1";
    let values = [MOST.into()];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Change {
                number: row.try_get_by_index(0)?,
                whose: Whose {
                    district: row.try_get_by_index(1)?,
                    site: row.try_get_by_index(2)?,
                    first: row.try_get_by_index(3)?,
                    last: row.try_get_by_index(4)?,
                },
                reason: row.try_get_by_index(5)?,
                behind: (row.try_get_by_index(6)?, row.try_get_by_index(7)?),
            })
        })
        .collect()
}

/// The next sites that a change touches: district and id, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn sites(
    store: &Store,
    change: &Change,
    limit: i64,
) -> Result<Vec<(String, String)>, Error> {
    let mut sql =
        "SELECT district, id FROM capacity WHERE id <> '' AND (district, id) > ($1, $2)".to_owned();
    let mut values: Vec<Value> = vec![
        change.behind.0.clone().into(),
        change.behind.1.clone().into(),
    ];
    for (column, only) in [
        ("district", &change.whose.district),
        ("id", &change.whose.site),
    ] {
        if !only.is_empty() {
            values.push(only.clone().into());
            sql.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    values.push(limit.into());
    sql.push_str(&format!(" ORDER BY district, id LIMIT ${}", values.len()));
    store.pairs(&sql, values).await
}

/// Remembers that a change was carried out up to a site; without one, everywhere. Another replica may have been faster.
///
/// # Errors
/// The database's.
pub async fn passed(
    store: &Store,
    change: &Change,
    site: Option<&(String, String)>,
) -> Result<(), Error> {
    let Some((district, site)) = site else {
        let sql = "DELETE FROM plan_changes WHERE number = $1";
        return run(&store.db, store.backend, sql, vec![change.number.into()]).await;
    };
    let sql = "UPDATE plan_changes SET behind_district = $1, behind_site = $2 \
               WHERE number = $3 AND behind_district = $4 AND behind_site = $5";
    let values = vec![
        district.clone().into(),
        site.clone().into(),
        change.number.into(),
        change.behind.0.clone().into(),
        change.behind.1.clone().into(),
    ];
    run(&store.db, store.backend, sql, values).await
}
