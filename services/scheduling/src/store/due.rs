//! What is to be done unasked, found in the rows, oldest first.

use bangban_store::{Error, Store, clock::now_sql};
use sea_orm::{ConnectionTrait as _, QueryResult, Statement, Value};

use super::{
    key::SeatKey,
    seat::{self, Seat},
};

/// How long after its end a hold is ended at the earliest, in microseconds: a confirmation that began while it lived is
/// written first, so that a live hold always confirms (BB-9.2b).
pub const BEGUN_BEFORE: i64 = 1_000_000;

/// Where a page of what is due ended: when its last row was due, district and id. What cannot be dealt with stays due, so that
/// the next page lies behind it, and it keeps nothing else waiting.
pub type Behind = (i64, String, String);

/// Before the first page.
#[must_use]
pub fn start() -> Behind {
    (i64::MIN, String::new(), String::new())
}

/// What picks a page of rows by when they are due: the values are those of [`paged`].
fn page(due_us: &str, alias: &str) -> String {
    format!(
        "{due_us} >= $1 AND {due_us} <= $4 AND ({due_us}, {alias}district, {alias}id) > ($1, $2, $3) \
         ORDER BY {due_us}, {alias}district, {alias}id LIMIT $5"
    )
}

fn paged((due_us, district, id): &Behind, now_us: i64, limit: i64) -> [Value; 5] {
    [
        (*due_us).into(),
        district.clone().into(),
        id.clone().into(),
        now_us.into(),
        limit.into(),
    ]
}

/// Seats whose hold has ended since then and a second ago, earliest first; and until when there are no others. Appointments
/// stand among them, with the end of the hold that they were, which is why nobody begins at the beginning.
///
/// # Errors
/// The database's.
pub async fn holds(
    store: &Store,
    from_us: i64,
    now_us: i64,
    limit: i64,
) -> Result<(Vec<Seat>, i64), Error> {
    let until_us = now_us - BEGUN_BEFORE;
    // A release that knows no other column writes when a seat is free where else a hold's end stands.
    let which = "s.due_us > $1 AND s.due_us <= $2 AND s.state IN (1, 3) ORDER BY s.due_us LIMIT $3";
    let values = [from_us, until_us, limit].map(Value::from);
    let seats = seats(store, which, values).await?;
    let first = seats.first().and_then(|seat| seat.due_us);
    Ok((seats, first.map_or(until_us, |first| first - 1)))
}

/// Until when some process has looked for holds that have ended, at the least.
///
/// # Errors
/// The database's.
pub async fn swept(store: &Store) -> Result<i64, Error> {
    let sql = "SELECT swept_us FROM gate WHERE id = 1";
    let row = store
        .row(Statement::from_string(store.backend, sql))
        .await?;
    Ok(row.map_or(Ok(0), |row| row.try_get_by_index(0))?)
}

/// Puts that down.
///
/// # Errors
/// The database's.
pub async fn swept_until(store: &Store, us: i64) -> Result<(), Error> {
    let sql = "UPDATE gate SET swept_us = $1 WHERE id = 1 AND swept_us < $1";
    store
        .db
        .execute_raw(Statement::from_sql_and_values(
            store.backend,
            sql,
            [us.into()],
        ))
        .await?;
    Ok(())
}

/// Seats whose cooling is over, earliest first.
///
/// # Errors
/// The database's.
pub async fn cooled(
    store: &Store,
    behind: &Behind,
    now_us: i64,
    limit: i64,
) -> Result<Vec<Seat>, Error> {
    let which = format!("s.state = 3 AND {}", page("s.free_us", "s."));
    seats(store, &which, paged(behind, now_us, limit)).await
}

async fn seats(
    store: &Store,
    which: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<Seat>, Error> {
    let columns = seat::columns("s");
    let sql = format!("SELECT s.district, {columns} FROM seats s WHERE {which}");
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    let mut seats = Vec::new();
    for row in &rows {
        let district: String = row.try_get_by_index(0)?;
        seats.extend(Seat::read(row, 1, &district)?);
    }
    Ok(seats)
}

/// Rows of a table that are due by a column, earliest first.
async fn rows(
    store: &Store,
    (table, column): (&str, &str),
    values: [Value; 5],
) -> Result<Vec<Behind>, Error> {
    let sql = format!(
        "SELECT {column}, district, id FROM {table} WHERE {}",
        page(column, "")
    );
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
            ))
        })
        .collect()
}

/// Bookings of which something is due: a reminder, the end of the slot. With when, as all that follow.
///
/// # Errors
/// The database's.
pub async fn bookings(
    store: &Store,
    behind: &Behind,
    now_us: i64,
    limit: i64,
) -> Result<Vec<Behind>, Error> {
    rows(store, ("bookings", "due_us"), paged(behind, now_us, limit)).await
}

