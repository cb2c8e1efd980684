//! What a template or an exception would change, and for whom, before it is put.

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::scheduling::v1::{
    ExceptionPut, PreviewChangeRequest, PreviewChangeResponse, TemplatePut,
};
use tonic::{Request, Response, Status};

use super::{Rpc, taken};
use crate::domain::Act;

fn missing() -> Refusal {
    Refusal::invalid(
        "CHANGE_MISSING",
        "BB-9.2b",
        "请填写要预览的模板或例外安排",
        "say which template or exception is meant",
    )
    .field("template", "neither it nor an exception")
}

impl Rpc {
    pub(in crate::rpc) async fn preview(
        &self,
        request: Request<PreviewChangeRequest>,
    ) -> Result<Response<PreviewChangeResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let now = self.store.now().await?;
        let (site, act) = match (r.template, r.exception) {
            (Some(template), _) => {
                let site = template.site.clone();
                let template = Some(template);
                (site, Act::TemplatePut(TemplatePut { template }))
            }
            (None, Some(exception)) => {
                let site = exception.site.clone();
                let exception = Some(exception);
                (site, Act::ExceptionPut(ExceptionPut { exception }))
            }
            (None, None) => return Err(missing().into()),
        };
        let ground = self.ground(&caller, &r.district, &site, now).await?;
        ground.check(&act)?;
        let (_, effect) = self.effect(&caller, &ground, act, "").await?;
        Ok(Response::new(PreviewChangeResponse {
            changed_days: effect.dates(),
            affected: effect.affected,
        }))
    }
}
