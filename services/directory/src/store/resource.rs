//! Things by kind: searched by a few columns, held as one body.

use bangban_kit::{
    page::Page,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_ledger::{Hash, START};
use bangban_store::{
    Error, Now, act,
    write::{Chain, State, guard},
};
use prost::Message;
use sea_orm::{
    Condition, ConnectionTrait, QueryOrder as _, QuerySelect as _,
    entity::prelude::*,
    sea_query::{Alias, Expr, Query},
};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resources")]
pub struct Model {
    /// District; empty for what belongs to the installation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district: String,
    /// Kind of thing.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Number of its last act.
    pub version: i64,
    /// Hash of its last act.
    pub head: Vec<u8>,
    /// Where it lies; empty for what concerns the whole district.
    pub region: String,
    /// What it hangs on.
    pub parent: String,
    /// What lists are ordered by, before the id.
    pub sort: String,
    /// It, in protobuf's wire format.
    pub body: Vec<u8>,
    /// Microseconds since the epoch.
    pub updated_at_us: i64,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A thing that was read.
#[derive(Debug, Clone)]
pub struct Row<M> {
    /// Its id.
    pub id: String,
    /// Number of its last act.
    pub version: u64,
    /// Hash of its last act.
    pub head: Hash,
    /// What lists are ordered by.
    pub sort: String,
    /// It.
    pub body: M,
}

/// Where a thing is put.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// District.
    pub district: String,
    /// Kind of thing.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Where it lies.
    pub region: String,
    /// What it hangs on.
    pub parent: String,
    /// What lists are ordered by.
    pub sort: String,
}

impl Place {
    /// A place that concerns the whole of the scope's district, in no order but its id's.
    #[must_use]
    pub fn new(scope: &Scope, kind: &'static str, id: impl Into<String>) -> Self {
        Self {
            district: scope.district().to_owned(),
            kind,
            id: id.into(),
            ..Self::default()
        }
    }
}

fn row<M: Message + Default>(model: Model) -> Result<Row<M>, Error> {
    let body = M::decode(model.body.as_slice()).map_err(Refusal::internal)?;
    Ok(Row {
        id: model.id,
        version: model.version.unsigned_abs(),
        head: act::hash(&model.head),
        sort: model.sort,
        body,
    })
}

/// Rows that the scope reaches. What has no region concerns everybody in the district.
fn within(scope: &Scope, kind: &str) -> Condition {
    let all = Condition::all()
        .add(Column::District.eq(scope.district()))
        .add(Column::Kind.eq(kind));
    match scope.reach() {
        Reach::Region { prefix, .. } => all.add(
            Condition::any()
                .add(Column::Region.eq(""))
                .add(Column::Region.starts_with(prefix)),
        ),
        // Departments and citizens have no part in persons; what is public is read with the whole scope.
        Reach::Department(_) | Reach::Case(_) => all.add(Column::Region.eq("")),
        Reach::Whole => all,
    }
}

/// A thing by its id.
///
/// # Errors
/// The database's.
pub async fn get<M: Message + Default>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    kind: &str,
    id: &str,
) -> Result<Option<Row<M>>, Error> {
    let found = Entity::find()
        .filter(within(scope, kind))
        .filter(Column::Id.eq(id))
        .one(db)
        .await?;
    found.map(row).transpose()
}

/// Everything of a kind, of one parent when one is given, in order.
///
/// # Errors
/// The database's.
pub async fn all<M: Message + Default>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    kind: &str,
    parent: Option<&str>,
) -> Result<Vec<Row<M>>, Error> {
    let mut find = Entity::find()
        .filter(within(scope, kind))
        .order_by_asc(Column::Sort)
        .order_by_asc(Column::Id);
    if let Some(parent) = parent {
        find = find.filter(Column::Parent.eq(parent));
    }
    find.all(db).await?.into_iter().map(row).collect()
}

/// Those of a kind that have these ids, in no order.
///
/// # Errors
/// The database's.
pub async fn some<M: Message + Default>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    kind: &str,
    ids: impl IntoIterator<Item = String>,
) -> Result<Vec<Row<M>>, Error> {
    let find = Entity::find()
        .filter(within(scope, kind))
        .filter(Column::Id.is_in(ids));
    find.all(db).await?.into_iter().map(row).collect()
}

