//! Cases as rows: the columns that are searched, and one body.

use bangban_kit::{
    page::Page,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_ledger::Hash;
use bangban_limits::clock;
use bangban_proto::bangban::{
    casework::v1::{Case, ListCasesRequest},
    directory::v1::{Calendar, Department, District, ItemVersion},
};
use bangban_store::{
    Error, Now, Store, act,
    clock::now_sql,
    command::Command,
    write::{Chain, State, guard},
};
use prost::Message;
use sea_orm::{ConnectionTrait as _, QueryResult, Statement, Value, sea_query};
use sea_query::{Alias, Expr, Query as Sql};

/// A case with everything that a command on it needs, read by one statement.
#[derive(Debug)]
pub struct Loaded {
    /// Now.
    pub now: Now,
    /// Whether the request was done before.
    pub is_repeated: bool,
    /// The district; unset when this service has not heard of it.
    pub district: Option<District>,
    /// What differs in the district's calendar.
    pub calendar: Calendar,
    /// Days of years that were loaded for all districts.
    pub national: Calendar,
    /// Revision of the district's calendar.
    pub revision: i64,
    /// Revision by which the case's clocks were counted.
    pub counted_by: i64,
    /// The case with its version and the hash of its last act.
    pub case: Option<(Case, u64, Hash)>,
    /// The version of the item that it is under.
    pub item: ItemVersion,
    /// The department.
    pub department: Department,
}

fn decode<M: Message + Default>(row: &QueryResult, column: usize) -> Result<Option<M>, Error> {
    let bytes: Option<Vec<u8>> = row.try_get_by_index(column)?;
    bytes
        .map(|b| M::decode(b.as_slice()).map_err(|e| Refusal::internal(e).into()))
        .transpose()
}

impl Loaded {
    /// The calendar's revision that a change of the case is written with: clocks that run were counted by the older one
    /// until the sweep counts them anew (BX-3).
    #[must_use]
    pub fn counted_by(&self) -> i64 {
        match &self.case {
            Some((case, ..)) if case.next_due_at.is_some() => self.counted_by,
            _ => self.revision,
        }
    }
}

/// Time, repetition, district, calendar, case, item and department in one statement.
///
/// # Errors
/// The database's.
pub async fn load(store: &Store, command: &Command, case: &str) -> Result<Loaded, Error> {
    let sql = format!(
        "SELECT {}, c.offset_seconds, EXISTS (SELECT 1 FROM acts a WHERE a.district = $1 AND a.caller = $2 \
         AND a.method = $3 AND a.request_id = $4), o.body, k.body, n.body, s.version, s.head, s.body, i.body, d.body, r.revision, s.calendar_revision \
         FROM clock c \
         LEFT JOIN copies o ON o.district = $1 AND o.kind = 'district' AND o.id = $1 \
         LEFT JOIN copies k ON k.district = $1 AND k.kind = 'calendar' AND k.id = 'calendar' \
         LEFT JOIN copies n ON n.district = '' AND n.kind = 'calendar' AND n.id = 'calendar' \
         LEFT JOIN calendars r ON r.district = $1 \
         LEFT JOIN cases s ON s.district = $1 AND s.id = $5 \
         LEFT JOIN copies i ON i.district = $1 AND i.kind = 'item' AND i.id = s.item || '@' || CAST(s.item_version AS text) \
         LEFT JOIN copies d ON d.district = $1 AND d.kind = 'department' AND d.id = s.department \
         WHERE c.id = 1",
        now_sql(store.backend)
    );
    let asked = &command.asked;
    let values = [
        command.district.clone().into(),
        asked.caller.clone().into(),
        asked.method.into(),
        asked.request_id.clone().into(),
        case.into(),
    ];
    let row = store
        .db
        .query_one_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    let version: Option<i64> = row.try_get_by_index(6)?;
    let head: Option<Vec<u8>> = row.try_get_by_index(7)?;
    let case: Option<Case> = decode(&row, 8)?;
    let case = match (case, version, head) {
        (Some(case), Some(version), Some(head)) => {
            Some((case, version.unsigned_abs(), act::hash(&head)))
        }
        _ => None,
    };
    Ok(Loaded {
        now: Now::from_row(row.try_get_by_index(0)?, row.try_get_by_index(1)?),
        is_repeated: row.try_get_by_index(2)?,
        district: decode(&row, 3)?,
        calendar: decode(&row, 4)?.unwrap_or_default(),
        national: decode(&row, 5)?.unwrap_or_default(),
        revision: row.try_get_by_index::<Option<i64>>(11)?.unwrap_or_default(),
        counted_by: row.try_get_by_index::<Option<i64>>(12)?.unwrap_or_default(),
        case,
        item: decode(&row, 9)?.unwrap_or_default(),
        department: decode(&row, 10)?.unwrap_or_default(),
    })
}

/// What the opening of a case needs beside [`load`].
#[derive(Debug)]
pub struct Opening {
    /// The version of the item in force today.
    pub item: Option<ItemVersion>,
    /// Its department.
    pub department: Department,
}

/// The version of an item that is in force on a day, with its department.
///
/// # Errors
/// The database's.
pub async fn opening(
    store: &Store,
    district: &str,
    item: &str,
    today: &str,
) -> Result<Opening, Error> {
    let sql =
        "SELECT body FROM copies WHERE district = $1 AND kind = 'item' AND id >= $2 AND id < $3";
    // Ids are `code@version`; `A` follows `@`.
    let values: [Value; 3] = [
        district.into(),
        format!("{item}@").into(),
        format!("{item}A").into(),
    ];
    let rows = store
        .db
        .query_all_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    let mut found: Option<ItemVersion> = None;
    for row in &rows {
        let Some(version) = decode::<ItemVersion>(row, 0)? else {
            continue;
        };
        let is_before = |until: &str| until.is_empty() || today < until;
        if version.effective_from.as_str() <= today
            && is_before(&version.effective_until)
            && is_before(&version.withdrawn_from)
            && found.as_ref().is_none_or(|f| f.version < version.version)
        {
            found = Some(version);
        }
    }
    let department = match &found {
        Some(item) => {
            bangban_store::copy::get(&store.db, district, "department", &item.department).await?
        }
        None => None,
    };
    Ok(Opening {
        item: found,
        department: department.unwrap_or_default(),
    })
}

fn us(at: Option<&prost_types::Timestamp>) -> Value {
    at.map(|t| t.seconds * 1_000_000 + i64::from(t.nanos) / 1000)
        .into()
}

/// Column values that follow from a case, with its version, the hash of its last act, and the calendar's revision.
fn columns(case: &Case, version: u64, head: &Hash, revision: i64) -> Vec<(&'static str, Value)> {
    let decision = case.clocks.iter().find(|c| c.id == "decision");
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
            clock::attention_at(&case.clocks)
                .map(|s| s * 1_000_000)
                .into(),
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
        ("body", case.encode_to_vec().into()),
    ]
}

