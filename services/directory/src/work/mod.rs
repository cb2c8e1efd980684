//! Carries out: reads what a decision needs, lets the domain decide, writes. What the methods of the contract do.

mod applicant;
mod calendar;
mod catalogue;
mod clock;
mod district;
mod import;
mod region;
mod rule;
mod site;
mod staff;

pub use import::{ImportError, ImportReport};

use std::{future::Future, time::Duration};

use bangban_kit::{
    identity::Caller,
    page::Page,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_proto::{
    Head,
    bangban::directory::v1::{District, directory_act::Act},
};
use bangban_store::{
    Error, Now, Position,
    command::{Begun, Command},
    write::{self, Chain, State},
};
use prost::Message;
use sea_orm::{ConnectionTrait as _, Statement, sea_query::DeleteStatement};

use crate::{
    Directory,
    domain::{acts, district::district_unknown},
    store::resource::{self, Row},
};

/// What a decided command writes.
pub(crate) struct Step<A> {
    chain: Chain,
    answer: A,
    states: Vec<State>,
    others: Vec<Other>,
}

/// What a command writes beside rows that it must touch.
pub(crate) enum Other {
    /// Takes away what may or may not be there.
    Delete(Box<DeleteStatement>),
    /// Moves the clock to this offset.
    Offset(i64),
}

impl<A> Step<A> {
    fn new(chain: Chain, answer: A, states: Vec<State>) -> Self {
        Self {
            chain,
            answer,
            states,
            others: Vec::new(),
        }
    }

    fn with(mut self, others: Vec<Other>) -> Self {
        self.others = others;
        self
    }
}

/// A chain with one act.
fn chain<M>(
    scope: &Scope,
    subject: String,
    row: Option<&Row<M>>,
    act: Act,
    caller: &Caller,
    now: Now,
) -> Chain {
    let (number, head) = resource::tip(row);
    let kind = acts::kind(&act);
    Chain::new(scope.district(), subject, number, head, caller, now).act(kind, acts::payload(act))
}

/// The rows of a page, and the token for what follows.
fn cut<M>(mut rows: Vec<Row<M>>, page: &Page) -> (Vec<M>, String) {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let is_more = rows.len() > size;
    rows.truncate(size);
    let token = match rows.last() {
        Some(last) if is_more => page.token(&[&last.sort, &last.id]),
        _ => String::new(),
    };
    (rows.into_iter().map(|r| r.body).collect(), token)
}

/// Words for a scope, for page tokens: a token of another reach is another query's.
fn reach(scope: &Scope) -> String {
    match scope.reach() {
        Reach::Whole => String::new(),
        Reach::Region { prefix, .. } => format!("region {prefix}"),
        Reach::Department(id) => format!("department {id}"),
        Reach::Case(id) => format!("case {id}"),
    }
}

/// Refuses who has not the whole district: what is decided holds for all of it.
fn whole(scope: &Scope) -> Result<(), Refusal> {
    if *scope.reach() == Reach::Whole {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "SCOPE_TOO_NARROW",
        "BB-1",
        "此操作影响整个辖区，需要全辖区权限",
        "this concerns the whole district: authority over a part of it is not enough",
    ))
}

impl Directory {
    /// What a caller may see of a district, and the district.
    async fn scope(&self, caller: &Caller, id: &str) -> Result<(Scope, District), Error> {
        let found =
            resource::get::<District>(&self.store.db, &Scope::whole(id), "district", id).await?;
        let district = found.ok_or_else(district_unknown)?.body;
        Ok((Scope::of(caller, id, &district.region)?, district))
    }

    /// Reads, decides and writes until nobody else was faster.
    async fn command<R, A, F, D>(
        &self,
        caller: &Caller,
        request: &R,
        decide: F,
    ) -> Result<(A, Position), Error>
    where
        R: Head + Message,
        A: Message + Default,
        F: FnMut(Now) -> D,
        D: Future<Output = Result<Step<A>, Error>>,
    {
        self.carry_out(Command::new(caller, request), decide).await
    }

    async fn carry_out<A, F, D>(
        &self,
        mut command: Command,
        mut decide: F,
    ) -> Result<(A, Position), Error>
    where
        A: Message + Default,
        F: FnMut(Now) -> D,
        D: Future<Output = Result<Step<A>, Error>>,
    {
        let mut tries = 0_u64;
        loop {
            let now = match self.store.begin::<A>(&command).await? {
                Begun::Repeated(answer, position) => return Ok((answer, position)),
                Begun::New(now) => now,
            };
            let step = decide(now).await?;
            if step.others.is_empty() {
                let written = self
                    .store
                    .finish(&mut command, &step.chain, Some(&step.answer), step.states)
                    .await?;
                if let Some(position) = written {
                    return Ok((step.answer, position));
                }
                continue;
            }
            command.asked.answer = Some(step.answer.encode_to_vec());
            tries += 1;
            match self
                .write_all(&command, &step.chain, step.states, step.others)
                .await
            {
                Ok(position) => return Ok((step.answer, position)),
                Err(Error::Taken(what)) if what.contains("acts") && tries < 12 => {}
                Err(error) if error.is_passing() && tries < 12 => {
                    tokio::time::sleep(Duration::from_micros(
                        tries * rand::random_range(500..1500),
                    ))
                    .await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn write_all(
        &self,
        command: &Command,
        chain: &Chain,
        states: Vec<State>,
        others: Vec<Other>,
    ) -> Result<Position, Error> {
        let transaction = write::begin(&self.store.db).await?;
        for other in others {
            match other {
                Other::Delete(delete) => {
                    transaction.execute(&*delete).await?;
                }
                Other::Offset(seconds) => {
                    let sql = "UPDATE clock SET offset_seconds = $1 WHERE id = 1";
                    let set =
                        Statement::from_sql_and_values(self.store.backend, sql, [seconds.into()]);
                    transaction.execute_raw(set).await?;
                }
            }
        }
        for state in states {
            let done = match state {
                State::Insert(insert) => transaction.execute(&insert).await?,
                State::Update(update) => transaction.execute(&update).await?,
            };
            if done.rows_affected() != 1 {
                transaction.rollback().await?;
                return Err(Error::Conflict);
            }
        }
        let position = self
            .store
            .append(&transaction, chain, Some(&command.asked))
            .await?;
        transaction.commit().await?;
        self.store.woken();
        Ok(position)
    }
}

/// Cuts acts that are told newest first to a page, and answers the token for what is older.
fn older(acts: &mut Vec<bangban_store::act::Model>, page: &Page) -> String {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let is_more = acts.len() > size;
    acts.truncate(size);
    match acts.last() {
        Some(last) if is_more => page.token(&[&last.position.to_string()]),
        _ => String::new(),
    }
}
