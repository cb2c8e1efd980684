//! Reads of rows: SQL that grows by conditions within a scope, pages of a list, messages out of rows.

use bangban_kit::{
    page::Page,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use prost::Message;
use sea_orm::{QueryResult, Statement, Value};

use crate::{Error, Store};

/// A query: SQL with its values, narrowed to a scope.
#[derive(Debug)]
pub struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    /// A query that reads no more than a scope allows: rows of its district, and of these what `within` leaves for its
    /// reach (BB-1). There is no other way to begin one.
    #[must_use]
    pub fn narrowed(select: &str, scope: &Scope, within: impl FnOnce(&mut Self, &Reach)) -> Self {
        let mut query = Self {
            sql: format!("{select} WHERE TRUE"),
            values: Vec::new(),
        };
        query.and("district = {}", scope.district());
        within(&mut query, scope.reach());
        query
    }

    /// Adds a condition; each `{}` stands for the value.
    pub fn and(&mut self, condition: &str, value: impl Into<Value>) {
        let place = self.bind(value);
        self.push(" AND ");
        self.push(&condition.replace("{}", &place));
    }

    /// Only rows of a column with this value, where one is given.
    pub fn only(&mut self, column: &str, value: &str) {
        if !value.is_empty() {
            self.and(&format!("{column} = {{}}"), value);
        }
    }

    /// Binds a value and answers its place.
    pub fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Adds SQL as it is.
    pub fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// At most so many rows, in this order.
    pub fn first(&mut self, order: &str, limit: i64) {
        let limit = self.bind(limit);
        self.push(&format!(" ORDER BY {order} LIMIT {limit}"));
    }

    /// The rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(self, store: &Store) -> Result<Vec<QueryResult>, Error> {
        let statement = Statement::from_sql_and_values(store.backend, self.sql, self.values);
        Ok(store.rows(statement).await?)
    }

    /// The messages that stand in the first column.
    ///
    /// # Errors
    /// INTERNAL for what is no such message; the database's.
    pub async fn bodies<M: Message + Default>(self, store: &Store) -> Result<Vec<M>, Error> {
        bodies(&self.rows(store).await?)
    }

    /// A page of the messages that stand in the first column, and whether more follow. They are in the order of `numbers`,
    /// which are columns of whole numbers, and then of their ids; the page's keys are these of the row before.
    ///
    /// # Errors
    /// INTERNAL for what is no such message; the database's.
    pub async fn page<M: Message + Default>(
        mut self,
        store: &Store,
        numbers: &[&str],
        page: &Page,
    ) -> Result<(Vec<M>, bool), Error> {
        let order = [numbers, &["id"]].concat().join(", ");
        if let Some((id, before)) = page.after.split_last()
            && before.len() == numbers.len()
        {
            let mut places: Vec<String> = before
                .iter()
                .map(|number| self.bind(number.parse::<i64>().unwrap_or_default()))
                .collect();
            places.push(self.bind(id.clone()));
            self.push(&format!(" AND ({order}) > ({})", places.join(", ")));
        }
        // One more than asked tells whether more follow.
        self.first(&order, i64::try_from(page.size).unwrap_or(500) + 1);
        let mut found = self.bodies(store).await?;
        let has_more = found.len() as u64 > page.size;
        found.truncate(usize::try_from(page.size).unwrap_or(500));
        Ok((found, has_more))
    }
}

/// The message in a column of a row; none where nothing stands there.
///
/// # Errors
/// INTERNAL for what is no such message; the database's.
pub fn decode<M: Message + Default>(row: &QueryResult, column: usize) -> Result<Option<M>, Error> {
    let bytes: Option<Vec<u8>> = row.try_get_by_index(column)?;
    bytes
        .map(|b| M::decode(b.as_slice()).map_err(|e| Refusal::internal(e).into()))
        .transpose()
}

/// The messages in the first column of rows.
///
/// # Errors
/// INTERNAL for what is no such message; the database's.
pub fn bodies<M: Message + Default>(rows: &[QueryResult]) -> Result<Vec<M>, Error> {
    rows.iter()
        .map(|row| Ok(decode(row, 0)?.unwrap_or_default()))
        .collect()
}

impl Store {
    /// District and id of rows: the first two columns that a statement answers.
    ///
    /// # Errors
    /// The database's.
    pub async fn pairs(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<(String, String)>, Error> {
        let statement = Statement::from_sql_and_values(self.backend, sql, values);
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }
}
