//! Cases as rows: the columns that are searched, and one body.

use std::sync::{Arc, LazyLock};

use bangban_kit::{
    page::Page,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_learned::known::{Known, Learned, revision_sql};
use bangban_ledger::Hash;
use bangban_proto::bangban::casework::v1::{Case, ListCasesRequest};
use bangban_store::{
    Error, Now, Store, act,
    command::Command,
    question::Question,
    write::{Chain, Row, State},
};
use prost::Message;
use sea_orm::{QueryResult, Statement, Value};

use crate::domain::{clock, responsibility};

/// A case with everything that a command on it needs.
#[derive(Debug)]
pub struct Loaded {
    /// Now.
    pub now: Now,
    /// Whether the request was done before.
    pub is_repeated: bool,
    /// What is known of the district.
    pub known: Arc<Known>,
    /// Revision of the calendar by which the case's clocks were counted.
    pub counted_by: i64,
    /// The case with its version and the hash of its last act.
    pub case: Option<(Case, u64, Hash)>,
}

impl Loaded {
    /// The calendar's revision that a change of the case is written with: clocks that run were counted by the older one
    /// until the sweep counts them anew (BX-3).
    #[must_use]
    pub fn counted_by(&self) -> i64 {
        match &self.case {
            Some((case, ..)) if case.next_due_at.is_some() => self.counted_by,
            _ => self.known.calendar_revision,
        }
    }
}

fn decode<M: Message + Default>(row: &QueryResult, column: usize) -> Result<Option<M>, Error> {
    let bytes: Option<Vec<u8>> = row.try_get_by_index(column)?;
    bytes
        .map(|b| M::decode(b.as_slice()).map_err(|e| Refusal::internal(e).into()))
        .transpose()
}

static LOAD: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "id", "key"],
    wanted: format!(
        "{{now}}, c.offset_seconds, (SELECT 1 FROM acts a WHERE a.request_key = g.key LIMIT 1) IS NOT NULL, {}, \
         s.version, s.head, s.body, s.calendar_revision",
        revision_sql("g.district")
    ),
    joined: "JOIN clock c ON c.id = 1 LEFT JOIN cases s ON s.district = g.district AND s.id = g.id",
});

/// Time, repetition, what is known of the district, and the case: one statement, and memory.
///
/// # Errors
/// The database's.
pub async fn load(
    store: &Store,
    learned: &Learned,
    command: &Command,
    case: &str,
) -> Result<Loaded, Error> {
    let given = vec![
        command.district.clone().into(),
        case.into(),
        command.key().into(),
    ];
    let row = store
        .ask(&LOAD, given)
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    let known = learned
        .of(&command.district, row.try_get_by_index(4)?)
        .await?;
    let version: Option<i64> = row.try_get_by_index(5)?;
    let head: Option<Vec<u8>> = row.try_get_by_index(6)?;
    let case = match (decode::<Case>(&row, 7)?, version, head) {
        (Some(case), Some(version), Some(head)) => {
            Some((case, version.unsigned_abs(), act::hash(&head)))
        }
        _ => None,
    };
    Ok(Loaded {
        now: Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?),
        is_repeated: row.try_get_by_index(3)?,
        known,
        counted_by: row.try_get_by_index::<Option<i64>>(8)?.unwrap_or_default(),
        case,
    })
}

fn us(at: Option<&prost_types::Timestamp>) -> Value {
    at.map(|t| t.seconds * 1_000_000 + i64::from(t.nanos) / 1000)
        .into()
}

/// Column values that follow from a case, with its version, the hash of its last act, and the calendar's revision.
fn columns(case: &Case, version: u64, head: &Hash, revision: i64) -> Vec<(&'static str, Value)> {
    let decision = case.clocks.iter().find(|c| c.id == "decision");
    let receiver = responsibility::pending(case).map(|h| h.to_agent.clone());
    vec![
        ("version", i64::try_from(version).unwrap_or(i64::MAX).into()),
        ("head", head.to_vec().into()),
        ("state", case.state.into()),
        ("region", case.region.clone().into()),
        ("site", case.site.clone().into()),
        ("agent", case.agent.clone().into()),
        ("due_at_us", us(case.next_due_at.as_ref())),
        (
            "attention_at_us",
            clock::attention_at(case).map(|s| s * 1_000_000).into(),
        ),
        ("ended_at_us", us(case.ended_at.as_ref())),
        (
            "decision_due_at_us",
            us(decision.and_then(|d| d.due_at.as_ref())),
        ),
        (
            "decision_ended_at_us",
            us(decision.and_then(|d| d.ended_at.as_ref())),
        ),
        ("calendar_revision", revision.into()),
        ("receiver", receiver.unwrap_or_default().into()),
        ("body", case.encode_to_vec().into()),
    ]
}

