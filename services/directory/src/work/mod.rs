//! Carries out: reads what a decision needs, lets the domain decide, writes. What the methods of the contract do.

mod applicant;
mod calendar;
mod catalogue;
mod clock;
mod district;
mod import;
mod region;
mod reminder;
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
    bangban::{
        clock::v1::AdvanceClockResponse,
        directory::v1::{
            Applicant, ApplicantChange, Calendar, CalendarChange, Department, DepartmentChange,
            District, DistrictChange, ItemVersion, ItemVersionChange, Rule, RuleChange, Site,
            SiteChange, Staff, StaffChange, directory_act::Act,
        },
    },
};
use bangban_store::{
    Error, Now, Position, Transaction, act,
    command::{Begun, Command},
    write::{self, Chain, State},
};
use prost::Message;
use sea_orm::{ConnectionTrait as _, Statement, sea_query::DeleteStatement};

use crate::{
    Directory,
    domain::{acts, district::district_unknown},
    store::resource::{self, Place, Row},
};

/// How often a command is decided anew because somebody else was faster.
const MOST_TRIES: u32 = 12;

/// What a command on one thing answers: the thing as it is now, and where its act stands in the log.
pub(crate) trait Change: Message + Default {
    /// The thing.
    type Thing;

    /// The answer as it is stored with the act, which does not know its position yet.
    fn of(thing: Self::Thing) -> Self;

    /// The answer as it leaves.
    fn at(self, position: &Position) -> Self;
}

macro_rules! changes {
    ($($change:ident { $field:ident: $thing:ty })*) => { $(
        impl Change for $change {
            type Thing = $thing;

            fn of(thing: $thing) -> Self {
                Self { $field: Some(thing), ..Self::default() }
            }

            fn at(self, position: &Position) -> Self {
                Self { position: position.to_string(), ..self }
            }
        }
    )* };
}

changes! {
    DistrictChange { district: District }
    SiteChange { site: Site }
    StaffChange { staff: Staff }
    ApplicantChange { applicant: Applicant }
    DepartmentChange { department: Department }
    ItemVersionChange { item: ItemVersion }
    RuleChange { rule: Rule }
    CalendarChange { calendar: Calendar }
    AdvanceClockResponse { now: prost_types::Timestamp }
}

/// What a command stands on when it is decided.
pub(crate) struct On {
    caller: Caller,
    /// What the caller may see of the district.
    scope: Scope,
    /// The district; nothing for a command on the installation.
    district: District,
    now: Now,
}

impl On {
    /// An act, and the row that it leads to in place of the one that was read. Answers the row's thing.
    fn put<M, S: Message>(
        &self,
        place: &Place,
        read: Option<&Row<M>>,
        (act, state): (Act, S),
    ) -> Step<S> {
        let (number, head) = resource::tip(read);
        let (kind, subject) = (acts::kind(&act), acts::subject(place.kind, &place.id));
        let chain = Chain::new(
            &place.district,
            subject,
            number,
            head,
            &self.caller,
            self.now,
        )
        .act(kind, acts::payload(act));
        Step {
            states: vec![resource::put(place, number, &chain, &state, self.now)],
            chain,
            answer: state,
            others: Vec::new(),
        }
    }
}

/// What a decided command writes, and what it answers.
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

impl Other {
    fn delete(statement: DeleteStatement) -> Self {
        Self::Delete(Box::new(statement))
    }
}

impl<A> Step<A> {
    /// Writes more rows.
    fn and(mut self, states: impl IntoIterator<Item = State>) -> Self {
        self.states.extend(states);
        self
    }

    /// Writes what is no row that must be touched.
    fn with(mut self, others: impl IntoIterator<Item = Other>) -> Self {
        self.others.extend(others);
        self
    }

    /// Answers something else.
    fn answering<B>(self, answer: B) -> Step<B> {
        Step {
            chain: self.chain,
            answer,
            states: self.states,
            others: self.others,
        }
    }
}

/// Cuts what was found, one more than asked when there is more, to a page, and answers the token for what follows.
fn cut<T>(mut found: Vec<T>, page: &Page, key: impl FnOnce(&T) -> Vec<String>) -> (Vec<T>, String) {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let is_more = found.len() > size;
    found.truncate(size);
    let token = match found.last() {
        Some(last) if is_more => {
            let key = key(last);
            page.token(&key.iter().map(String::as_str).collect::<Vec<_>>())
        }
        _ => String::new(),
    };
    (found, token)
}

/// The things of a page of rows, and the token for what follows.
fn cut_rows<M>(rows: Vec<Row<M>>, page: &Page) -> (Vec<M>, String) {
    let (rows, token) = cut(rows, page, |last| vec![last.sort.clone(), last.id.clone()]);
    (bodies(rows), token)
}

/// A page of acts that are told newest first, and the token for what is older.
fn cut_acts(acts: Vec<act::Model>, page: &Page) -> (Vec<act::Model>, String) {
    cut(acts, page, |last| vec![last.position.to_string()])
}

