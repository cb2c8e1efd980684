//! Exceptions from templates: put, and taken back.

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::scheduling::v1::{
    Exception, ExceptionChange, ExceptionPut, ExceptionRemoved, PutExceptionRequest,
    RemoveExceptionRequest,
};
use bangban_store::{Error, Now, write::State};

use super::{Decide, Decided, Rpc, Step, ground::Ground};
use crate::{
    domain::{Act, slot, time},
    rpc::command::fresh,
    store::capacity::Capacity,
    work::Effect,
};

fn told(exception: Option<Exception>, effect: &Effect) -> ExceptionChange {
    ExceptionChange {
        exception,
        changed_days: effect.dates(),
        affected: effect.affected.clone(),
        position: String::new(),
    }
}

fn unknown() -> Refusal {
    Refusal::not_found(
        "EXCEPTION_UNKNOWN",
        "BB-9.2b",
        "没有该例外安排",
        "there is no such exception",
    )
    .field("exception", "unknown")
}

fn found<'a>(capacity: &'a Capacity, id: &str) -> Option<&'a Exception> {
    capacity.exceptions.iter().find(|e| e.id == id)
}

fn taken() -> Refusal {
    Refusal::exists(
        "EXCEPTION_EXISTS",
        "BB-9.2b",
        "该例外安排编号已被本区县其他站点使用，请换一个编号",
        "another site of the district has an exception with this id: choose another id",
    )
    .field("exception.id", "of another site")
}

/// The ground of the site that has an exception, the exception, and the act by which it is no more.
pub(super) async fn removal(
    rpc: &Rpc,
    caller: &Caller,
    district: &str,
    id: &str,
    now: Now,
) -> Result<(Ground, Exception, Act), Error> {
    let has = |c: &Capacity| found(c, id).is_some();
    let ground = rpc.ground_with(caller, district, has, now).await?;
    let ground = ground.ok_or_else(unknown)?;
    let it = found(&ground.kept.body, id).ok_or_else(unknown)?.clone();
    if time::date("exception", &it.date)? < ground.today() {
        return Err(slot::day_past("exception").into());
    }
    let exception = it.id.clone();
    let act = Act::ExceptionRemoved(ExceptionRemoved { exception });
    Ok((ground, it, act))
}

/// What an id of an exception costs, which is unique in the district ([`Rpc::unique`]).
pub(super) async fn unique(rpc: &Rpc, ground: &Ground, id: &str) -> Result<Option<State>, Error> {
    let has = |c: &Capacity| found(c, id).is_some();
    rpc.unique(ground, has, taken).await
}

impl Decide for PutExceptionRequest {
    type Answer = ExceptionChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let mut put = self.exception.clone().unwrap_or_default();
        let ground = rpc.ground(caller, &self.district, &put.site, now).await?;
        let (id, reason) = (put.id.clone(), put.reason.clone());
        let unique = unique(rpc, &ground, &id).await?;
        let was = found(&ground.kept.body, &id);
        fresh(self, was.map_or("", |e| &e.etag))?;
        put.etag = ground.next_etag();
        let act = Act::ExceptionPut(ExceptionPut {
            exception: Some(put),
        });
        ground.check(&act)?;
        let act = (act, reason.as_str());
        let (is, mut effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        effect.states.extend(unique);
        Ok(Step::of(told(found(&is, &id).cloned(), &effect), effect))
    }
}

impl Decide for RemoveExceptionRequest {
    type Answer = ExceptionChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let id = self.exception.as_str();
        let (ground, it, act) = removal(rpc, caller, &self.district, id, now).await?;
        fresh(self, &it.etag)?;
        let reason = format!("已撤销：{}", it.reason);
        let act = (act, reason.as_str());
        let (_, effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        Ok(Step::of(told(None, &effect), effect))
    }
}