/// A page of a kind, one row more than asked when there are more; below a region and of a parent when given.
///
/// # Errors
/// The database's.
pub async fn page<M: Message + Default>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    kind: &str,
    region: &str,
    parent: &str,
    page: &Page,
) -> Result<Vec<Row<M>>, Error> {
    let mut find = Entity::find().filter(within(scope, kind));
    if !region.is_empty() {
        find = find.filter(Column::Region.starts_with(region));
    }
    if !parent.is_empty() {
        find = find.filter(Column::Parent.eq(parent));
    }
    if let [sort, id] = page.after.as_slice() {
        find = find.filter(
            Condition::any().add(Column::Sort.gt(sort)).add(
                Condition::all()
                    .add(Column::Sort.eq(sort))
                    .add(Column::Id.gt(id)),
            ),
        );
    }
    let found = find
        .order_by_asc(Column::Sort)
        .order_by_asc(Column::Id)
        .limit(page.size + 1)
        .all(db)
        .await?;
    found.into_iter().map(row).collect()
}

/// A page of the districts that touch a region: those in it, and the one that it lies in. The one list over districts.
///
/// # Errors
/// The database's.
pub async fn districts<M: Message + Default>(
    db: &impl ConnectionTrait,
    region: &str,
    page: &Page,
) -> Result<Vec<Row<M>>, Error> {
    let mut find = Entity::find().filter(Column::Kind.eq("district"));
    if !region.is_empty() {
        let above = (1..region.len()).map(|n| region[..n].to_owned());
        find = find.filter(
            Condition::any()
                .add(Column::Region.starts_with(region))
                .add(Column::Region.is_in(above)),
        );
    }
    if let [id] = page.after.as_slice() {
        find = find.filter(Column::Id.gt(id));
    }
    find.order_by_asc(Column::Id)
        .limit(page.size + 1)
        .all(db)
        .await?
        .into_iter()
        .map(row)
        .collect()
}

/// Version and head that the next act of a thing goes on from.
#[must_use]
pub fn tip<M>(row: Option<&Row<M>>) -> (u64, Hash) {
    row.map_or((0, START), |r| (r.version, r.head))
}

/// Puts a thing down: new when `read` is 0, else in place of the version that was read.
#[must_use]
pub fn put(place: &Place, read: u64, chain: &Chain, body: &impl Message, now: Now) -> State {
    put_at(place, read, chain.number, &chain.head, body, now)
}

/// As [`put`], for a thing whose acts stand elsewhere.
#[must_use]
pub fn put_at(
    place: &Place,
    read: u64,
    number: u64,
    head: &Hash,
    body: &impl Message,
    now: Now,
) -> State {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let changing: Vec<(Column, Expr)> = vec![
        (Column::Version, Expr::val(number)),
        (Column::Head, Expr::val(head.to_vec())),
        (Column::Region, Expr::val(place.region.clone())),
        (Column::Parent, Expr::val(place.parent.clone())),
        (Column::Sort, Expr::val(place.sort.clone())),
        (Column::Body, Expr::val(body.encode_to_vec())),
        (Column::UpdatedAtUs, Expr::val(now.us())),
    ];
    if read == 0 {
        let mut columns = vec![Column::District, Column::Kind, Column::Id];
        let mut values = vec![
            Expr::val(place.district.clone()),
            Expr::val(place.kind),
            Expr::val(place.id.clone()),
        ];
        for (column, value) in changing {
            columns.push(column);
            values.push(value);
        }
        let mut insert = Query::insert();
        insert
            .into_table(Entity)
            .columns(columns)
            .values_panic(values);
        return State::Insert(insert);
    }
    let key = [
        (Alias::new("district"), place.district.clone().into()),
        (Alias::new("kind"), place.kind.into()),
        (Alias::new("id"), place.id.clone().into()),
    ];
    let mut update = Query::update();
    update
        .table(Entity)
        .values(changing)
        .and_where(guard(&key, read));
    State::Update(update)
}
