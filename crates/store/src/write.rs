//! Puts acts and the state that they lead to down in one transaction. On PostgreSQL one row with its acts is a single
//! statement, and that of other commands as well, because round trips are what a command costs.

use bangban_kit::identity::Caller;
use bangban_ledger::{EntryRef, Hash};
use sea_orm::{
    ConnectionTrait, DbErr, ExecResult, QueryResult,
    sea_query::{Alias, Expr, ExprTrait as _, InsertStatement, Query, UpdateStatement, Value},
};
use sha2::{Digest as _, Sha256};

use crate::{Connection, Error, Now, Position, Store, Transaction, act};

/// A change of state that must touch exactly one row: an update guarded by the version that was read, or an insert.
#[derive(Debug, Clone)]
pub enum State {
    /// A new row; a taken key is [`Error::Taken`].
    Insert(InsertStatement),
    /// A row that must still have the version that was read; else [`Error::Conflict`].
    Update(UpdateStatement),
    /// A row of a service's main table, written together with those of other commands.
    Row(Row),
}

/// A row with its key and its version: what most commands change, and nothing else.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its table.
    pub table: &'static str,
    /// District and id.
    pub key: [Value; 2],
    /// The version that was read, which it must still have; none for a new row.
    pub read: Option<u64>,
    /// The columns that are written, beside the key. Those that name the same ones, in one order, are written together.
    pub columns: Vec<(&'static str, Value)>,
    /// What else must be so for a change, where [`Store::can_provide`].
    pub provided: Option<Provided>,
}

/// A condition on the change of a row, beside its version. Where it is not met the row counts as changed by another.
#[derive(Debug, Clone)]
pub struct Provided {
    /// In PostgreSQL's words: `t.` are the row's columns, `g.` the key and what is given.
    pub sql: &'static str,
    /// What the condition is about, under names that no column that is written has.
    pub given: Vec<(&'static str, Value)>,
}

impl Row {
    /// The statement that writes it alone.
    fn alone(self) -> Result<State, DbErr> {
        if self.provided.is_some() {
            return Err(DbErr::Custom("a condition is for a batch".to_owned()));
        }
        let [district, id] = self.key;
        let key = [("district", district), ("id", id)];
        Ok(match self.read {
            None => {
                let (names, values): (Vec<_>, Vec<_>) = key.into_iter().chain(self.columns).unzip();
                let mut insert = Query::insert();
                insert
                    .into_table(Alias::new(self.table))
                    .columns(names.into_iter().map(Alias::new));
                insert.values_panic(values.into_iter().map(Expr::val));
                State::Insert(insert)
            }
            Some(read) => {
                let mut update = Query::update();
                update.table(Alias::new(self.table));
                for (name, value) in self.columns {
                    update.value(Alias::new(name), value);
                }
                let key = key.map(|(name, value)| (Alias::new(name), value));
                update.and_where(guard(&key, read));
                State::Update(update)
            }
        })
    }
}

impl State {
    /// Writes it within a transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn execute(self, transaction: &impl ConnectionTrait) -> Result<ExecResult, DbErr> {
        let alone = match self {
            Self::Row(row) => row.alone()?,
            other => other,
        };
        match alone {
            Self::Insert(insert) => transaction.execute(&insert).await,
            Self::Update(update) => transaction.execute(&update).await,
            Self::Row(_) => Err(DbErr::Custom("a row has a statement".to_owned())),
        }
    }
}

/// The request that asked for the acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Subject of the token.
    pub caller: String,
    /// Name of the request's message.
    pub method: &'static str,
    /// UUID that the caller chose.
    pub request_id: String,
    /// SHA-256 over the request's body.
    pub digest: [u8; 32],
    /// The first answer, where it cannot be derived from the acts.
    pub answer: Option<Vec<u8>>,
}

impl Asked {
    /// Hash over the scope of the request id: a repetition has the same one, whatever its body. One short key in place
    /// of four texts, and no other index of the log can be taken for it.
    #[must_use]
    pub fn key(&self, district: &str) -> Vec<u8> {
        let mut key = Sha256::new();
        for part in [district, &self.caller, self.method, &self.request_id] {
            key.update((part.len() as u64).to_be_bytes());
            key.update(part);
        }
        key.finalize().to_vec()
    }
}

