//! Commands on capacity: templates, exceptions, publication, single slots, and the rules by which people book.
//!
//! Each changes the site's row and the published days that follow from it in one transaction; appointments that it
//! touches are told first, and looked after by the sweep (BB-9.2b). A command of another kind is a room of its own that
//! says how its request is decided ([`Decide`]); [`Rpc::on_capacity`] does the rest.

mod exception;
mod ground;
mod policy;
mod preview;
mod publication;
mod slot;
mod template;

pub(super) use slot::tagged;

use bangban_kit::{
    identity::Caller,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_learned::known::Known;
use bangban_proto::{
    Head,
    bangban::{
        directory::v1::Site,
        scheduling::v1::{
            BookingPolicyChange, DayChange, ExceptionChange, PublicationChange,
            PublishDaysResponse, TemplateChange,
        },
    },
};
use bangban_store::{
    Error, Now, Position,
    command::{Begun, Command},
    write::{Chain, State},
};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Rpc, taken};
use crate::{
    domain::slot::site_unknown,
    doorkeeper::Doorkeeper,
    store::{DayKey, capacity},
    work::Effect,
};

/// A site that the caller may see.
pub(super) fn site_of<'a>(known: &'a Known, scope: &Scope, id: &str) -> Result<&'a Site, Refusal> {
    let is_seen = |site: &&Site| match scope.reach() {
        Reach::Whole => true,
        Reach::Region {
            prefix, site: own, ..
        } => site.region.starts_with(prefix.as_str()) || (!own.is_empty() && &site.id == own),
        Reach::Department(_) | Reach::Case(_) => false,
    };
    known
        .site(id)
        .filter(is_seen)
        .ok_or_else(|| site_unknown(id))
}

/// What a command on capacity answers: what is so now, and where its act stands in the log.
pub(super) trait Change: Message + Default {
    /// The answer as it leaves: as it is stored with the act it does not know its position yet.
    fn at(self, position: &Position) -> Self;
}

macro_rules! changes {
    ($($change:ident)*) => { $(
        impl Change for $change {
            fn at(self, position: &Position) -> Self {
                Self { position: position.to_string(), ..self }
            }
        }
    )* };
}

changes! {
    TemplateChange
    ExceptionChange
    PublicationChange
    PublishDaysResponse
    DayChange
    BookingPolicyChange
}

/// What a decided command answers, and what it writes: nothing where it is so already.
pub(super) struct Step<A> {
    answer: A,
    chains: Vec<Chain>,
    states: Vec<State>,
    /// Days that everybody looks at anew; none where capacity stays as it is.
    days: Option<Vec<DayKey>>,
}

impl<A> Step<A> {
    /// A change of capacity.
    fn of(answer: A, effect: Effect) -> Self {
        let mut states = effect.states;
        states.push(capacity::revised_as_of(effect.as_of));
        Self {
            answer,
            chains: effect.chains,
            states,
            days: Some(effect.days),
        }
    }
}

/// What a request comes to, or why not.
type Decided<A> = Result<Step<A>, Error>;

/// A request for a change of capacity.
pub(super) trait Decide: Head + Message {
    /// What it answers.
    type Answer: Change;

    /// What it comes to, by what is so now; asked again when somebody else was faster.
    ///
    /// # Errors
    /// What its method refuses; the database's.
    fn decide(
        &self,
        rpc: &Rpc,
        caller: &Caller,
        now: Now,
    ) -> impl Future<Output = Decided<Self::Answer>> + Send;
}

impl Rpc {
    /// Does a command on capacity.
    pub(super) async fn on_capacity<R: Decide>(
        &self,
        request: Request<R>,
    ) -> Result<Response<R::Answer>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(r.after()).await?;
        let mut command = Command::new(&caller, &r);
        loop {
            let now = match self.store.begin::<R::Answer>(&command).await? {
                Begun::Repeated(answer, position) => {
                    return Ok(Response::new(answer.at(&position)));
                }
                Begun::New(now) => now,
            };
            let step = match r.decide(self, &caller, now).await {
                Ok(step) => step,
                Err(error) => {
                    self.again(&mut command, error).await?;
                    continue;
                }
            };
            if step.chains.is_empty() {
                return Ok(Response::new(step.answer));
            }
            command.asked.answer = Some(step.answer.encode_to_vec());
            match self.written(&command, step).await {
                Ok(answer) => return Ok(Response::new(answer)),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    /// Writes a step, and makes everybody look at capacity anew.
    async fn written<A: Change>(&self, command: &Command, step: Step<A>) -> Result<A, Error> {
        let position = self
            .store
            .write_all(&step.chains, Some(&command.asked), step.states)
            .await?;
        if let Some(days) = &step.days {
            self.forget(&command.district, days).await?;
        }
        Ok(step.answer.at(&position))
    }

    /// Makes the gate and this process look at days anew.
    pub(crate) async fn forget(&self, district: &str, days: &[DayKey]) -> Result<(), Error> {
        for key in days {
            let day = Doorkeeper::day(district, key)?;
            // Without a gate there is nothing to forget; what it has when it comes back is audited.
            _ = self.doors.gate().forget(&day).await;
        }
        self.doors.look().await
    }
}
