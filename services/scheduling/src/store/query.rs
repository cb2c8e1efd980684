//! Reads, each narrowed to what the caller may see: appointments and places of one's region and site, and those that one
//! made oneself, wherever they are.

use bangban_kit::{
    identity::Caller,
    page::Page,
    scope::{Reach, Scope},
};
use bangban_ledger::Hash;
use bangban_proto::bangban::scheduling::v1::{
    Booking, ListBookingsRequest, ListWaitingRequest, Standing, Waiting,
};
use bangban_store::{
    Error, Store, act,
    query::{Query, decode},
};
use chrono::NaiveDate;
use sea_orm::{QueryResult, Statement, Value};

use super::{
    booking::{BREACH, CANCELLED, NO_SHOW, ON_TIME},
    waiting::order,
};
use crate::domain::outside::day_start;

/// A query that reads no more than the scope allows; `by` is the prefix of the columns that say who made it.
fn narrowed(select: &str, by: &str, scope: &Scope, caller: &Caller) -> Query {
    Query::narrowed(select, scope, |query, reach| match reach {
        Reach::Whole => {}
        Reach::Region { prefix, site, .. } => {
            let prefix = query.bind(format!("{prefix}%"));
            let site = query.bind(site.clone());
            let subject = query.bind(caller.subject.clone());
            query.push(&format!(
                " AND (region LIKE {prefix} OR ({site} <> '' AND (site = {site} OR {by}_site = {site})) \
                 OR {by}_by = {subject})"
            ));
        }
        // Appointments are no department's, and no citizen's look-up.
        Reach::Department(_) | Reach::Case(_) => query.push(" AND FALSE"),
    })
}

/// Whether a caller sees an appointment or a place: the same as the queries say.
#[must_use]
pub fn sees(
    scope: &Scope,
    caller: &Caller,
    (region, site): (&str, &str),
    by: Option<&bangban_proto::bangban::types::v1::Actor>,
) -> bool {
    match scope.reach() {
        Reach::Whole => true,
        Reach::Region {
            prefix, site: own, ..
        } => {
            let is_of_site = |of: &str| !own.is_empty() && of == own;
            region.starts_with(prefix.as_str())
                || is_of_site(site)
                || by.is_some_and(|by| is_of_site(&by.site) || by.subject == caller.subject)
        }
        Reach::Department(_) | Reach::Case(_) => false,
    }
}

const BOOKINGS: &str = "SELECT body FROM bookings";

/// The booking with this id in a scope.
///
/// # Errors
/// The database's.
pub async fn find(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    id: &str,
) -> Result<Option<Booking>, Error> {
    let mut query = narrowed(BOOKINGS, "booked", scope, caller);
    query.and("id = {}", id);
    Ok(query.bodies(store).await?.into_iter().next())
}

fn us(date: NaiveDate) -> i64 {
    day_start(date).map_or(0, |at| at.timestamp_micros())
}

/// A page of bookings by their start, and whether more follow. Dates were read already.
///
/// # Errors
/// The database's.
pub async fn list(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    request: &ListBookingsRequest,
    (from, to): (Option<NaiveDate>, Option<NaiveDate>),
    page: &Page,
) -> Result<(Vec<Booking>, bool), Error> {
    let mut query = narrowed(BOOKINGS, "booked", scope, caller);
    query.only("site", &request.site);
    query.only("applicant", &request.applicant);
    query.only("consultation", &request.consultation);
    query.only("case_id", &request.case);
    if request.state != 0 {
        query.and("state = {}", request.state);
    }
    if let Some(from) = from {
        query.and("starts_us >= {}", us(from));
    }
    if let Some(next) = to.and_then(|to| to.succ_opt()) {
        query.and("starts_us < {}", us(next));
    }
    query.page(store, &["starts_us"], page).await
}