/// Days whose appointments are looked after, because their capacity has changed (BB-9.2b), with until when at the least:
/// at most `limit` behind a day.
///
/// # Errors
/// The database's.
pub async fn days_in_care(
    store: &Store,
    behind: &(String, String),
    limit: i64,
) -> Result<Vec<((String, String), i64)>, Error> {
    let sql = "SELECT district, id, care_until_us FROM days \
               WHERE care_until_us IS NOT NULL AND (district, id) > ($1, $2) ORDER BY district, id LIMIT $3";
    let values: [Value; 3] = [
        behind.0.clone().into(),
        behind.1.clone().into(),
        limit.into(),
    ];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    rows.iter()
        .map(|row| {
            let day = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            Ok((day, row.try_get_by_index(2)?))
        })
        .collect()
}

/// A day is looked after no more, unless it is to be for longer by now.
///
/// # Errors
/// The database's.
pub async fn care_is_over(
    store: &Store,
    (district, id): (&str, &str),
    until_us: i64,
) -> Result<(), Error> {
    let sql = "UPDATE days SET care_until_us = NULL WHERE district = $1 AND id = $2 AND care_until_us = $3";
    let values: [Value; 3] = [district.into(), id.into(), until_us.into()];
    store
        .db
        .execute_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    Ok(())
}

/// Days on which a reservation ends.
///
/// # Errors
/// The database's.
pub async fn days_to_lift(
    store: &Store,
    behind: &Behind,
    now_us: i64,
    limit: i64,
) -> Result<Vec<Behind>, Error> {
    rows(store, ("days", "lift_at_us"), paged(behind, now_us, limit)).await
}

/// Places in the waiting list whose last day is over.
///
/// # Errors
/// The database's.
pub async fn waiting(
    store: &Store,
    behind: &Behind,
    now_us: i64,
    limit: i64,
) -> Result<Vec<Behind>, Error> {
    rows(store, ("waiting", "due_us"), paged(behind, now_us, limit)).await
}

/// Days of today and later, of which there are at most `limit` behind a day: the ones to audit.
///
/// # Errors
/// The database's.
pub async fn days_from(
    store: &Store,
    today: &str,
    behind: &(String, String),
    limit: i64,
) -> Result<Vec<(String, String)>, Error> {
    let sql = "SELECT district, id FROM days WHERE date >= $1 AND (district, id) > ($2, $3) \
               ORDER BY district, id LIMIT $4";
    let values = [
        today.into(),
        behind.0.clone().into(),
        behind.1.clone().into(),
        limit.into(),
    ];
    store.pairs(sql, values).await
}

/// How many there are of them.
///
/// # Errors
/// The database's.
pub async fn days_count(store: &Store, today: &str) -> Result<u64, Error> {
    let sql = "SELECT CAST(count(*) AS bigint) FROM days WHERE date >= $1";
    let statement = Statement::from_sql_and_values(store.backend, sql, [today.into()]);
    let row = store.row(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(count.unsigned_abs())
}

/// Which of these seats are free: somebody else was faster.
///
/// # Errors
/// The database's.
pub async fn free_already(store: &Store, seats: &[&Seat]) -> Result<Vec<SeatKey>, Error> {
    let mut values: Vec<Value> = Vec::new();
    let mut which = Vec::new();
    for seat in seats {
        let at = values.len();
        which.push(format!("(district = ${} AND id = ${})", at + 1, at + 2));
        values.extend([seat.district.clone().into(), seat.key.to_string().into()]);
    }
    let sql = format!(
        "SELECT id FROM seats WHERE state = 4 AND ({})",
        which.join(" OR ")
    );
    let statement = Statement::from_sql_and_values(store.backend, sql, values);
    keys(&store.rows(statement).await?)
}

fn keys(rows: &[QueryResult]) -> Result<Vec<SeatKey>, Error> {
    rows.iter()
        .map(|row| Ok(SeatKey::parse(&row.try_get_by_index::<String>(0)?)?))
        .collect()
}

/// Makes cooling seats of a day free, if they are due, still have the epoch that was read, and the gate's generation is
/// the one under which it was told. Answers which it made so.
///
/// # Errors
/// The database's.
pub async fn free(store: &Store, seats: &[Seat], generation: i64) -> Result<Vec<SeatKey>, Error> {
    let now = format!(
        "({} + (SELECT offset_seconds FROM clock WHERE id = 1) * 1000000)",
        now_sql(store.backend)
    );
    let mut values: Vec<Value> = vec![generation.into()];
    let mut which = Vec::new();
    for seat in seats {
        let at = values.len();
        which.push(format!(
            "(district = ${} AND id = ${} AND version = ${})",
            at + 1,
            at + 2,
            at + 3
        ));
        values.extend([
            seat.district.clone().into(),
            seat.key.to_string().into(),
            seat::long(seat.epoch),
        ]);
    }
    let sql = format!(
        "UPDATE seats SET state = 4, version = version + 1, due_us = NULL, free_us = NULL, booking = '', applicant = '', mask = '', \
         groups = '', holder = '', item = '', waiting = '', hold_key = '', hold_digest = '', last_key = '' \
         WHERE state = 3 AND COALESCE(free_us, due_us) <= {now} AND ({}) AND (SELECT generation FROM gate WHERE id = 1) = $1 RETURNING id",
        which.join(" OR ")
    );
    let statement = Statement::from_sql_and_values(store.backend, sql, values);
    keys(&store.rows(statement).await?)
}