fn bodies<M>(rows: Vec<Row<M>>) -> Vec<M> {
    rows.into_iter().map(|r| r.body).collect()
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
        let found = self
            .row::<District>(&Scope::whole(id), "district", id)
            .await?;
        let district = found.ok_or_else(district_unknown)?.body;
        Ok((Scope::of(caller, id, &district.region)?, district))
    }

    /// A thing within a scope, by its kind and id.
    async fn row<M: Message + Default>(
        &self,
        scope: &Scope,
        kind: &str,
        id: &str,
    ) -> Result<Option<Row<M>>, Error> {
        resource::get(&self.store.db, scope, kind, id).await
    }

    /// A command on a thing of a district: within the caller's scope `decide` reads and judges; what it decides is
    /// written, and answered with the position.
    async fn change<C, R, F, D>(&self, caller: &Caller, request: &R, decide: F) -> Result<C, Error>
    where
        C: Change,
        R: Head + Message,
        F: Fn(On) -> D,
        D: Future<Output = Result<Step<C::Thing>, Error>>,
    {
        self.change_by(caller, Command::new(caller, request), decide)
            .await
    }

    /// As [`Self::change`], for a command that was made already.
    async fn change_by<C, F, D>(
        &self,
        caller: &Caller,
        command: Command,
        decide: F,
    ) -> Result<C, Error>
    where
        C: Change,
        F: Fn(On) -> D,
        D: Future<Output = Result<Step<C::Thing>, Error>>,
    {
        let id = &command.district.clone();
        let decide = &decide;
        let decided = move |now: Now| async move {
            let (scope, district) = self.scope(caller, id).await?;
            let step = decide(On {
                caller: caller.clone(),
                scope,
                district,
                now,
            })
            .await?;
            Ok(told::<C>(step))
        };
        let (answer, position) = self.carry_out(command, decided).await?;
        Ok(answer.at(&position))
    }

    /// As [`Self::change`], for a command on the installation: the access layer has seen that its caller has all of it.
    async fn change_installation<C, R, F, D>(
        &self,
        caller: &Caller,
        request: &R,
        decide: F,
    ) -> Result<C, Error>
    where
        C: Change,
        R: Head + Message,
        F: Fn(On) -> D,
        D: Future<Output = Result<Step<C::Thing>, Error>>,
    {
        let decide = &decide;
        let decided = move |now: Now| async move {
            let on = On {
                caller: caller.clone(),
                scope: Scope::whole(request.district()),
                district: District::default(),
                now,
            };
            Ok(told::<C>(decide(on).await?))
        };
        let command = Command::new(caller, request);
        let (answer, position) = self.carry_out(command, decided).await?;
        Ok(answer.at(&position))
    }

    /// Reads, decides and writes until nobody else was faster.
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
        let mut tries = 0;
        loop {
            let now = match self.store.begin::<A>(&command).await? {
                Begun::Repeated(answer, position) => return Ok((answer, position)),
                Begun::New(now) => now,
            };
            let step = match decide(now).await {
                Ok(step) => step,
                Err(error) => {
                    self.store.again(&mut command, error).await?;
                    continue;
                }
            };
            tries += 1;
            let written = if step.others.is_empty() {
                let (chain, answer) = (&step.chain, Some(&step.answer));
                self.store
                    .finish(&mut command, chain, answer, step.states)
                    .await
            } else {
                command.asked.answer = Some(step.answer.encode_to_vec());
                self.write_all(&command, &step.chain, step.states, step.others)
                    .await
                    .map(Some)
            };
            match written {
                Ok(Some(position)) => return Ok((step.answer, position)),
                Ok(None) => {}
                Err(error) if is_overtaken(&error) && tries < MOST_TRIES => {
                    let pause = u64::from(tries) * rand::random_range(500..1500);
                    tokio::time::sleep(Duration::from_micros(pause)).await;
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
        touch(&transaction, states).await?;
        let position = self
            .store
            .append(&transaction, chain, Some(&command.asked))
            .await?;
        transaction.commit().await?;
        self.store.woken();
        Ok(position)
    }
}

/// Writes rows, each of which must be there as it was read; a transaction that is dropped is undone.
async fn touch(
    transaction: &Transaction,
    states: impl IntoIterator<Item = State>,
) -> Result<(), Error> {
    for state in states {
        let done = state.execute(transaction).await?;
        if done.rows_affected() != 1 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Whether somebody else was faster: wrote the same request, the next act of the subject, or the row that was new.
fn is_overtaken(error: &Error) -> bool {
    match error {
        Error::Taken(what) => what.contains("acts") || what.contains("resources"),
        error => error.is_passing(),
    }
}

fn told<C: Change>(step: Step<C::Thing>) -> Step<C> {
    Step {
        chain: step.chain,
        answer: C::of(step.answer),
        states: step.states,
        others: step.others,
    }
}
