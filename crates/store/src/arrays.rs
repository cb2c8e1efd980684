//! Rows turned into columns: what PostgreSQL's `unnest` takes, so that one statement of one text serves any number of
//! rows.

use sea_orm::{
    DbErr, Value,
    sqlx::{Arguments as _, postgres::PgArguments},
};

/// The values of one column.
#[derive(Debug)]
enum Array {
    Text(Vec<Option<String>>),
    Long(Vec<Option<i64>>),
    Integer(Vec<Option<i32>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Flag(Vec<Option<bool>>),
}

impl Array {
    /// An empty column of the kind of a value.
    fn like(value: &Value) -> Result<Self, DbErr> {
        Ok(match value {
            Value::String(_) => Self::Text(Vec::new()),
            Value::BigInt(_) => Self::Long(Vec::new()),
            Value::Int(_) => Self::Integer(Vec::new()),
            Value::Bytes(_) => Self::Bytes(Vec::new()),
            Value::Bool(_) => Self::Flag(Vec::new()),
            other => return Err(misfit(other)),
        })
    }

    fn push(&mut self, value: Value) -> Result<(), DbErr> {
        match (self, value) {
            (Self::Text(column), Value::String(value)) => column.push(value),
            (Self::Long(column), Value::BigInt(value)) => column.push(value),
            (Self::Integer(column), Value::Int(value)) => column.push(value),
            (Self::Bytes(column), Value::Bytes(value)) => column.push(value),
            (Self::Flag(column), Value::Bool(value)) => column.push(value),
            (_, other) => return Err(misfit(&other)),
        }
        Ok(())
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Long(_) => "bigint",
            Self::Integer(_) => "integer",
            Self::Bytes(_) => "bytea",
            Self::Flag(_) => "boolean",
        }
    }

    fn add_to(self, arguments: &mut PgArguments) -> Result<(), DbErr> {
        match self {
            Self::Text(column) => arguments.add(column),
            Self::Long(column) => arguments.add(column),
            Self::Integer(column) => arguments.add(column),
            Self::Bytes(column) => arguments.add(column),
            Self::Flag(column) => arguments.add(column),
        }
        .map_err(|e| DbErr::Custom(e.to_string()))
    }
}

fn misfit(value: &Value) -> DbErr {
    // The kind alone: values may be personal.
    let kind = format!("{value:?}");
    let kind = kind.split('(').next().unwrap_or_default();
    DbErr::Custom(format!("no column of a batch holds a {kind}"))
}

/// Adds rows to the arguments of a statement, and answers the `unnest` that gives them back, numbered from 1 by a last
/// column.
pub(crate) fn unnest(rows: Vec<Vec<Value>>, arguments: &mut PgArguments) -> Result<String, DbErr> {
    let first = rows
        .first()
        .ok_or_else(|| DbErr::Custom("no rows".to_owned()))?;
    let mut columns = first
        .iter()
        .map(Array::like)
        .collect::<Result<Vec<_>, _>>()?;
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value)?;
        }
    }
    let mut sql = String::from("unnest(");
    for (index, column) in columns.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (number, kind) = (arguments.len() + 1, column.type_name());
        sql.push_str(&format!("{comma}${number}::{kind}[]"));
        column.add_to(arguments)?;
    }
    sql.push_str(") WITH ORDINALITY");
    Ok(sql)
}