/// Acts on one subject, chained and ready to be written.
#[derive(Debug, Clone)]
pub struct Chain {
    district: String,
    subject: String,
    actor: String,
    site: String,
    now: Now,
    rows: Vec<Link>,
    /// Number of the last act: the subject's new version.
    pub number: u64,
    /// Hash of the last act.
    pub head: Hash,
}

#[derive(Debug, Clone)]
struct Link {
    number: u64,
    kind: &'static str,
    payload: Vec<u8>,
    previous: Hash,
    hash: Hash,
}

impl Chain {
    /// Goes on behind act `number` of a subject, whose hash is `head`; 0 and [`bangban_ledger::START`] to begin.
    #[must_use]
    pub fn new(
        district: &str,
        subject: String,
        number: u64,
        head: Hash,
        caller: &Caller,
        now: Now,
    ) -> Self {
        Self {
            district: district.to_owned(),
            subject,
            actor: caller.subject.clone(),
            site: caller.site.clone(),
            now,
            rows: Vec::new(),
            number,
            head,
        }
    }

    /// Adds an act.
    #[must_use]
    pub fn act(mut self, kind: &'static str, payload: Vec<u8>) -> Self {
        let previous = self.head;
        self.number += 1;
        self.head = EntryRef {
            district: &self.district,
            subject: &self.subject,
            number: self.number,
            kind,
            acted_at_us: self.now.us(),
            actor: &self.actor,
            actor_site: &self.site,
            is_demonstration: self.now.is_demonstration,
            payload: &payload,
        }
        .hash(&previous);
        self.rows.push(Link {
            number: self.number,
            kind,
            payload,
            previous,
            hash: self.head,
        });
        self
    }

    /// The values of each act, in the order of [`COLUMNS`]; the request stands with the last one.
    fn values(&self, asked: Option<&Asked>) -> Vec<Vec<Value>> {
        let last = self.rows.len().saturating_sub(1);
        let row = |(index, row): (usize, &Link)| {
            let asked = asked.filter(|_| index == last);
            vec![
                self.district.clone().into(),
                self.subject.clone().into(),
                i64::try_from(row.number).unwrap_or(i64::MAX).into(),
                row.kind.into(),
                row.payload.clone().into(),
                self.now.us().into(),
                self.actor.clone().into(),
                self.site.clone().into(),
                self.now.is_demonstration.into(),
                asked.map(|a| a.key(&self.district)).into(),
                asked.map(|a| a.caller.clone()).into(),
                asked.map(|a| a.method.to_owned()).into(),
                asked.map(|a| a.request_id.clone()).into(),
                asked.map(|a| a.digest.to_vec()).into(),
                asked.and_then(|a| a.answer.clone()).into(),
                row.previous.to_vec().into(),
                row.hash.to_vec().into(),
            ]
        };
        self.rows.iter().enumerate().map(row).collect()
    }
}

/// Columns of an act that we give; position and transaction are the database's.
pub(crate) const COLUMNS: [act::Column; 17] = [
    act::Column::District,
    act::Column::Subject,
    act::Column::Number,
    act::Column::Kind,
    act::Column::Payload,
    act::Column::ActedAtUs,
    act::Column::Actor,
    act::Column::ActorSite,
    act::Column::IsDemonstration,
    act::Column::RequestKey,
    act::Column::Caller,
    act::Column::Method,
    act::Column::RequestId,
    act::Column::RequestDigest,
    act::Column::Answer,
    act::Column::PreviousHash,
    act::Column::Hash,
];

impl Store {
    /// Writes acts and states, all or nothing, and answers the position of the last act.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Taken`], or the database's.
    pub async fn write(
        &self,
        chain: &Chain,
        asked: Option<&Asked>,
        states: Vec<State>,
    ) -> Result<Position, Error> {
        self.write_all(std::slice::from_ref(chain), asked, states)
            .await
    }

    /// Writes acts on several subjects and states, all or nothing, and answers the position of the last act. The request
    /// stands with the last act of the last chain.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Taken`], or the database's.
    pub async fn write_all(
        &self,
        chains: &[Chain],
        asked: Option<&Asked>,
        states: Vec<State>,
    ) -> Result<Position, Error> {
        let position = match self.together(states) {
            Ok(rows) => {
                let asks = |at| asked.filter(|_| at + 1 == chains.len());
                let acts = chains.iter().enumerate();
                let acts = acts.flat_map(|(at, c)| c.values(asks(at))).collect();
                let head = chains.last().map(|c| c.head);
                let place = self.write_together(rows, acts, head).await?;
                let (tx, at) = place.ok_or(Error::Conflict)?;
                self.position(tx, at)
            }
            Err(states) => Box::pin(self.write_in_turn(chains, asked, states))
                .await?
                .ok_or(Error::Conflict)?,
        };
        self.wake.notify_waiters();
        Ok(position)
    }

