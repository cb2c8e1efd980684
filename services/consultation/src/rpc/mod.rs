//! tonic's side: messages in, messages out. Decisions are made in `domain`, rows are known in `store`.

mod ask;
mod command;
mod consultation;
mod convert;
mod export;
mod read;
mod register;

pub(crate) use command::written;
pub(crate) use convert::{Settled, settle};

pub use command::folded;

use bangban_kit::{access::taken, identity::Caller, refusal::Refusal, scope::Scope};
use bangban_learned::{district, known::Learned};
use bangban_net::peer::Peer;
use bangban_proto::bangban::{
    consultation::v1::{Consultation, ConsultationChange},
    options::v1::Role,
};
use bangban_store::{Error, Position, Store};
use tonic::Response;

/// What every method works with.
#[derive(Debug, Clone)]
pub struct Rpc {
    pub(crate) store: Store,
    pub(crate) learned: Learned,
    pub(crate) directory: Peer,
    pub(crate) casework: Peer,
}

impl Rpc {
    /// Works on the store of `learned`, asks `directory`, and makes cases at `casework`.
    #[must_use]
    pub fn new(learned: Learned, directory: Peer, casework: Peer) -> Self {
        Self {
            store: learned.store().clone(),
            learned,
            directory,
            casework,
        }
    }

    /// What a caller may see of a district.
    async fn scope(&self, caller: &Caller, district: &str) -> Result<Scope, Error> {
        of_department(caller)?;
        district::scope(&self.learned, caller, district).await
    }
}

/// A clerk of a department sees what was referred to it: a token that names none sees nothing.
fn of_department(caller: &Caller) -> Result<(), Refusal> {
    if !caller.department.is_empty() || !caller.has(Role::Department) || caller.roles.len() > 1 {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "TOKEN_DEPARTMENT_MISSING",
        "BB-1",
        "令牌未注明所属部门，请联系管理员",
        "the token names no department: tell the administrator",
    ))
}

fn unknown() -> Refusal {
    Refusal::not_found(
        "CONSULTATION_UNKNOWN",
        "BB-1",
        "没有该咨询，或不在您的管辖范围内",
        "there is no such consultation, or it is not in your scope",
    )
}

fn answer(consultation: Consultation, position: &Position) -> Response<ConsultationChange> {
    Response::new(ConsultationChange {
        consultation: Some(consultation),
        position: position.to_string(),
    })
}