/// Appointments of a period by how they count: on time, breached, nobody came, given up.
///
/// # Errors
/// The database's.
pub async fn verdicts(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<[u64; 4], Error> {
    let count =
        |verdict: i32| format!("COALESCE(SUM(CASE WHEN verdict = {verdict} THEN 1 ELSE 0 END), 0)");
    let counts: Vec<String> = [ON_TIME, BREACH, NO_SHOW, CANCELLED].map(count).into();
    let select = format!("SELECT {} FROM bookings", counts.join(", "));
    let mut query = narrowed(&select, "booked", scope, caller);
    query.and("starts_us >= {}", us(first));
    query.and("starts_us < {}", us(last.succ_opt().unwrap_or(last)));
    let mut counts = [0; 4];
    for row in query.rows(store).await? {
        for (at, count) in counts.iter_mut().enumerate() {
            *count = row.try_get_by_index::<i64>(at)?.unsigned_abs();
        }
    }
    Ok(counts)
}

const WAITING: &str = "SELECT body, version, head FROM waiting";

/// A place in the waiting list with its version and the hash of its last act, in a scope.
///
/// # Errors
/// The database's.
pub async fn find_waiting(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    id: &str,
) -> Result<Option<(Waiting, u64, Hash)>, Error> {
    let mut query = narrowed(WAITING, "joined", scope, caller);
    query.and("id = {}", id);
    let rows = query.rows(store).await?;
    rows.first().map(place).transpose()
}

fn place(row: &QueryResult) -> Result<(Waiting, u64, Hash), Error> {
    let version: i64 = row.try_get_by_index(1)?;
    let head: Vec<u8> = row.try_get_by_index(2)?;
    Ok((
        decode(row, 0)?.unwrap_or_default(),
        version.unsigned_abs(),
        act::hash(&head),
    ))
}

/// A page of those who wait or have an offer, in the order in which seats are offered (BB-7.1.1), and whether more
/// follow.
///
/// # Errors
/// The database's.
pub async fn list_waiting(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    request: &ListWaitingRequest,
    page: &Page,
) -> Result<(Vec<Waiting>, bool), Error> {
    let mut query = narrowed("SELECT body FROM waiting", "joined", scope, caller);
    query.push(" AND state IN (1, 2)");
    query.only("site", &request.site);
    query.only("grp", &request.group);
    query.only("applicant", &request.applicant);
    query.page(store, &["priority", "joined_us"], page).await
}

/// Those who wait for a group at a site, in the order in which seats are offered, at most `limit` behind one of them: whom
/// a seat suits is another matter.
///
/// # Errors
/// The database's.
pub async fn queue(
    store: &Store,
    (district, site, group): (&str, &str, &str),
    behind: Option<&Waiting>,
    limit: i64,
) -> Result<Vec<(Waiting, u64, Hash)>, Error> {
    let sql = format!(
        "{WAITING} WHERE district = $1 AND site = $2 AND grp = $3 AND state = 1 \
         AND (priority, joined_us, id) > ($4, $5, $6) ORDER BY priority, joined_us, id LIMIT $7"
    );
    let (priority, joined_us, id) = behind.map_or((-1, 0, ""), order);
    let values: [Value; 7] = [
        district.into(),
        site.into(),
        group.into(),
        priority.into(),
        joined_us.into(),
        id.into(),
        limit.into(),
    ];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    rows.iter().map(place).collect()
}

/// How a person has kept appointments; an empty standing for one who is not known here. A standing belongs to the
/// district: whoever may see it whole or in part books there.
///
/// # Errors
/// The database's.
pub async fn standing(store: &Store, scope: &Scope, applicant: &str) -> Result<Standing, Error> {
    let select = "SELECT body FROM persons";
    let mut query = Query::narrowed(select, scope, |query, reach| match reach {
        Reach::Whole | Reach::Region { .. } => {}
        Reach::Department(_) | Reach::Case(_) => query.push(" AND FALSE"),
    });
    query.and("id = {}", applicant);
    let found = query.bodies(store).await?.into_iter().next();
    Ok(found.unwrap_or_else(|| Standing {
        district: scope.district().to_owned(),
        applicant: applicant.to_owned(),
        ..Standing::default()
    }))
}