    /// Writes rows that are their own record: no act goes with them, and nobody who follows the log hears of them.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Taken`], or the database's.
    pub async fn write_rows(&self, rows: Vec<Row>) -> Result<(), Error> {
        match self.together(rows.into_iter().map(State::Row).collect()) {
            Ok(rows) => self
                .write_together(rows, Vec::new(), None)
                .await
                .map(|_| ()),
            Err(states) => {
                let written = Box::pin(self.write_in_turn(&[], None, states));
                written.await.map(|_| ())
            }
        }
    }

    /// Whether rows can be written that name a condition: all that goes with them is rows, on PostgreSQL.
    #[must_use]
    pub fn can_provide(&self) -> bool {
        self.point.is_some()
    }

    /// The rows, where one statement can write all that there is.
    fn together(&self, states: Vec<State>) -> Result<Vec<Row>, Vec<State>> {
        let are_rows = states.iter().all(|state| matches!(state, State::Row(_)));
        if states.is_empty() || !are_rows || self.point.is_none() {
            return Err(states);
        }
        let row = |state| match state {
            State::Row(row) => Some(row),
            State::Insert(_) | State::Update(_) => None,
        };
        Ok(states.into_iter().filter_map(row).collect())
    }

    async fn write_in_turn(
        &self,
        chains: &[Chain],
        asked: Option<&Asked>,
        states: Vec<State>,
    ) -> Result<Option<Position>, Error> {
        let transaction = begin(&self.db).await?;
        for state in states {
            let done = state.execute(&transaction).await?;
            if done.rows_affected() != 1 {
                transaction.rollback().await?;
                return Err(Error::Conflict);
            }
        }
        let mut position = None;
        for (at, chain) in chains.iter().enumerate() {
            let asked = asked.filter(|_| at + 1 == chains.len());
            position = Some(self.append(&transaction, chain, asked).await?);
        }
        transaction.commit().await?;
        Ok(position)
    }

    /// Adds acts within a transaction of the caller's, who wakes nobody: [`Store::woken`] does when it is committed.
    ///
    /// # Errors
    /// The database's.
    pub async fn append(
        &self,
        transaction: &impl ConnectionTrait,
        chain: &Chain,
        asked: Option<&Asked>,
    ) -> Result<Position, Error> {
        let mut insert = Query::insert();
        insert.into_table(act::Entity).columns(COLUMNS);
        for values in chain.values(asked) {
            insert
                .values(values.into_iter().map(Expr::val))
                .map_err(|e| DbErr::Custom(e.to_string()))?;
        }
        insert.returning(Query::returning().columns([act::Column::Tx, act::Column::Position]));
        let answered = transaction.query_all(&insert).await?;
        self.last(&answered)
    }

    /// Wakes those who wait for new acts.
    pub fn woken(&self) {
        self.wake.notify_waiters();
    }

    fn last(&self, rows: &[QueryResult]) -> Result<Position, Error> {
        let mut last: Option<(i64, i64)> = None;
        for row in rows {
            let (tx, at) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            last = last.max(Some((tx, at)));
        }
        // No act was written because no row was touched.
        last.map(|(tx, at)| self.position(tx, at))
            .ok_or(Error::Conflict)
    }
}

/// Begins a transaction that means to write. SQLite takes the write lock at once: upgrading later deadlocks.
///
/// # Errors
/// The database's.
pub async fn begin(db: &Connection) -> Result<Transaction, DbErr> {
    db.begin().await
}

/// The guard of an update: the key and the version that was read.
#[must_use]
pub fn guard(key: &[(Alias, Value)], version: u64) -> Expr {
    let mut guard = Expr::col(Alias::new("version")).eq(i64::try_from(version).unwrap_or(i64::MAX));
    for (column, value) in key {
        guard = guard.and(Expr::col(column.clone()).eq(value.clone()));
    }
    guard
}
