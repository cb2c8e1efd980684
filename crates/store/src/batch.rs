//! The one statement that writes commands which are ready at the same time: a part for each shape, in which those of that
//! shape lie side by side.

use sea_orm::{DbErr, Iden as _, Value, sqlx::postgres::PgArguments};

use crate::{arrays, question::broken_off, together::Writer, write::COLUMNS};

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

/// The text, and what it is given: the same text for the same shapes, however many there are of each. Its rows are the
/// numbers of those without acts whose rows were changed, counted over all writers from 1, and hash, transaction and
/// position of each act.
pub(crate) fn statement(
    groups: &[Vec<Writer>],
    arguments: &mut PgArguments,
) -> Result<String, DbErr> {
    let mut text = Text::default();
    let mut number = 1;
    for (group, writers) in groups.iter().enumerate() {
        text.group(group, writers, number, arguments)?;
        number += i64::try_from(writers.len()).unwrap_or(i64::MAX);
    }
    if text.answers.is_empty() {
        text.answers.push(format!("SELECT NULL::bigint, {NO_ACT}"));
    }
    Ok(format!(
        "WITH {} {}",
        text.parts.join(", "),
        text.answers.join(" UNION ALL ")
    ))
}

/// In place of an act's hash, transaction and position.
const NO_ACT: &str = "NULL::bytea, NULL::bigint, NULL::bigint";

/// What the statement is made of.
#[derive(Default)]
struct Text {
    parts: Vec<String>,
    answers: Vec<String>,
}

impl Text {
    /// Adds the part of writers of one shape, who are numbered from `number`.
    fn group(
        &mut self,
        group: usize,
        writers: &[Writer],
        number: i64,
        arguments: &mut PgArguments,
    ) -> Result<(), DbErr> {
        let first = writers.first().ok_or_else(broken_off)?;
        let (changes, added) = self.rows(group, writers, number, arguments)?;
        if first.head.is_some() {
            self.acts(group, writers, number, (&changes, &added), arguments)?;
        } else if let Some(last) = changes.last() {
            self.answers.push(format!("SELECT n, {NO_ACT} FROM {last}"));
        }
        // All rows of a command or none: where only some were touched, nothing of the statement may stay.
        if let [one, .., last] = changes.as_slice() {
            self.answers.push(format!(
                "SELECT -(1 / (CASE WHEN (SELECT count(*) FROM {one}) = (SELECT count(*) FROM {last}) THEN 1 ELSE 0 END))::bigint, \
                 {NO_ACT}"
            ));
        }
        Ok(())
    }

    /// Adds their rows, and answers the names of the parts that change rows, each of which goes on with those whose row before
    /// was the one that was read, and of those that add some.
    fn rows(
        &mut self,
        group: usize,
        writers: &[Writer],
        number: i64,
        arguments: &mut PgArguments,
    ) -> Result<(Vec<String>, Vec<String>), DbErr> {
        let first = writers.first().ok_or_else(broken_off)?;
        let (mut changes, mut added) = (Vec::new(), Vec::new());
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
            let given = arrays::table(&given, &values.collect::<Vec<_>>(), number, arguments)?;
            if row.read.is_some() {
                let set: Vec<String> = names.iter().map(|n| format!("{n} = g.{n}")).collect();
                let name = format!("changed{group}_{at}");
                self.parts.push(format!(
                    "{name} AS (UPDATE {table} t SET {} FROM {given} AS g \
                     WHERE t.district = g.district AND t.id = g.id AND t.version = g.read_version AND {only} RETURNING g.n)",
                    set.join(", ")
                ));
                changes.push(name);
            } else {
                let name = format!("added{group}_{at}");
                self.parts.push(format!(
                    "{name} AS (INSERT INTO {table} (district, id, {listed}) SELECT district, id, {listed} \
                     FROM {given} AS g WHERE {only} RETURNING 1)"
                ));
                added.push(name);
            }
        }
        Ok((changes, added))
    }

    /// Adds the acts of those whose rows were changed and added by these parts.
    fn acts(
        &mut self,
        group: usize,
        writers: &[Writer],
        number: i64,
        (changes, added): (&[String], &[String]),
        arguments: &mut PgArguments,
    ) -> Result<(), DbErr> {
        let of: Vec<Value> = (number..).take(writers.len()).map(Value::from).collect();
        let acts = writers.iter().zip(&of);
        let acts = acts.flat_map(|(writer, of)| writer.acts.iter().map(move |act| (act, of)));
        let acts: Vec<Vec<&Value>> = acts
            .map(|(act, of)| act.iter().chain([of]).collect())
            .collect();
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.unquoted()).collect();
        let listed = names.join(", ");
        names.push("of");
        let acts = arrays::table(&names, &acts, 1, arguments)?;
        // The rows first, as elsewhere: a key of theirs that is taken is told before one of the log.
        let mut only = vec![among(changes, "g.of")];
        only.extend(
            added
                .iter()
                .map(|added| format!("(SELECT count(*) FROM {added}) > 0")),
        );
        let name = format!("written{group}");
        self.parts.push(format!(
            "{name} AS (INSERT INTO acts ({listed}) SELECT {listed} FROM {acts} AS g WHERE {} \
             ORDER BY n RETURNING hash, tx, position)",
            only.join(" AND ")
        ));
        self.answers.push(format!(
            "SELECT NULL::bigint, hash, tx, position FROM {name}"
        ));
        Ok(())
    }
}
