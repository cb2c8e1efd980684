//! Exceptions from templates: put, and taken back.

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::scheduling::v1::{
    Exception, ExceptionChange, ExceptionPut, ExceptionRemoved, PutExceptionRequest,
    RemoveExceptionRequest,
};
use bangban_store::Now;

use super::{Decide, Decided, Rpc, Step};
use crate::{
    domain::{Act, slot, time},
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

impl Decide for PutExceptionRequest {
    type Answer = ExceptionChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let put = self.exception.clone().unwrap_or_default();
        let ground = rpc.ground(caller, &self.district, &put.site, now).await?;
        let (id, reason) = (put.id.clone(), put.reason.clone());
        let act = Act::ExceptionPut(ExceptionPut {
            exception: Some(put),
        });
        ground.check(&act)?;
        let act = (act, reason.as_str());
        let (is, effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        Ok(Step::of(told(found(&is, &id).cloned(), &effect), effect))
    }
}

impl Decide for RemoveExceptionRequest {
    type Answer = ExceptionChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let has = |c: &Capacity| found(c, &self.exception).is_some();
        let ground = rpc.ground_with(caller, &self.district, has, now).await?;
        let ground = ground.ok_or_else(unknown)?;
        let it = found(&ground.kept.body, &self.exception).ok_or_else(unknown)?;
        if time::date("exception", &it.date)? < ground.today() {
            return Err(slot::day_past("exception").into());
        }
        let reason = format!("已撤销：{}", it.reason);
        let act = Act::ExceptionRemoved(ExceptionRemoved {
            exception: it.id.clone(),
        });
        let act = (act, reason.as_str());
        let (_, effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        Ok(Step::of(told(None, &effect), effect))
    }
}
