//! Commands that are ready to be written at the same time are written by one statement of PostgreSQL. Each has its own
//! fate: one whose row has another version by now touches nothing, and its acts are not written either.

use std::sync::Arc;

use bangban_ledger::Hash;
use bangban_telemetry::sql::{self, Place as Told};
use sea_orm::{DbErr, Iden as _, Value, sqlx::postgres::PgArguments};
use tokio::sync::oneshot;

use crate::{
    Error, Store, arrays,
    error::{is_division_by_zero, is_down},
    lanes::Lanes,
    question::broken_off,
    queue::Queue,
    write::{COLUMNS, Row},
};

/// A command that is ready to be written: all of its rows and acts, or none.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Changed rows first, so that new ones depend on them; in one order of tables, so that statements wait for rows in
    /// one order.
    rows: Vec<Row>,
    shape: Shape,
    acts: Vec<Vec<Value>>,
    /// Hash of the last act, by which its position is known; none where there are no acts.
    head: Option<Hash>,
    answer: oneshot::Sender<Result<Option<Place>, Error>>,
    /// In a trace that is recorded.
    told: Option<Told>,
}

/// Transaction and position of an act.
pub(crate) type Place = (i64, i64);

/// What one statement can write together: changed or new rows of the same tables and columns, with acts or without.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    rows: Vec<(bool, &'static str, Vec<&'static str>, Option<&'static str>)>,
    has_acts: bool,
}

impl Store {
    /// Writes rows and acts, and answers the place of the last act.
    pub(crate) async fn write_together(
        &self,
        mut rows: Vec<Row>,
        acts: Vec<Vec<Value>>,
        head: Option<Hash>,
    ) -> Result<Option<Place>, Error> {
        let Some(lanes) = &self.point else {
            return Err(DbErr::Custom("only on PostgreSQL".to_owned()).into());
        };
        rows.sort_by_key(|row| (row.read.is_none(), row.table));
        let (answer, answered) = oneshot::channel();
        let waiting = sql::wait("write");
        let writer = Writer {
            told: waiting.as_ref().map(sql::Waiting::place),
            shape: Shape::of(&rows, head.is_some()),
            rows,
            acts,
            head,
            answer,
        };
        if self.writers.put(writer) {
            tokio::spawn(run(lanes.clone(), Arc::clone(&self.writers)));
        }
        answered.await.unwrap_or_else(|_| Err(broken_off().into()))
    }
}

async fn run(lanes: Lanes, queue: Arc<Queue<Writer>>) {
    let mut runner = queue.runner();
    loop {
        let mut writers = runner.next().await;
        if writers.is_empty() {
            return;
        }
        // In the order of their keys, so that two statements never wait for each other's rows.
        writers.sort_by(|a, b| (&a.shape, a.key()).cmp(&(&b.shape, b.key())));
        while let Some(first) = writers.first() {
            let others = writers.partition_point(|w| w.shape <= first.shape);
            let later = writers.split_off(others);
            write(&lanes, std::mem::replace(&mut writers, later)).await;
        }
    }
}

impl Shape {
    fn of(rows: &[Row], has_acts: bool) -> Self {
        let row = |row: &Row| {
            let columns = row.columns.iter().map(|(name, _)| *name).collect();
            let provided = row.provided.as_ref().map(|p| p.sql);
            (row.read.is_none(), row.table, columns, provided)
        };
        Self {
            rows: rows.iter().map(row).collect(),
            has_acts,
        }
    }
}

impl Writer {
    /// The key of its first row.
    fn key(&self) -> Option<[&str; 2]> {
        match &self.rows.first()?.key {
            [Value::String(Some(district)), Value::String(Some(id))] => Some([district, id]),
            _ => None,
        }
    }

    /// Nothing but new rows.
    fn is_new(&self) -> bool {
        self.rows.iter().all(|row| row.read.is_none())
    }
}

/// Writes commands of one shape. What the database refuses is tried again alone, because one refusal refuses all.
async fn write(lanes: &Lanes, writers: Vec<Writer>) {
    let is_alone = writers.len() == 1;
    match done(lanes, &writers).await {
        Ok((numbers, places)) => {
            for (number, writer) in (1_i64..).zip(writers) {
                // No act was written because no row was touched.
                let answer = match writer.head {
                    Some(head) => {
                        let mut places = places.iter();
                        let place = places.find(|(hash, _)| *hash == head);
                        place.map(|(_, place)| Some(*place)).ok_or(Error::Conflict)
                    }
                    None if numbers.contains(&number) => Ok(None),
                    None => Err(Error::Conflict),
                };
                let _ = writer.answer.send(answer);
            }
        }
        // Alone, and some of its rows had the version that was read, and others had not.
        Err(error) if is_alone && is_division_by_zero(&error) => {
            for writer in writers {
                let _ = writer.answer.send(Err(Error::Conflict));
            }
        }
        Err(error) if is_alone || is_down(&error) => {
            for writer in writers {
                let _ = writer.answer.send(Err(error.clone().into()));
            }
        }
        Err(_) => {
            for writer in writers {
                Box::pin(write(lanes, vec![writer])).await;
            }
        }
    }
}

