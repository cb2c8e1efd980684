//! Templates, exceptions and publication of a site as one row, the district's policy as another, and days.

use bangban_kit::refusal::Refusal;
use bangban_ledger::{Hash, START};
use bangban_proto::bangban::scheduling::v1::{
    Booking, BookingPolicy, Day, Exception, Publication, Slot, Template,
};
use bangban_store::{
    Error, Now, Store, act,
    clock::now_sql,
    query::{bodies, decode},
    write::{Row, State, guard},
};
use prost::Message;
use sea_orm::{
    ConnectionTrait as _, QueryResult, Statement, Value,
    sea_query::{Alias, CaseStatement, Expr, ExprTrait as _, Query},
};

use super::{
    key::{DayKey, SlotKey},
    seat::{self, Seat, long},
    slot::{SlotRow, us},
};

/// What a site's capacity is made of.
#[derive(Clone, PartialEq, Message)]
pub struct Capacity {
    /// Templates.
    #[prost(message, repeated, tag = "1")]
    pub templates: Vec<Template>,
    /// Exceptions.
    #[prost(message, repeated, tag = "2")]
    pub exceptions: Vec<Exception>,
    /// When days are published.
    #[prost(message, optional, tag = "3")]
    pub publication: Option<Publication>,
}

/// Something that is kept with its chain: the version is the number of its acts.
#[derive(Debug, Clone)]
pub struct Kept<T> {
    /// It.
    pub body: T,
    /// Number of its last act; 0 for what is not there.
    pub version: u64,
    /// Hash of that.
    pub head: Hash,
}

impl<T: Default> Default for Kept<T> {
    fn default() -> Self {
        Self {
            body: T::default(),
            version: 0,
            head: START,
        }
    }
}

