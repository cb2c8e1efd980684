//! Templates: put, and removed.

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::scheduling::v1::{
    PutTemplateRequest, RemoveTemplateRequest, Template, TemplateChange, TemplatePut,
    TemplateRemoved,
};
use bangban_store::Now;

use super::{Decide, Decided, Rpc, Step, ground::Ground};
use crate::{
    domain::{Act, time},
    store::capacity::Capacity,
    work::Effect,
};

fn told(id: &str, is: &Capacity, effect: &Effect) -> TemplateChange {
    TemplateChange {
        template: is.templates.iter().find(|t| t.id == id).cloned(),
        changed_days: effect.dates(),
        affected: effect.affected.clone(),
        position: String::new(),
    }
}

/// The act by which a template holds no more from a day on; one that has held before is kept for the days before.
fn removal(ground: &Ground, r: &RemoveTemplateRequest) -> Result<Act, Refusal> {
    let mut templates = ground.kept.body.templates.iter();
    let it = templates.find(|t| t.id == r.template).ok_or_else(unknown)?;
    let from = if r.from.is_empty() {
        ground.today().succ_opt().unwrap_or_default()
    } else {
        time::date("from", &r.from)?
    };
    if from.to_string() <= it.valid_from {
        return Ok(Act::TemplateRemoved(TemplateRemoved {
            template: it.id.clone(),
        }));
    }
    // It ends the day before.
    let ended = Template {
        valid_until: from.pred_opt().unwrap_or_default().to_string(),
        ..it.clone()
    };
    Ok(Act::TemplatePut(TemplatePut {
        template: Some(ended),
    }))
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

impl Decide for PutTemplateRequest {
    type Answer = TemplateChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let put = self.template.clone().unwrap_or_default();
        let ground = rpc.ground(caller, &self.district, &put.site, now).await?;
        let (id, reason) = (put.id.clone(), format!("模板 {} 已变更", put.id));
        let act = Act::TemplatePut(TemplatePut {
            template: Some(put),
        });
        ground.check(&act)?;
        let act = (act, reason.as_str());
        let (is, effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        Ok(Step::of(told(&id, &is, &effect), effect))
    }
}

impl Decide for RemoveTemplateRequest {
    type Answer = TemplateChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let has = |c: &Capacity| c.templates.iter().any(|t| t.id == self.template);
        let ground = rpc.ground_with(caller, &self.district, has, now).await?;
        let ground = ground.ok_or_else(unknown)?;
        let reason = format!("模板 {} 已停用", self.template);
        let act = (removal(&ground, self)?, reason.as_str());
        let (is, effect) = rpc
            .seen(caller, &ground, act, self.affects_bookings)
            .await?;
        Ok(Step::of(told(&self.template, &is, &effect), effect))
    }
}
