//! What a change would do, and to whose appointments, before it is made.

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::scheduling::v1::{
    ExceptionPut, PreviewChangeRequest, PreviewChangeResponse, TemplatePut,
};
use bangban_store::{Error, Now};
use tonic::{Request, Response, Status};

use super::{Rpc, exception, slot, taken, template};
use crate::{domain::Act, work::Effect};

fn missing() -> Refusal {
    Refusal::invalid(
        "CHANGE_MISSING",
        "BB-9.2b",
        "请填写要预览的变更：模板、例外安排、其停用或撤销，或单个时段",
        "say which change is meant: of a template, of an exception, or of a slot",
    )
    .field("template", "neither it nor another change")
}

impl Rpc {
    pub(in crate::rpc) async fn preview(
        &self,
        request: Request<PreviewChangeRequest>,
    ) -> Result<Response<PreviewChangeResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let now = self.store.now().await?;
        let effect = self.previewed(&caller, r, now).await?;
        Ok(Response::new(PreviewChangeResponse {
            changed_days: effect.dates(),
            affected: effect.affected,
        }))
    }

    async fn previewed(
        &self,
        caller: &Caller,
        r: PreviewChangeRequest,
        now: Now,
    ) -> Result<Effect, Error> {
        let district = r.district.as_str();
        let (ground, act) = if let Some(template) = r.template {
            let ground = self.ground(caller, district, &template.site, now).await?;
            template::unique(self, &ground, &template.id).await?;
            let template = Some(template);
            let act = Act::TemplatePut(TemplatePut { template });
            ground.check(&act)?;
            (ground, act)
        } else if let Some(exception) = r.exception {
            let ground = self.ground(caller, district, &exception.site, now).await?;
            exception::unique(self, &ground, &exception.id).await?;
            let exception = Some(exception);
            let act = Act::ExceptionPut(ExceptionPut { exception });
            ground.check(&act)?;
            (ground, act)
        } else if let Some(removed) = r.removed_template {
            let which = (removed.template.as_str(), removed.from.as_str());
            let (ground, _, act) = template::removal(self, caller, district, which, now).await?;
            let Some(act) = act else {
                return Ok(Effect::default());
            };
            (ground, act)
        } else if !r.removed_exception.is_empty() {
            let id = r.removed_exception.as_str();
            let (ground, _, act) = exception::removal(self, caller, district, id, now).await?;
            (ground, act)
        } else if let Some(changed) = r.changed_slot {
            let wish = (changed.capacity, changed.reserved, changed.is_closed);
            let which = (changed.slot.as_str(), wish);
            let (effect, _) = slot::changed(self, caller, district, which, "", now).await?;
            return Ok(effect);
        } else {
            return Err(missing().into());
        };
        Ok(self.effect(caller, &ground, act, "").await?.1)
    }
}