async fn kept<T: Message + Default>(
    store: &Store,
    table: &str,
    district: &str,
    id: &str,
) -> Result<Kept<T>, Error> {
    let sql = format!("SELECT version, head, body FROM {table} WHERE district = $1 AND id = $2");
    let values: [Value; 2] = [district.into(), id.into()];
    let row = store
        .row(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    row.map_or_else(|| Ok(Kept::default()), |row| of(&row))
}

fn of<T: Message + Default>(row: &QueryResult) -> Result<Kept<T>, Error> {
    let version: i64 = row.try_get_by_index(0)?;
    let head: Vec<u8> = row.try_get_by_index(1)?;
    Ok(Kept {
        body: decode(row, 2)?.unwrap_or_default(),
        version: version.unsigned_abs(),
        head: act::hash(&head),
    })
}

/// What a site's capacity is made of.
///
/// # Errors
/// The database's.
pub async fn of_site(store: &Store, district: &str, site: &str) -> Result<Kept<Capacity>, Error> {
    kept(store, "capacity", district, site).await
}

/// The rules by which people of a district book, as they were put down.
///
/// # Errors
/// The database's.
pub async fn policy(store: &Store, district: &str) -> Result<Kept<BookingPolicy>, Error> {
    kept(store, "capacity", district, "").await
}

/// A day that is published; version 0 for one that is not.
///
/// # Errors
/// The database's.
pub async fn day(store: &Store, district: &str, key: &DayKey) -> Result<Kept<Day>, Error> {
    kept(store, "days", district, &key.to_string()).await
}

/// The row of a site's capacity, or of the policy, behind act `version`.
#[must_use]
pub fn row(
    (district, id): (&str, &str),
    read: u64,
    (version, head): (u64, &Hash),
    publish_at_us: Option<i64>,
    body: &impl Message,
) -> Row {
    Row {
        table: "capacity",
        key: [district.into(), id.into()],
        read: (read > 0).then_some(read),
        columns: vec![
            ("version", long(version)),
            ("head", head.to_vec().into()),
            ("publish_at_us", publish_at_us.into()),
            ("body", body.encode_to_vec().into()),
        ],
        provided: None,
    }
}

/// The row of a day behind act `version`. Until `care_until_us` its appointments are looked after, and once behind it
/// (BB-9.2b); without it as long as they were to be before.
#[must_use]
pub fn day_row(
    district: &str,
    day: &Day,
    read: u64,
    (version, head): (u64, &Hash),
    care_until_us: Option<i64>,
) -> Row {
    let lift_at_us = day
        .slots
        .iter()
        .filter(|slot| slot.reserved > 0)
        .filter_map(|slot| us(slot.reserved_until.as_ref()))
        .min();
    let mut columns = vec![
        ("version", long(version)),
        ("head", head.to_vec().into()),
        ("site", day.site.clone().into()),
        ("date", day.date.clone().into()),
        ("lift_at_us", lift_at_us.into()),
        ("body", day.encode_to_vec().into()),
    ];
    columns.extend(care_until_us.map(|until_us| ("care_until_us", until_us.into())));
    Row {
        table: "days",
        key: [district.into(), format!("{}.{}", day.site, day.date).into()],
        read: (read > 0).then_some(read),
        columns,
        provided: None,
    }
}

/// Appointments of a published day are looked after until `until_us` at the least: one of them stands where none is given
/// any more (BB-9.2b).
#[must_use]
pub fn cared_for(district: &str, day: &DayKey, until_us: i64) -> State {
    let until = CaseStatement::new()
        .case(
            Expr::col("care_until_us").gt(until_us),
            Expr::col("care_until_us"),
        )
        .finally(until_us);
    let mut update = Query::update();
    update
        .table("days")
        .value("care_until_us", until)
        .and_where(Expr::col("district").eq(district))
        .and_where(Expr::col("id").eq(day.to_string()));
    State::Update(update)
}

/// What makes every process look at capacity anew.
#[must_use]
pub fn revised() -> State {
    revised_as_of(None)
}

/// The same, if nothing was learned of calendars and opening hours since change `as_of` ([`super::plans::as_of`]); else
/// the whole write is a conflict.
#[must_use]
pub fn revised_as_of(as_of: Option<i64>) -> State {
    let mut update = Query::update();
    update
        .table("gate")
        .value("revision", Expr::cust("revision + 1"));
    if let Some(as_of) = as_of {
        update.and_where(Expr::col("plan_changes").eq(as_of));
    }
    State::Update(update)
}

/// The same, if the gate's generation is the one under which it was told; else the whole write is a conflict.
#[must_use]
pub fn revised_under(generation: i64) -> State {
    let mut update = Query::update();
    update
        .table("gate")
        .value("revision", Expr::cust("revision + 1"))
        .and_where(Expr::col("generation").eq(generation));
    State::Update(update)
}

/// Days of sites, from the first to the last, in the order of site and date.
///
/// # Errors
/// The database's.
pub async fn days(
    store: &Store,
    district: &str,
    site: &str,
    (first, last): (&str, &str),
) -> Result<Vec<Kept<Day>>, Error> {
    let sql = "SELECT version, head, body FROM days WHERE district = $1 AND id >= $2 AND id <= $3 ORDER BY id";
    let values: [Value; 3] = [
        district.into(),
        format!("{site}.{first}").into(),
        format!("{site}.{last}").into(),
    ];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    rows.iter().map(of).collect()
}

/// Published days of a site from the first on, each with the slots by which it was planned last, if they are known.
///
/// # Errors
/// The database's.
pub async fn planned_days(
    store: &Store,
    district: &str,
    site: &str,
    first: &str,
) -> Result<Vec<(Kept<Day>, Option<Vec<Slot>>)>, Error> {
    let sql = "SELECT version, head, body, planned FROM days WHERE district = $1 AND id >= $2 AND id <= $3 ORDER BY id";
    let values: [Value; 3] = [
        district.into(),
        format!("{site}.{first}").into(),
        format!("{site}.9999").into(),
    ];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    let one = |row| Ok((of(row)?, decode::<Day>(row, 3)?.map(|plan| plan.slots)));
    rows.iter().map(one).collect()
}

/// Remembers by which plan a day was planned, behind its act `version`.
#[must_use]
pub fn planned(district: &str, key: &DayKey, version: u64, slots: &[Slot]) -> State {
    let plan = Day {
        slots: slots.to_vec(),
        ..Day::default()
    };
    let mut update = Query::update();
    update
        .table("days")
        .value("planned", plan.encode_to_vec())
        .and_where(guard(
            &[
                (Alias::new("district"), district.into()),
                (Alias::new("id"), key.to_string().into()),
            ],
            version,
        ));
    State::Update(update)
}

/// Holds only while a site's capacity is the one that was read; else the whole write is a conflict.
#[must_use]
pub fn unchanged(district: &str, site: &str, version: u64) -> State {
    let mut update = Query::update();
    update
        .table("capacity")
        .value("version", Expr::col("version"))
        .and_where(guard(
            &[
                (Alias::new("district"), district.into()),
                (Alias::new("id"), site.into()),
            ],
            version,
        ));
    State::Update(update)
}

/// Holds only while no capacity has changed since a revision ([`revision`]); else the whole write is a conflict.
#[must_use]
pub fn unrevised(revision: i64) -> State {
    let mut update = Query::update();
    update
        .table("gate")
        .value("revision", Expr::col("revision"))
        .and_where(Expr::col("revision").eq(revision));
    State::Update(update)
}

/// How often capacity has changed, how often that or what is known of districts, and when that was asked.
///
/// # Errors
/// The database's.
pub async fn revision(store: &Store) -> Result<(i64, i64, Now), Error> {
    let sql = format!(
        "SELECT g.revision, {}, c.offset_seconds, g.revision + g.learned FROM gate g JOIN clock c ON c.id = 1 WHERE g.id = 1",
        now_sql(store.backend)
    );
    let row = store
        .row(Statement::from_string(store.backend, sql))
        .await?
        .ok_or_else(|| Refusal::internal("the gate has no row"))?;
    let now = Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(3)?, now))
}

