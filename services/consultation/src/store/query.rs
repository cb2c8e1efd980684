//! Reads, each narrowed to what the caller may see.

use bangban_kit::{
    identity::Caller,
    page::Page,
    scope::{Reach, Scope},
};
use bangban_limits::time::us;
use bangban_proto::bangban::consultation::v1::{Consultation, ListConsultationsRequest};
use bangban_store::{Error, Store, query::Query};

/// A query that reads no more than the scope allows: the region, the own site, a department's referrals, and what is
/// offered to the caller.
fn narrowed(select: &str, scope: &Scope, caller: &Caller) -> Query {
    Query::narrowed(select, scope, |query, reach| match reach {
        Reach::Whole => {}
        Reach::Region { prefix, site, .. } => {
            let prefix = query.bind(format!("{prefix}%"));
            let site = query.bind(site.clone());
            let subject = query.bind(caller.subject.clone());
            query.push(&format!(
                " AND (region LIKE {prefix} OR (site <> '' AND site = {site}) \
                 OR (receiver <> '' AND receiver = {subject}))"
            ));
        }
        Reach::Department(department) => query.and(
            "EXISTS (SELECT 1 FROM participants p WHERE p.district = consultations.district \
             AND p.consultation = consultations.id AND p.kind = 'department' AND p.id = {})",
            department.clone(),
        ),
        // A citizen's case is no consultation.
        Reach::Case(_) => query.push(" AND FALSE"),
    })
}

const BODY: &str = "SELECT body FROM consultations";

/// The consultation with this id in a scope.
///
/// # Errors
/// The database's.
pub async fn find(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    id: &str,
) -> Result<Option<Consultation>, Error> {
    let mut query = narrowed(BODY, scope, caller);
    query.and("id = {}", id);
    Ok(query.bodies(store).await?.into_iter().next())
}

/// A page of consultations, special groups first, then by asking (BB-7.1.1); and whether more follow.
///
/// # Errors
/// The database's.
pub async fn list(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    request: &ListConsultationsRequest,
    page: &Page,
) -> Result<(Vec<Consultation>, bool), Error> {
    let mut query = narrowed(BODY, scope, caller);
    if request.state != 0 {
        query.and("state = {}", request.state);
    }
    query.only("agent", &request.agent);
    query.only("applicant", &request.applicant);
    if let Some(before) = us(request.due_before.as_ref()) {
        query.and("next_due_at_us < {}", before);
    }
    query.page(store, &["priority", "asked_at_us"], page).await
}

/// The next consultations of the register of a period, behind a number, in the order of numbers. Instants are
/// microseconds since the epoch, `to_us` is not included.
///
/// # Errors
/// The database's.
pub async fn registered(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    (from_us, to_us): (i64, i64),
    behind: u64,
    limit: i64,
) -> Result<Vec<Consultation>, Error> {
    let mut query = narrowed(BODY, scope, caller);
    query.and("asked_at_us >= {}", from_us);
    query.and("asked_at_us < {}", to_us);
    query.and("number > {}", i64::try_from(behind).unwrap_or(i64::MAX));
    query.first("number", limit);
    query.bodies(store).await
}

/// Counts of a period: answers due, those on time; consultations closed, those complete (BB-8c,
/// BB-8d). An answer counts in the period in which it was due, once it was given or its time has passed.
///
/// # Errors
/// The database's.
pub async fn rates(
    store: &Store,
    scope: &Scope,
    caller: &Caller,
    (from_us, to_us): (i64, i64),
    now_us: i64,
) -> Result<[u64; 4], Error> {
    let counts = |is_handled: &str| {
        format!(
            "SELECT COALESCE(SUM(CASE WHEN {is_handled} THEN 1 ELSE 0 END), 0), COUNT(*) FROM consultations"
        )
    };
    let mut due = narrowed(
        &counts("handled_at_us IS NOT NULL AND is_late = 0"),
        scope,
        caller,
    );
    due.and("due_at_us >= {}", from_us);
    due.and("due_at_us < {}", to_us);
    due.and(
        "(handled_at_us IS NOT NULL OR closed_at_us IS NOT NULL OR due_at_us < {})",
        now_us,
    );
    let mut closed = narrowed(&counts("is_complete = 1"), scope, caller);
    closed.and("closed_at_us >= {}", from_us);
    closed.and("closed_at_us < {}", to_us);
    let [on_time_count, due_count] = two(store, due).await?;
    let [complete_count, closed_count] = two(store, closed).await?;
    Ok([due_count, on_time_count, closed_count, complete_count])
}

async fn two(store: &Store, query: Query) -> Result<[u64; 2], Error> {
    let rows = query.rows(store).await?;
    let Some(row) = rows.first() else {
        return Ok([0, 0]);
    };
    let (part, whole): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    Ok([part.unsigned_abs(), whole.unsigned_abs()])
}