/// The row of a new case.
#[must_use]
pub fn insert(case: &Case, chain: &Chain, revision: i64) -> State {
    let mut columns = columns(case, chain.number, &chain.head, revision);
    columns.extend([
        ("receipt", Value::from(case.receipt.clone())),
        ("priority", i32::from(case.groups.is_empty()).into()),
        ("department", case.department.clone().into()),
        ("applicant", case.applicant.clone().into()),
        ("item", case.item.clone().into()),
        ("item_version", i64::from(case.item_version).into()),
        ("opened_at_us", us(case.opened_at.as_ref())),
        ("consultation", case.consultation.clone().into()),
    ]);
    State::Row(Row {
        table: "cases",
        key: key(case),
        read: None,
        columns,
    })
}

fn key(case: &Case) -> [Value; 2] {
    [case.district.clone().into(), case.id.clone().into()]
}

/// The change of a case that must still have version `read`.
#[must_use]
pub fn update(case: &Case, read: u64, chain: &Chain, revision: i64) -> State {
    State::Row(Row {
        table: "cases",
        key: key(case),
        read: Some(read),
        columns: columns(case, chain.number, &chain.head, revision),
    })
}

/// A query on cases: SQL with its values, narrowed to a scope.
#[derive(Debug)]
pub struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    /// Adds a condition; `{}` stands for the value.
    pub fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.push_str(" AND ");
        self.sql
            .push_str(&condition.replace("{}", &format!("${}", self.values.len())));
    }
}

/// A query that reads no more than the scope allows. There is no other way to begin one.
#[must_use]
pub fn apply_scope(select: &str, scope: &Scope) -> Query {
    let mut query = Query {
        sql: format!("{select} WHERE TRUE"),
        values: Vec::new(),
    };
    query.and("district = {}", scope.district());
    match scope.reach() {
        Reach::Whole => {}
        Reach::Region {
            prefix,
            site,
            person,
        } => {
            query.values.push(format!("{prefix}%").into());
            query.values.push(site.clone().into());
            query.values.push(person.clone().into());
            let last = query.values.len();
            let (prefix, site, person) = (last - 2, last - 1, last);
            query.sql.push_str(&format!(
                " AND (region LIKE ${prefix} OR (site <> '' AND site = ${site}) \
                 OR (receiver <> '' AND receiver = ${person}) OR EXISTS (SELECT 1 FROM participants p \
                 WHERE p.district = cases.district AND p.case_id = cases.id AND p.kind = 'site' AND p.id = ${site}))"
            ));
        }
        Reach::Department(department) => query.and("department = {}", department.clone()),
        Reach::Case(case) => query.and("id = {}", case.clone()),
    }
    query
}

async fn bodies(store: &Store, query: Query) -> Result<Vec<Case>, Error> {
    let statement = Statement::from_sql_and_values(store.backend, query.sql, query.values);
    let rows = store.rows(statement).await?;
    rows.iter()
        .map(|row| Ok(decode(row, 0)?.unwrap_or_default()))
        .collect()
}

/// The case in a scope whose `column` (id or receipt) has this value.
///
/// # Errors
/// The database's.
pub async fn find(
    store: &Store,
    scope: &Scope,
    column: &str,
    value: &str,
) -> Result<Option<Case>, Error> {
    let mut query = apply_scope("SELECT body FROM cases", scope);
    query.and(&format!("{column} = {{}}"), value);
    Ok(bodies(store, query).await?.into_iter().next())
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
    let mut query = apply_scope("SELECT body FROM cases", scope);
    if request.state != 0 {
        query.and("state = {}", request.state);
    }
    for (column, value) in [
        ("agent", &request.agent),
        ("item", &request.item),
        ("applicant", &request.applicant),
    ] {
        if !value.is_empty() {
            query.and(&format!("{column} = {{}}"), value.clone());
        }
    }
    if let Some(before) = &request.due_before {
        query.and("due_at_us < {}", before.seconds.saturating_mul(1_000_000));
    }
    if let [priority, opened, id] = page.after.as_slice() {
        let number = |text: &String| text.parse::<i64>().unwrap_or_default();
        query.values.extend([
            number(priority).into(),
            number(opened).into(),
            id.clone().into(),
        ]);
        let n = query.values.len();
        query.sql.push_str(&format!(
            " AND (priority, opened_at_us, id) > (${}, ${}, ${n})",
            n - 2,
            n - 1
        ));
    }
    let size = i64::try_from(page.size).unwrap_or(500);
    query.values.push((size + 1).into());
    query.sql.push_str(&format!(
        " ORDER BY priority, opened_at_us, id LIMIT ${}",
        query.values.len()
    ));
    let mut cases = bodies(store, query).await?;
    let has_more = cases.len() as u64 > page.size;
    cases.truncate(usize::try_from(page.size).unwrap_or(500));
    Ok((cases, has_more))
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
    let mut query = apply_scope("SELECT body FROM cases", scope);
    query.and("id > {}", behind);
    query.values.push(limit.into());
    query
        .sql
        .push_str(&format!(" ORDER BY id LIMIT ${}", query.values.len()));
    bodies(store, query).await
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
    let values: [Value; 2] = [now_us.into(), limit.into()];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
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
        let mut query = apply_scope("SELECT count(*) FROM cases", scope);
        for (condition, value) in conditions {
            query.and(condition, *value);
        }
        let statement = Statement::from_sql_and_values(store.backend, query.sql, query.values);
        let row = store.row(statement).await?;
        Ok(row
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
