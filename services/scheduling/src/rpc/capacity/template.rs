//! Templates: put, and removed.

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::scheduling::v1::{
    PutTemplateRequest, RemoveTemplateRequest, Template, TemplateChange, TemplatePut,
    TemplateRemoved,
};
use bangban_store::{Error, Now, write::State};

use super::{Decide, Decided, Rpc, Step, ground::Ground};
use crate::{
    domain::{Act, time},
    rpc::command::fresh,
    store::capacity::Capacity,
    work::Effect,
};

fn told(id: &str, is: &Capacity, effect: &Effect) -> TemplateChange {
    TemplateChange {
        template: found(is, id).cloned(),
        changed_days: effect.dates(),
        affected: effect.affected.clone(),
        position: String::new(),
    }
}

/// The ground of the site that has a template, the template, and the act by which it holds no more from a day on (empty for
/// the next): one that has held before is kept for the days before. No act where it is over by then.
pub(super) async fn removal(
    rpc: &Rpc,
    caller: &Caller,
    district: &str,
    (id, from): (&str, &str),
    now: Now,
) -> Result<(Ground, Template, Option<Act>), Error> {
    let has = |c: &Capacity| found(c, id).is_some();
    let ground = rpc.ground_with(caller, district, has, now).await?;
    let ground = ground.ok_or_else(unknown)?;
    let it = found(&ground.kept.body, id).ok_or_else(unknown)?.clone();
    let from = if from.is_empty() {
        ground.today().succ_opt().unwrap_or_default()
    } else {
        time::date("from", from)?
    };
    if from.to_string() <= it.valid_from {
        let template = it.id.clone();
        let act = Act::TemplateRemoved(TemplateRemoved { template });
        return Ok((ground, it, Some(act)));
    }
    // It ends the day before.
    let last = from.pred_opt().unwrap_or_default().to_string();
    if !it.valid_until.is_empty() && it.valid_until <= last {
        return Ok((ground, it, None));
    }
    let ended = Template {
        valid_until: last,
        etag: ground.next_etag(),
        ..it.clone()
    };
    let template = Some(ended);
    let act = Act::TemplatePut(TemplatePut { template });
    Ok((ground, it, Some(act)))
}

fn found<'a>(capacity: &'a Capacity, id: &str) -> Option<&'a Template> {
    capacity.templates.iter().find(|t| t.id == id)
}

fn unknown() -> Refusal {
    Refusal::not_found(
        "TEMPLATE_UNKNOWN",
        "BB-9.2b",
        "没有该模板",
        "there is no such template",
    )
    .field("template", "unknown")
}

fn taken() -> Refusal {
    Refusal::exists(
        "TEMPLATE_EXISTS",
        "BB-9.2b",
        "该模板编号已被本区县其他站点使用，请换一个编号",
        "another site of the district has a template with this id: choose another id",
    )
    .field("template.id", "of another site")
}

/// What an id of a template costs, which is unique in the district ([`Rpc::unique`]).
pub(super) async fn unique(rpc: &Rpc, ground: &Ground, id: &str) -> Result<Option<State>, Error> {
    let has = |c: &Capacity| found(c, id).is_some();
    rpc.unique(ground, has, taken).await
}

impl Decide for PutTemplateRequest {
    type Answer = TemplateChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let mut put = self.template.clone().unwrap_or_default();
        let ground = rpc.ground(caller, &self.district, &put.site, now).await?;
        let (id, reason) = (put.id.clone(), format!("模板 {} 已变更", put.id));
        let unique = unique(rpc, &ground, &id).await?;
        let was = found(&ground.kept.body, &id);
        fresh(self, was.map_or("", |t| &t.etag))?;
        put.etag = ground.next_etag();
        let act = Act::TemplatePut(TemplatePut {
            template: Some(put),
        });
        ground.check(&act)?;
        let act = (act, reason.as_str());
        let (is, mut effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        effect.states.extend(unique);
        Ok(Step::of(told(&id, &is, &effect), effect))
    }
}

impl Decide for RemoveTemplateRequest {
    type Answer = TemplateChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let which = (self.template.as_str(), self.from.as_str());
        let (ground, it, act) = removal(rpc, caller, &self.district, which, now).await?;
        fresh(self, &it.etag)?;
        let Some(act) = act else {
            let effect = Effect::default();
            return Ok(Step::of(told(&it.id, &ground.kept.body, &effect), effect));
        };
        let reason = format!("模板 {} 已停用", self.template);
        let act = (act, reason.as_str());
        let (is, effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        Ok(Step::of(told(&self.template, &is, &effect), effect))
    }
}
