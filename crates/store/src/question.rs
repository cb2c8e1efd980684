//! A question that many commands ask at the same time, and that one statement answers for all of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bangban_telemetry::sql::{self, Place};
use sea_orm::{DbBackend, DbErr, QueryResult, Statement, Value, sqlx::postgres::PgArguments};
use tokio::sync::oneshot;

use crate::{Store, arrays, clock::now_sql, lanes::Lanes, queue::Queue};

/// A question: what is given, what is wanted, and where it is found. At most one row answers each.
#[derive(Debug)]
pub struct Question {
    /// Names of what is given; the other parts write `g.NAME`.
    pub given: &'static [&'static str],
    /// The expressions that are wanted; `{now}` is the database's time in microseconds. A row of another table is
    /// looked up by a scalar subquery or a join on its key, so that no plan reads a whole table.
    pub wanted: String,
    /// What is joined to the given.
    pub joined: &'static str,
}

/// One who asked.
#[derive(Debug)]
pub(crate) struct Asker {
    given: Vec<Value>,
    /// In a trace that is recorded.
    place: Option<Place>,
    answer: oneshot::Sender<Result<Option<QueryResult>, DbErr>>,
}

/// The queues of a store's questions, by the question's address.
pub(crate) type Askers = Arc<Mutex<HashMap<usize, Arc<Queue<Asker>>>>>;

impl Question {
    /// The statement for one who asks; columns count from 1, as in the one for many.
    fn for_one(&self, backend: DbBackend, given: Vec<Value>) -> Statement {
        let names = self.given.iter().enumerate();
        let names: Vec<String> = names
            .map(|(n, name)| format!("${} AS {name}", n + 1))
            .collect();
        let from = format!("(SELECT {}, 1 AS n) AS g", names.join(", "));
        Statement::from_sql_and_values(backend, self.sql(backend, &from), given)
    }

    fn sql(&self, backend: DbBackend, from: &str) -> String {
        let wanted = self.wanted.replace("{now}", now_sql(backend));
        format!("SELECT g.n, {wanted} FROM {from} {}", self.joined)
    }
}

impl Store {
    /// Asks a question. The answer's columns count from 1, in the order of what is wanted.
    ///
    /// # Errors
    /// The database's.
    pub async fn ask(
        &self,
        question: &'static Question,
        given: Vec<Value>,
    ) -> Result<Option<QueryResult>, DbErr> {
        let Some(lanes) = &self.point else {
            let one = question.for_one(self.backend, given);
            return self.row(one).await;
        };
        let queue = {
            let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
            let address = std::ptr::from_ref(question).addr();
            Arc::clone(askers.entry(address).or_default())
        };
        let (answer, answered) = oneshot::channel();
        let waiting = sql::wait("ask");
        let asker = Asker {
            given,
            place: waiting.as_ref().map(sql::Waiting::place),
            answer,
        };
        if queue.put(asker) {
            tokio::spawn(run(lanes.clone(), question, queue));
        }
        answered.await.unwrap_or_else(|_| Err(broken_off()))
    }
}

/// Whoever answered has gone without an answer.
pub(crate) fn broken_off() -> DbErr {
    DbErr::Custom("a statement was broken off; report this".to_owned())
}

async fn run(lanes: Lanes, question: &'static Question, queue: Arc<Queue<Asker>>) {
    let mut runner = queue.runner();
    loop {
        let askers = runner.next().await;
        if askers.is_empty() {
            return;
        }
        let mut places = Vec::new();
        let (given, mut answers): (Vec<_>, Vec<_>) = askers
            .into_iter()
            .map(|asker| {
                places.extend(asker.place);
                (asker.given, Some(asker.answer))
            })
            .unzip();
        match answer_all(&lanes, question, given, &places).await {
            Ok(rows) => {
                for (number, row) in rows {
                    if let Some(answer) = answers.get_mut(number).and_then(Option::take) {
                        let _ = answer.send(Ok(Some(row)));
                    }
                }
                for answer in answers.into_iter().flatten() {
                    let _ = answer.send(Ok(None));
                }
            }
            Err(error) => {
                for answer in answers.into_iter().flatten() {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// The rows, each with the place of who asked for it.
async fn answer_all(
    lanes: &Lanes,
    question: &Question,
    given: Vec<Vec<Value>>,
    places: &[Place],
) -> Result<Vec<(usize, QueryResult)>, DbErr> {
    let mut arguments = PgArguments::default();
    let asked = given.len();
    let rows: Vec<Vec<&Value>> = given.iter().map(|one| one.iter().collect()).collect();
    let table = arrays::table(question.given, &rows, 1, &mut arguments)?;
    let from = format!("{table} AS g");
    let sql = question.sql(DbBackend::Postgres, &from);
    let rows = lanes.answers_to(places, asked, sql, arguments).await?;
    rows.into_iter()
        .map(|row| {
            let number: i64 = row.try_get_by_index(0)?;
            Ok((usize::try_from(number - 1).unwrap_or(usize::MAX), row))
        })
        .collect()
}
