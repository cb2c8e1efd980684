//! Commands that are ready to be written at the same time are written by one statement of PostgreSQL. Each has its own
//! fate: one whose row has another version by now touches nothing, and its acts are not written either.

use std::sync::Arc;

use bangban_ledger::Hash;
use bangban_telemetry::sql::{self, Place as Told};
use sea_orm::{DbErr, Iden as _, Value, sqlx::postgres::PgArguments};
use tokio::sync::oneshot;

use crate::{
    Error, Store, arrays,
    error::is_down,
    lanes::Lanes,
    question::broken_off,
    queue::Queue,
    write::{COLUMNS, Row},
};

/// A command that is ready to be written.
#[derive(Debug)]
pub(crate) struct Writer {
    row: Row,
    acts: Vec<Vec<Value>>,
    /// Hash of the last act, by which its position is known.
    head: Hash,
    answer: oneshot::Sender<Result<Place, Error>>,
    /// In a trace that is recorded.
    told: Option<Told>,
}

/// Transaction and position of an act.
type Place = (i64, i64);

impl Store {
    /// Writes a row and its acts, and answers the place of the last act.
    pub(crate) async fn write_together(
        &self,
        row: Row,
        acts: Vec<Vec<Value>>,
        head: Hash,
    ) -> Result<Place, Error> {
        let Some(lanes) = &self.point else {
            return Err(DbErr::Custom("only on PostgreSQL".to_owned()).into());
        };
        let (answer, answered) = oneshot::channel();
        let waiting = sql::wait("write");
        let writer = Writer {
            told: waiting.as_ref().map(sql::Waiting::place),
            row,
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
        let mut writers = runner.take();
        if writers.is_empty() {
            return;
        }
        // In the order of their keys, so that two statements never wait for each other's rows.
        writers.sort_by_cached_key(|w| (w.shape(), format!("{:?}", w.row.key)));
        while let Some(first) = writers.first() {
            let shape = first.shape();
            let others = writers.partition_point(|w| w.shape() <= shape);
            let later = writers.split_off(others);
            write(&lanes, std::mem::replace(&mut writers, later)).await;
        }
    }
}

impl Writer {
    /// What one statement can write together: new rows, or changed ones, of one table.
    fn shape(&self) -> (&'static str, bool) {
        (self.row.table, self.row.read.is_some())
    }
}

/// Writes commands of one shape. What the database refuses is tried again alone, because one refusal refuses all.
async fn write(lanes: &Lanes, writers: Vec<Writer>) {
    let is_alone = writers.len() == 1;
    match places(lanes, &writers).await {
        Ok(places) => {
            for writer in writers {
                let place = places.iter().find(|(head, _)| *head == writer.head);
                // No act was written because no row was touched.
                let place = place.map(|(_, place)| *place).ok_or(Error::Conflict);
                let _ = writer.answer.send(place);
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

/// Writes, and answers hash and place of every act that was written.
async fn places(lanes: &Lanes, writers: &[Writer]) -> Result<Vec<(Hash, Place)>, DbErr> {
    let mut arguments = PgArguments::default();
    let sql = statement(writers, &mut arguments)?;
    let told: Vec<Told> = writers.iter().filter_map(|w| w.told.clone()).collect();
    let rows = lanes
        .answers_to(&told, writers.len(), sql, arguments)
        .await?;
    rows.iter()
        .map(|row| {
            let hash: Vec<u8> = row.try_get_by_index(0)?;
            let place = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            Ok((crate::act::hash(&hash), place))
        })
        .collect()
}

fn statement(writers: &[Writer], arguments: &mut PgArguments) -> Result<String, DbErr> {
    let first = writers.first().ok_or_else(broken_off)?;
    let (table, is_change) = (first.row.table, first.row.read.is_some());
    let names: Vec<&str> = first.row.columns.iter().map(|(name, _)| *name).collect();
    let listed = names.join(", ");
    let given = arrays::unnest(writers.iter().map(|w| w.row.values()).collect(), arguments)?;
    let mut acts = Vec::new();
    for (of, writer) in (1_i64..).zip(writers) {
        for act in &writer.acts {
            let mut act = act.clone();
            act.push(of.into());
            acts.push(act);
        }
    }
    let acts = arrays::unnest(acts, arguments)?;
    let act_names: Vec<String> = COLUMNS.iter().map(|c| c.unquoted().to_owned()).collect();
    let act_names = act_names.join(", ");
    let (changed, only) = if is_change {
        let set: Vec<String> = names.iter().map(|n| format!("{n} = g.{n}")).collect();
        (
            format!(
                "UPDATE {table} t SET {} FROM {given} AS g(district, id, read_version, {listed}, n) \
                 WHERE t.district = g.district AND t.id = g.id AND t.version = g.read_version RETURNING g.n",
                set.join(", ")
            ),
            " WHERE a.of IN (SELECT n FROM changed)",
        )
    } else {
        (
            format!(
                "INSERT INTO {table} (district, id, {listed}) SELECT district, id, {listed} \
                 FROM {given} AS g(district, id, {listed}, n) ORDER BY n RETURNING 1"
            ),
            // The rows first, as elsewhere: a key of theirs that is taken is told before one of the log.
            " WHERE (SELECT count(*) FROM changed) > 0",
        )
    };
    Ok(format!(
        "WITH changed AS ({changed}), written AS (INSERT INTO acts ({act_names}) SELECT {act_names} \
         FROM {acts} AS a({act_names}, of, n){only} ORDER BY n RETURNING hash, tx, position) \
         SELECT hash, tx, position FROM written"
    ))
}