/// The row of a new case.
#[must_use]
pub fn insert(case: &Case, chain: &Chain, revision: i64) -> State {
    let mut columns = columns(case, chain.number, &chain.head, revision);
    columns.extend([
        ("district", Value::from(case.district.clone())),
        ("id", case.id.clone().into()),
        ("receipt", case.receipt.clone().into()),
        ("priority", i32::from(case.groups.is_empty()).into()),
        ("department", case.department.clone().into()),
        ("applicant", case.applicant.clone().into()),
        ("item", case.item.clone().into()),
        ("item_version", i64::from(case.item_version).into()),
        ("opened_at_us", us(case.opened_at.as_ref())),
    ]);
    let mut insert = Sql::insert();
    insert
        .into_table(Alias::new("cases"))
        .columns(columns.iter().map(|(name, _)| Alias::new(*name)));
    insert.values_panic(columns.into_iter().map(|(_, value)| Expr::val(value)));
    State::Insert(insert)
}

/// The change of a case that must still have version `read`.
#[must_use]
pub fn update(case: &Case, read: u64, chain: &Chain, revision: i64) -> State {
    let mut update = Sql::update();
    update.table(Alias::new("cases"));
    for (name, value) in columns(case, chain.number, &chain.head, revision) {
        update.value(Alias::new(name), value);
    }
    let key = [
        (Alias::new("district"), Value::from(case.district.clone())),
        (Alias::new("id"), Value::from(case.id.clone())),
    ];
    update.and_where(guard(&key, read));
    State::Update(update)
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
        Reach::Region { prefix, site } => {
            query.values.push(format!("{prefix}%").into());
            query.values.push(site.clone().into());
            let (prefix, site) = (query.values.len() - 1, query.values.len());
            query.sql.push_str(&format!(
                " AND (region LIKE ${prefix} OR (site <> '' AND site = ${site}) OR EXISTS (SELECT 1 FROM participants p \
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
    let rows = store.db.query_all_raw(statement).await?;
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
        query.and("due_at_us < {}", before.seconds * 1_000_000);
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
        .db
        .query_all_raw(Statement::from_sql_and_values(store.backend, sql, values))
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
        let row = store.db.query_one_raw(statement).await?;
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
