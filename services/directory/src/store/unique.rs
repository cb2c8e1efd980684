//! Values that lead to things: unique ones, and ones that several things share.

use bangban_kit::scope::Scope;
use bangban_store::{Error, write::State};
use sea_orm::{
    ConnectionTrait,
    sea_query::{Alias, DeleteStatement, Expr, ExprTrait as _, Query},
};

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// A value leads to one thing.
    Uniques,
    /// A value leads to several.
    Lookups,
}

impl Table {
    fn name(self) -> Alias {
        Alias::new(match self {
            Self::Uniques => "uniques",
            Self::Lookups => "lookups",
        })
    }
}

/// Whether the taken key is that of [`Table::Uniques`].
#[must_use]
pub fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Taken(what) if what.contains("uniques"))
}

/// Makes a value lead to a thing.
#[must_use]
pub fn insert(table: Table, district: &str, kind: &str, value: &str, id: &str) -> State {
    let mut insert = Query::insert();
    insert
        .into_table(table.name())
        .columns(["district", "kind", "value", "id"].map(Alias::new))
        .values_panic([district, kind, value, id].map(Expr::val));
    State::Insert(insert)
}

/// Touches the one value of a kind that leads to a thing: what is written with it is not once nothing leads there.
#[must_use]
pub fn still(table: Table, district: &str, kind: &str, id: &str) -> State {
    let mut update = Query::update();
    update
        .table(table.name())
        .value(Alias::new("id"), id)
        .and_where(Expr::col(Alias::new("district")).eq(district))
        .and_where(Expr::col(Alias::new("kind")).eq(kind))
        .and_where(Expr::col(Alias::new("id")).eq(id));
    State::Update(update)
}

/// Takes away all values of a kind that lead to a thing.
#[must_use]
pub fn delete(table: Table, district: &str, kind: &str, id: &str) -> DeleteStatement {
    let mut delete = Query::delete();
    delete
        .from_table(table.name())
        .and_where(Expr::col(Alias::new("district")).eq(district))
        .and_where(Expr::col(Alias::new("kind")).eq(kind))
        .and_where(Expr::col(Alias::new("id")).eq(id));
    delete
}

/// Ids of at most `most` things that any of the values leads to.
///
/// # Errors
/// The database's.
pub async fn find(
    db: &impl ConnectionTrait,
    scope: &Scope,
    table: Table,
    kind: &str,
    values: Vec<String>,
    most: u64,
) -> Result<Vec<String>, Error> {
    let select = Query::select()
        .column(Alias::new("id"))
        .from(table.name())
        .and_where(Expr::col(Alias::new("district")).eq(scope.district()))
        .and_where(Expr::col(Alias::new("kind")).eq(kind))
        .and_where(Expr::col(Alias::new("value")).is_in(values))
        .order_by(Alias::new("id"), sea_orm::Order::Asc)
        .limit(most)
        .to_owned();
    let rows = db.query_all(&select).await?;
    rows.iter()
        .map(|r| r.try_get_by_index(0).map_err(Error::from))
        .collect()
}
