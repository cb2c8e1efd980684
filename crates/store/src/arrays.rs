//! Rows turned into columns: what PostgreSQL's `unnest` takes, so that one statement of one text serves any number of
//! rows.

use sea_orm::{
    DbErr, Value,
    sqlx::{Arguments as _, postgres::PgArguments},
};

/// Adds rows to the arguments of a statement, and answers the table of them that the statement reads from: a column for
/// each name, and `n`, which numbers the rows from `number`.
///
/// The arrays are unrolled side by side, by one projection. As functions in FROM each would be written into a table of its
/// own first, which costs more than what is done with a few rows.
pub(crate) fn table(
    names: &[&str],
    rows: &[Vec<&Value>],
    number: i64,
    arguments: &mut PgArguments,
) -> Result<String, DbErr> {
    let first = rows
        .first()
        .ok_or_else(|| DbErr::Custom("no rows".to_owned()))?;
    if first.len() != names.len() {
        return Err(DbErr::Custom("a row has a value for each name".to_owned()));
    }
    let mut sql = String::from("(SELECT ");
    for (at, (name, like)) in names.iter().zip(first).enumerate() {
        let column = rows.iter().map(|row| row.get(at).copied());
        let kind = add(like, column, arguments)?;
        let number = arguments.len();
        sql.push_str(&format!("unnest(${number}::{kind}[]) AS {name}, "));
    }
    let numbers: Vec<i64> = (number..).take(rows.len()).collect();
    arguments.add(numbers).map_err(unfit)?;
    let number = arguments.len();
    sql.push_str(&format!("unnest(${number}::bigint[]) AS n)"));
    Ok(sql)
}

/// Adds one column, whose values are of one kind, and answers the name of the kind.
fn add<'a>(
    like: &Value,
    column: impl Iterator<Item = Option<&'a Value>>,
    arguments: &mut PgArguments,
) -> Result<&'static str, DbErr> {
    macro_rules! array {
        ($variant:ident, $value:ident => $inner:expr, $kind:literal) => {{
            let values = column.map(|value| match value {
                Some(Value::$variant($value)) => Ok($inner),
                other => Err(misfit(other)),
            });
            let values: Vec<_> = values.collect::<Result<_, _>>()?;
            arguments.add(values).map_err(unfit)?;
            Ok($kind)
        }};
    }
    match like {
        Value::String(_) => array!(String, value => value.as_deref(), "text"),
        Value::BigInt(_) => array!(BigInt, value => *value, "bigint"),
        Value::Int(_) => array!(Int, value => *value, "integer"),
        Value::Bytes(_) => array!(Bytes, value => value.as_deref(), "bytea"),
        Value::Bool(_) => array!(Bool, value => *value, "boolean"),
        other => Err(misfit(Some(other))),
    }
}

fn unfit(error: impl ToString) -> DbErr {
    DbErr::Custom(error.to_string())
}

fn misfit(value: Option<&Value>) -> DbErr {
    // The kind alone: values may be personal.
    let kind = value.map_or_else(|| "missing value".to_owned(), |value| format!("{value:?}"));
    let kind = kind.split('(').next().unwrap_or_default();
    DbErr::Custom(format!("no column of a batch holds a {kind}"))
}
