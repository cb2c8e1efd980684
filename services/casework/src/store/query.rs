//! Reads, each narrowed to what the caller may see.

use std::sync::LazyLock;

use bangban_kit::{
    page::Page,
    scope::{Reach, Scope},
};
use bangban_proto::bangban::casework::v1::{Case, ListCasesRequest};
use bangban_store::{
    Error, Store,
    query::{Query, decode},
    question::Question,
};

/// What staff see of cases: those within a region, and those that name their site or themselves (BB-1, BB-4.2a, BB-4.3).
fn seen_by_staff(cases: &str, prefix: &str, site: &str, person: &str) -> String {
    format!(
        "({cases}.region LIKE {prefix} OR ({cases}.site <> '' AND {cases}.site = {site}) \
         OR ({cases}.receiver <> '' AND {cases}.receiver = {person}) OR EXISTS (SELECT 1 FROM participants p \
         WHERE p.district = {cases}.district AND p.case_id = {cases}.id AND p.kind = 'site' AND p.id = {site}))"
    )
}

/// A query that reads no more than the scope allows.
fn narrowed(select: &str, scope: &Scope) -> Query {
    Query::narrowed(select, scope, |query, reach| match reach {
        Reach::Whole => {}
        Reach::Region {
            prefix,
            site,
            person,
        } => {
            let prefix = query.bind(format!("{prefix}%"));
            let site = query.bind(site.clone());
            let person = query.bind(person.clone());
            let seen = seen_by_staff("cases", &prefix, &site, &person);
            query.push(&format!(" AND {seen}"));
        }
        Reach::Department(department) => query.and("department = {}", department.clone()),
        Reach::Case(case) => query.and("id = {}", case.clone()),
    })
}

const BODY: &str = "SELECT body FROM cases";

/// The column by which a case is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Its id.
    Id,
    /// Its receipt number.
    Receipt,
}

/// What staff find, many at a time.
fn found_by(column: &str) -> Question {
    let seen = seen_by_staff("s", "g.prefix", "g.site", "g.person");
    Question {
        given: &["district", "value", "prefix", "site", "person"],
        wanted: format!(
            "(SELECT s.body FROM cases s WHERE s.district = g.district AND s.{column} = g.value AND {seen})"
        ),
        joined: "",
    }
}

static BY_ID: LazyLock<Question> = LazyLock::new(|| found_by("id"));
static BY_RECEIPT: LazyLock<Question> = LazyLock::new(|| found_by("receipt"));

/// The case in a scope that has this id or receipt number.
///
/// # Errors
/// The database's.
pub async fn find(
    store: &Store,
    scope: &Scope,
    by: By,
    value: &str,
) -> Result<Option<Case>, Error> {
    let (prefix, site, person) = match scope.reach() {
        Reach::Whole => ("", "", ""),
        Reach::Region {
            prefix,
            site,
            person,
        } => (prefix.as_str(), site.as_str(), person.as_str()),
        Reach::Department(_) | Reach::Case(_) => {
            let mut query = narrowed(BODY, scope);
            query.and(
                match by {
                    By::Id => "id = {}",
                    By::Receipt => "receipt = {}",
                },
                value,
            );
            return Ok(query.bodies(store).await?.into_iter().next());
        }
    };
    let question = match by {
        By::Id => &BY_ID,
        By::Receipt => &BY_RECEIPT,
    };
    let given = [scope.district(), value, &format!("{prefix}%"), site, person];
    let given = given.into_iter().map(|text| text.to_owned().into());
    match store.ask(question, given.collect()).await? {
        Some(row) => decode(&row, 1),
        None => Ok(None),
    }
}

/// A page of cases: special groups first, then by opening (BB-7.1.1).
///
/// # Errors
/// The database's.
pub async fn list(
    store: &Store,
    scope: &Scope,
    request: &ListCasesRequest,
    page: &Page,
) -> Result<(Vec<Case>, bool), Error> {
    let mut query = narrowed(BODY, scope);
    if request.state != 0 {
        query.and("state = {}", request.state);
    }
    query.only("agent", &request.agent);
    query.only("item", &request.item);
    query.only("applicant", &request.applicant);
    if let Some(before) = &request.due_before {
        query.and("due_at_us < {}", before.seconds.saturating_mul(1_000_000));
    }
    query.page(store, &["priority", "opened_at_us"], page).await
}

/// Cases behind an id, in the order of their ids: for exports.
///
/// # Errors
/// The database's.
pub async fn by_id(
    store: &Store,
    scope: &Scope,
    behind: &str,
    limit: i64,
) -> Result<Vec<Case>, Error> {
    let mut query = narrowed(BODY, scope);
    query.and("id > {}", behind);
    query.first("id", limit);
    query.bodies(store).await
}

/// Cases whose clocks need a warning or the record of a breach, oldest first: district and id.
///
/// # Errors
/// The database's.
pub async fn needing_attention(
    store: &Store,
    now_us: i64,
    limit: i64,
) -> Result<Vec<(String, String)>, Error> {
    let sql = "SELECT district, id FROM cases WHERE attention_at_us <= $1 ORDER BY attention_at_us LIMIT $2";
    store.pairs(sql, [now_us.into(), limit.into()]).await
}

/// Counts of a period: decision clocks due, those on time, cases filed away, cases closed (BB-8a, BB-8d).
///
/// # Errors
/// The database's.
pub async fn quality(
    store: &Store,
    scope: &Scope,
    from_us: i64,
    to_us: i64,
    now_us: i64,
) -> Result<[u64; 4], Error> {
    let count = async |conditions: &[(&str, i64)]| -> Result<u64, Error> {
        let mut query = narrowed("SELECT count(*) FROM cases", scope);
        for (condition, value) in conditions {
            query.and(condition, *value);
        }
        let rows = query.rows(store).await?;
        Ok(rows
            .first()
            .map(|r| r.try_get_by_index::<i64>(0))
            .transpose()?
            .unwrap_or_default()
            .unsigned_abs())
    };
    // A clock counts in the period in which it was due, once it has ended or passed.
    let due = count(&[
        ("decision_due_at_us >= {}", from_us),
        ("decision_due_at_us < {}", to_us),
        (
            "(decision_ended_at_us IS NOT NULL OR decision_due_at_us < {})",
            now_us,
        ),
    ])
    .await?;
    let on_time = count(&[
        ("decision_due_at_us >= {}", from_us),
        (
            "decision_due_at_us < {} AND decision_ended_at_us <= decision_due_at_us",
            to_us,
        ),
    ])
    .await?;
    let filed_away = count(&[
        ("ended_at_us >= {}", from_us),
        ("ended_at_us < {}", to_us),
        ("state = {}", 7),
    ])
    .await?;
    let closed = count(&[("ended_at_us >= {}", from_us), ("ended_at_us < {}", to_us)]).await?;
    Ok([due, on_time, filed_away, closed])
}