/// Writes, and answers the numbers of those who were written, and hash and place of every act that was.
async fn done(lanes: &Lanes, writers: &[Writer]) -> Result<(Vec<i64>, Vec<(Hash, Place)>), DbErr> {
    let mut arguments = PgArguments::default();
    let sql = statement(writers, &mut arguments)?;
    let told: Vec<Told> = writers.iter().filter_map(|w| w.told.clone()).collect();
    let answered = lanes.answers_to(&told, writers.len(), sql, arguments);
    let (mut numbers, mut places) = (Vec::new(), Vec::new());
    let answered = answered.await?;
    // New rows are all there, or none is.
    if writers.first().is_some_and(Writer::is_new) {
        numbers.extend((1_i64..).take(writers.len()));
    }
    for row in answered {
        match row.try_get_by_index::<Option<Vec<u8>>>(1)? {
            Some(hash) => {
                let place = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
                places.push((crate::act::hash(&hash), place));
            }
            None => numbers.extend(row.try_get_by_index::<Option<i64>>(0)?),
        }
    }
    Ok((numbers, places))
}

/// Whether a number is among those whose rows before were changed.
fn among(changes: &[String], number: &str) -> String {
    match changes.last() {
        // An array that is made once, and no join: the planner would go through the given rows again for each of them.
        Some(before) => format!("{number} = ANY (ARRAY(SELECT n FROM {before}))"),
        None => "true".to_owned(),
    }
}

/// The version that the row at a place must still have, where it is not new.
fn version(writer: &Writer, at: usize) -> Option<Value> {
    let read = writer.rows.get(at)?.read?;
    Some(i64::try_from(read).unwrap_or(i64::MAX).into())
}

fn statement(writers: &[Writer], arguments: &mut PgArguments) -> Result<String, DbErr> {
    let first = writers.first().ok_or_else(broken_off)?;
    let mut parts = Vec::new();
    // The parts that change rows, each of which goes on with those whose row before was the one that was read.
    let mut changes: Vec<String> = Vec::new();
    let mut added: Vec<String> = Vec::new();
    for (at, row) in first.rows.iter().enumerate() {
        let names: Vec<&str> = row.columns.iter().map(|(name, _)| *name).collect();
        let (table, listed) = (row.table, names.join(", "));
        let key = ["district", "id"].into_iter();
        let read = row.read.map(|_| "read_version");
        let mut given: Vec<&str> = key.chain(read).chain(names.iter().copied()).collect();
        let mut only = among(&changes, "g.n");
        if let Some(provided) = &row.provided {
            given.extend(provided.given.iter().map(|(name, _)| *name));
            only = format!("{only} AND {}", provided.sql);
        }
        let versions: Vec<Option<Value>> = writers.iter().map(|w| version(w, at)).collect();
        let values = writers
            .iter()
            .zip(&versions)
            .filter_map(|(writer, version)| {
                let row = writer.rows.get(at)?;
                let provided = row.provided.iter().flat_map(|p| &p.given);
                let named = row.columns.iter().chain(provided);
                let named = named.map(|(_, value)| value);
                Some(row.key.iter().chain(version).chain(named).collect())
            });
        let given = arrays::table(&given, &values.collect::<Vec<_>>(), arguments)?;
        if row.read.is_some() {
            let set: Vec<String> = names.iter().map(|n| format!("{n} = g.{n}")).collect();
            let name = format!("changed{at}");
            parts.push(format!(
                "{name} AS (UPDATE {table} t SET {} FROM {given} AS g \
                 WHERE t.district = g.district AND t.id = g.id AND t.version = g.read_version AND {only} RETURNING g.n)",
                set.join(", ")
            ));
            changes.push(name);
        } else {
            let name = format!("added{at}");
            parts.push(format!(
                "{name} AS (INSERT INTO {table} (district, id, {listed}) SELECT district, id, {listed} \
                 FROM {given} AS g WHERE {only} RETURNING 1)"
            ));
            added.push(name);
        }
    }
    let touched = "NULL::bytea, NULL::bigint, NULL::bigint";
    let mut answers = vec![match changes.last() {
        Some(last) => format!("SELECT n, {touched} FROM {last}"),
        None => format!("SELECT NULL::bigint, {touched}"),
    }];
    if first.head.is_some() {
        let of: Vec<Value> = (1_i64..).take(writers.len()).map(Value::from).collect();
        let acts = writers.iter().zip(&of);
        let acts = acts.flat_map(|(writer, of)| writer.acts.iter().map(move |act| (act, of)));
        let acts: Vec<Vec<&Value>> = acts
            .map(|(act, of)| act.iter().chain([of]).collect())
            .collect();
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.unquoted()).collect();
        let listed = names.join(", ");
        names.push("of");
        let acts = arrays::table(&names, &acts, arguments)?;
        // The rows first, as elsewhere: a key of theirs that is taken is told before one of the log.
        let mut only = vec![among(&changes, "g.of")];
        only.extend(
            added
                .iter()
                .map(|added| format!("(SELECT count(*) FROM {added}) > 0")),
        );
        parts.push(format!(
            "written AS (INSERT INTO acts ({listed}) SELECT {listed} FROM {acts} AS g WHERE {} \
             ORDER BY n RETURNING hash, tx, position)",
            only.join(" AND ")
        ));
        answers.push("SELECT NULL, hash, tx, position FROM written".to_owned());
    }
    // All rows of a command or none: where only some were touched, nothing of the statement may stay.
    if let [one, .., last] = changes.as_slice() {
        answers.push(format!(
            "SELECT -(1 / (CASE WHEN (SELECT count(*) FROM {one}) = (SELECT count(*) FROM {last}) THEN 1 ELSE 0 END))::bigint, \
             NULL, NULL, NULL"
        ));
    }
    Ok(format!(
        "WITH {} {}",
        parts.join(", "),
        answers.join(" UNION ALL ")
    ))
}
