//! What every command does: chains of acts, first answers, and when to begin again.

use bangban_kit::{
    identity::Caller,
    refusal::{Kind as Why, Refusal},
};
use bangban_ledger::Hash;
use bangban_proto::{
    Head,
    bangban::scheduling::v1::{Booking, BookingChange, SchedulingAct},
};
use bangban_store::{
    Error, Now, Position, Store, act,
    command::{Command, same_body},
    write::Chain,
};
use prost::Message;
use prost_types::Timestamp;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use tonic::Response;

use super::Rpc;
use crate::{
    domain::{Act, appointment, fold, outside::timestamp},
    store::capacity,
};

/// How a state takes an act in.
pub(crate) type Apply<T> = fn(&mut T, &Act, Timestamp, bool);

/// A chain that goes on behind the act that was read.
pub(crate) fn chain(
    district: &str,
    subject: String,
    (number, head): (u64, Hash),
    caller: &Caller,
    now: Now,
) -> Chain {
    Chain::new(district, subject, number, head, caller, now)
}

/// Applies acts to a state and adds them to its chain.
pub(crate) fn carry_out<T>(
    state: &mut T,
    mut chain: Chain,
    acts: Vec<Act>,
    now: Now,
    apply: Apply<T>,
) -> Chain {
    for act in acts {
        apply(state, &act, timestamp(now.at), now.is_demonstration);
        let kind = fold::kind(&act);
        chain = chain.act(kind, SchedulingAct { act: Some(act) }.encode_to_vec());
    }
    chain
}

/// The state that acts lead to.
///
/// # Errors
/// INTERNAL for an act that cannot be read.
pub fn folded<T: Default>(acts: &[act::Model], apply: Apply<T>) -> Result<T, Refusal> {
    let mut state = T::default();
    for row in acts {
        let SchedulingAct { act: Some(act) } =
            SchedulingAct::decode(row.payload.as_slice()).map_err(Refusal::internal)?
        else {
            continue;
        };
        let at = Now::from_row(row.acted_at_us, 0).at;
        apply(&mut state, &act, timestamp(at), row.is_demonstration);
    }
    Ok(state)
}

/// What the subject of an act was after it.
pub(crate) async fn as_of<T: Default>(
    store: &Store,
    last: &act::Model,
    apply: Apply<T>,
) -> Result<(T, Position), Error> {
    let acts = act::Entity::find()
        .filter(act::Column::District.eq(&last.district))
        .filter(act::Column::Subject.eq(&last.subject))
        .filter(act::Column::Number.lte(last.number))
        .order_by_asc(act::Column::Number)
        .all(&store.db)
        .await?;
    Ok((
        folded(&acts, apply)?,
        store.position(last.tx, last.position),
    ))
}

impl Rpc {
    /// The first answer of a command that is repeated: what its subject was after its act.
    pub(super) async fn first_answer<T: Default>(
        &self,
        command: &Command,
        apply: Apply<T>,
    ) -> Result<(T, Position), Error> {
        let first = self.store.repeated(command).await?.ok_or(Error::Conflict)?;
        same_body(command, &first)?;
        as_of(&self.store, &first, apply).await
    }

    /// The first answer of a command on a booking.
    pub(super) async fn first_booking(
        &self,
        command: &Command,
    ) -> Result<Response<BookingChange>, Error> {
        let (booking, position) = self.first_of_booking(command).await?;
        Ok(answer(booking, &position))
    }

    /// What a command on a booking has made of it. What was due next, which no act says, is counted by the rules of today.
    pub(super) async fn first_of_booking(
        &self,
        command: &Command,
    ) -> Result<(Booking, Position), Error> {
        let first = self.store.repeated(command).await?.ok_or(Error::Conflict)?;
        same_body(command, &first)?;
        let (mut booking, position): (Booking, _) =
            as_of(&self.store, &first, fold::booking).await?;
        let rules = capacity::policy(&self.store, &command.district).await?.body;
        let at = Now::from_row(first.acted_at_us, 0).at;
        booking.next_due_at = appointment::next_due(&booking, &rules, at).map(timestamp);
        Ok((booking, position))
    }

    /// Whether a command begins again: somebody else was faster, or has taken a key that is ours to take no more.
    pub(super) async fn again(&self, command: &mut Command, error: Error) -> Result<(), Error> {
        let error = match error {
            // The key of a hold's request as well: perhaps this very request, sent twice at once, which then finds its hold.
            Error::Taken(what)
                if ["seats", "persons", "bookings", "hold_key"]
                    .iter()
                    .any(|t| what.contains(t)) =>
            {
                Error::Conflict
            }
            error => error,
        };
        self.store.again(command, error).await
    }
}

pub(super) fn answer(booking: Booking, position: &Position) -> Response<BookingChange> {
    Response::new(BookingChange {
        booking: Some(booking),
        position: position.to_string(),
    })
}

/// The etag is the one that is in force, where one was sent.
pub(super) fn fresh(request: &impl Head, etag: &str) -> Result<(), Refusal> {
    if request.etag().is_empty() || request.etag() == etag {
        return Ok(());
    }
    Err(Refusal::new(
        Why::Stale,
        "STALE_ETAG",
        "BB-8d",
        "该记录已被更新，请刷新后再操作",
        "it has changed since you read it: read it again",
    )
    .field("etag", "stale"))
}
