//! What a service's main table is counted for, now and then: how many records somebody waits for, by state, and how many
//! of them are due soon or overdue. An index of what is open leads there, however much has been filed away.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bangban_telemetry::gauges::{self, Gauge};
use sea_orm::Statement;
use tokio_util::sync::CancellationToken;

use crate::{Error, Store};

/// Counting takes at most this part of the time: where a great many are open it is done less often.
const PART: u32 = 100;

/// What is counted of a table.
#[derive(Debug)]
pub struct Figures {
    /// The table; it has the columns `district` and `state`.
    pub table: &'static str,
    /// The condition of what is open, as its partial index has it.
    pub open: &'static str,
    /// The column with the next due time, in microseconds since the epoch.
    pub due: &'static str,
    /// How long before it something is due soon.
    pub soon: Duration,
    /// The states of what is open, with their names.
    pub states: &'static [(i32, &'static str)],
    /// Shows how many are open, by state.
    pub by_state: Gauge,
    /// Shows how many are due soon, by district.
    pub due_soon: Gauge,
    /// Shows how many are overdue, by district.
    pub overdue: Gauge,
}

/// Counts until `stop`; not at all when nobody reads metrics.
pub async fn run(store: Store, figures: &'static Figures, stop: CancellationToken) {
    let Some(every) = gauges::every() else { return };
    loop {
        let began = Instant::now();
        if let Err(error) = count(&store, figures).await {
            tracing::warn!(service = store.service, %error, "what is open could not be counted; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every.max(began.elapsed() * PART)) => {}
        }
    }
}

/// Counts once.
///
/// # Errors
/// The database's.
pub async fn count(store: &Store, figures: &'static Figures) -> Result<(), Error> {
    let now = store.now().await?.us();
    let soon = i64::try_from(figures.soon.as_micros()).unwrap_or(i64::MAX);
    let Figures {
        table, open, due, ..
    } = figures;
    let sql = format!(
        "SELECT district, state, count(*), sum(CASE WHEN {due} < $1 THEN 1 ELSE 0 END), \
         sum(CASE WHEN {due} >= $1 AND {due} < $2 THEN 1 ELSE 0 END) FROM {table} WHERE {open} GROUP BY district, state"
    );
    let values = [now.into(), now.saturating_add(soon).into()];
    let statement = Statement::from_sql_and_values(store.backend, sql, values);
    let mut by_state: BTreeMap<i32, i64> = figures.states.iter().map(|(n, _)| (*n, 0)).collect();
    let (mut due_soon, mut overdue) = (Vec::new(), Vec::new());
    for row in store.rows(statement).await? {
        let district: String = row.try_get_by_index(0)?;
        *by_state.entry(row.try_get_by_index(1)?).or_default() += row.try_get_by_index::<i64>(2)?;
        let count = |column| Ok::<_, Error>(row.try_get_by_index::<i64>(column)? as f64);
        overdue.push((district.clone(), count(3)?));
        due_soon.push((district, count(4)?));
    }
    let named = by_state.into_iter().map(|(number, count)| {
        let name = figures.states.iter().find(|(n, _)| *n == number);
        let name = name.map_or(gauges::OTHER, |(_, name)| name);
        (vec![("state", name.to_owned())], count as f64)
    });
    figures.by_state.replace(named);
    figures.due_soon.replace(gauges::by_district(due_soon));
    figures.overdue.replace(gauges::by_district(overdue));
    Ok(())
}
