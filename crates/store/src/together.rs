//! Commands that are ready to be written at the same time are written by one statement of PostgreSQL. Each has its own
//! fate: one whose row has another version by now touches nothing, and its acts are not written either.

use std::sync::Arc;

use bangban_ledger::Hash;
use bangban_telemetry::sql::{self, Place as Told};
use sea_orm::{DbErr, Value, sqlx::postgres::PgArguments};
use tokio::sync::oneshot;

use crate::{
    Error, Store, batch,
    error::{is_division_by_zero, is_down},
    lanes::Lanes,
    question::broken_off,
    queue::Queue,
    write::Row,
};

/// So many of one shape go into one statement with those of other shapes. Who is alone of its kind has a statement of its
/// own: what is rare would make as many texts as there are ways to meet, each of which is planned anew.
const MET: usize = 2;

/// A command that is ready to be written: all of its rows and acts, or none.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Changed rows first, so that new ones depend on them; in one order of tables, so that statements wait for rows in
    /// one order.
    pub(crate) rows: Vec<Row>,
    shape: Shape,
    pub(crate) acts: Vec<Vec<Value>>,
    /// Hash of the last act, by which its position is known; none where there are no acts.
    pub(crate) head: Option<Hash>,
    answer: oneshot::Sender<Result<Option<Place>, Error>>,
    /// In a trace that is recorded.
    told: Option<Told>,
}

/// Transaction and position of an act.
pub(crate) type Place = (i64, i64);

/// What one part of a statement can write: changed or new rows of the same tables and columns, with acts or without.
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
        // In the order of their keys, and a table changed by those of one shape alone, so that two statements never wait
        // for each other's rows.
        writers.sort_by(|a, b| (&a.shape, a.key()).cmp(&(&b.shape, b.key())));
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        let mut changed: Vec<&str> = Vec::new();
        while let Some(first) = writers.first() {
            let others = writers.partition_point(|w| w.shape <= first.shape);
            let later = writers.split_off(others);
            let group = std::mem::replace(&mut writers, later);
            let changes: Vec<_> = group
                .first()
                .into_iter()
                .flat_map(Writer::changes)
                .collect();
            if group.len() < MET || changes.iter().any(|table| changed.contains(table)) {
                alone.push(group);
            } else {
                changed.extend(changes);
                together.push(group);
            }
        }
        if !together.is_empty() {
            write(&lanes, together).await;
        }
        for group in alone {
            write(&lanes, vec![group]).await;
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

    /// The tables of which it changes rows.
    fn changes(&self) -> impl Iterator<Item = &'static str> {
        let changed = self.rows.iter().filter(|row| row.read.is_some());
        changed.map(|row| row.table)
    }

    /// Nothing but new rows: all are there, or the statement was refused.
    fn is_new(&self) -> bool {
        self.rows.iter().all(|row| row.read.is_none())
    }
}

/// Writes commands, those of one shape side by side. What the database refuses is tried again, each shape by itself and then
/// each command, because one refusal refuses all.
async fn write(lanes: &Lanes, groups: Vec<Vec<Writer>>) {
    let is_alone = groups.iter().flatten().count() == 1;
    match done(lanes, &groups).await {
        Ok((numbers, places)) => {
            for (number, writer) in (1_i64..).zip(groups.into_iter().flatten()) {
                // No act was written because no row was touched.
                let answer = match writer.head {
                    Some(head) => {
                        let mut places = places.iter();
                        let place = places.find(|(hash, _)| *hash == head);
                        place.map(|(_, place)| Some(*place)).ok_or(Error::Conflict)
                    }
                    None if writer.is_new() || numbers.contains(&number) => Ok(None),
                    None => Err(Error::Conflict),
                };
                let _ = writer.answer.send(answer);
            }
        }
        // Alone, and some of its rows had the version that was read, and others had not.
        Err(error) if is_alone && is_division_by_zero(&error) => {
            for writer in groups.into_iter().flatten() {
                let _ = writer.answer.send(Err(Error::Conflict));
            }
        }
        Err(error) if is_alone || is_down(&error) => {
            for writer in groups.into_iter().flatten() {
                let _ = writer.answer.send(Err(error.clone().into()));
            }
        }
        Err(_) => {
            let parts: Vec<Vec<Writer>> = match groups.len() {
                1 => groups.into_iter().flatten().map(|w| vec![w]).collect(),
                _ => groups,
            };
            for part in parts {
                Box::pin(write(lanes, vec![part])).await;
            }
        }
    }
}

/// Writes, and answers the numbers of those without acts whose rows were changed, and hash and place of every act.
async fn done(
    lanes: &Lanes,
    groups: &[Vec<Writer>],
) -> Result<(Vec<i64>, Vec<(Hash, Place)>), DbErr> {
    let mut arguments = PgArguments::default();
    let sql = batch::statement(groups, &mut arguments)?;
    let writers = || groups.iter().flatten();
    let told: Vec<Told> = writers().filter_map(|w| w.told.clone()).collect();
    let answered = lanes.answers_to(&told, writers().count(), sql, arguments);
    let (mut numbers, mut places) = (Vec::new(), Vec::new());
    for row in answered.await? {
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