/// The seats of a day that were ever used.
///
/// # Errors
/// The database's.
pub async fn seats(store: &Store, district: &str, day: &DayKey) -> Result<Vec<Seat>, Error> {
    let (from, to) = day.range();
    let sql = format!(
        "SELECT {} FROM seats s WHERE s.district = $1 AND s.id >= $2 AND s.id < $3",
        seat::columns("s")
    );
    let values: [Value; 3] = [district.into(), from.into(), to.into()];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    let seats = rows.iter().map(|row| Seat::read(row, 0, district));
    Ok(seats
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// The slots of a day as rows.
///
/// # Errors
/// The database's.
pub async fn slots(store: &Store, district: &str, day: &DayKey) -> Result<Vec<SlotRow>, Error> {
    let (from, to) = day.range();
    let sql = format!(
        "SELECT l.number, {} FROM slots l WHERE l.district = $1 AND l.id >= $2 AND l.id < $3 ORDER BY l.number",
        super::slot::columns("l")
    );
    let values: [Value; 3] = [district.into(), from.into(), to.into()];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    let mut slots = Vec::new();
    for row in &rows {
        let number: i32 = row.try_get_by_index(0)?;
        let key = SlotKey {
            day: day.clone(),
            number: u16::try_from(number).unwrap_or_default(),
        };
        slots.extend(SlotRow::read(row, 1, &key)?);
    }
    Ok(slots)
}

/// Districts and sites of which days are to be published, with when; oldest first.
///
/// # Errors
/// The database's.
pub async fn to_publish(
    store: &Store,
    now_us: i64,
    limit: i64,
) -> Result<Vec<(String, String)>, Error> {
    let sql = "SELECT district, id FROM capacity WHERE publish_at_us <= $1 ORDER BY publish_at_us LIMIT $2";
    store.pairs(sql, [now_us.into(), limit.into()]).await
}

/// Days of a site that were to be published by now are looked at again at `then_us`.
///
/// # Errors
/// The database's.
pub async fn put_off(
    store: &Store,
    (district, site): (&str, &str),
    now_us: i64,
    then_us: i64,
) -> Result<(), Error> {
    let sql = "UPDATE capacity SET publish_at_us = $1 WHERE district = $2 AND id = $3 AND publish_at_us <= $4";
    let values: [Value; 4] = [then_us.into(), district.into(), site.into(), now_us.into()];
    store
        .db
        .execute_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    Ok(())
}

/// Replaces the gate's generation, and answers what stands afterwards.
///
/// # Errors
/// The database's.
pub async fn replace_generation(store: &Store, old: i64, new: i64) -> Result<i64, Error> {
    let sql = "UPDATE gate SET generation = $1 WHERE id = 1 AND generation = $2";
    let values: [Value; 2] = [new.into(), old.into()];
    store
        .db
        .execute_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    generation(store).await
}

/// The gate's generation.
///
/// # Errors
/// The database's.
pub async fn generation(store: &Store) -> Result<i64, Error> {
    let sql = "SELECT generation FROM gate WHERE id = 1";
    let row = store
        .row(Statement::from_string(store.backend, sql))
        .await?
        .ok_or_else(|| Refusal::internal("the gate has no row"))?;
    Ok(row.try_get_by_index(0)?)
}

/// Capacity of every site of a district that has any.
///
/// # Errors
/// The database's.
pub async fn sites(store: &Store, district: &str) -> Result<Vec<(String, Capacity)>, Error> {
    let sql = "SELECT id, body FROM capacity WHERE district = $1 AND id <> ''";
    let rows = store
        .rows(Statement::from_sql_and_values(
            store.backend,
            sql,
            [district.into()],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get_by_index(0)?,
                decode(row, 1)?.unwrap_or_default(),
            ))
        })
        .collect()
}

/// The appointments of a site's day.
///
/// # Errors
/// The database's.
pub async fn bookings(store: &Store, district: &str, day: &DayKey) -> Result<Vec<Booking>, Error> {
    let date = day.date.to_string();
    let end = crate::domain::outside::day_end_us(&date).unwrap_or_default();
    let sql = "SELECT body FROM bookings WHERE district = $1 AND starts_us >= $2 AND starts_us < $3 AND site = $4";
    let values: [Value; 4] = [
        district.into(),
        (end - 86_400_000_000).into(),
        end.into(),
        day.site.clone().into(),
    ];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    bodies(&rows)
}
