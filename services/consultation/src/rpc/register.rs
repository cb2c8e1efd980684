//! Registers a contact: the number is drawn last, so that no refusal costs one.

use bangban_learned::district;
use bangban_ledger::START;
use bangban_proto::bangban::consultation::v1::{
    Consultation, ConsultationChange, RegisterConsultationRequest,
};
use bangban_store::{Error, command::Command, write::Chain};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Rpc, answer, ask,
    command::{Tries, carry_out, subject},
    taken,
};
use crate::{
    domain::{Outside, register},
    store,
};

impl Rpc {
    pub(super) async fn register(
        &self,
        request: Request<RegisterConsultationRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        let (caller, deadline, request) = taken(request);
        self.store.wait_for(&request.after).await?;
        let command = Command::new(&caller, &request);
        let mut tries = Tries::default();
        loop {
            let loaded = store::load(&self.store, &self.learned, &command, "").await?;
            if loaded.is_repeated {
                return Ok(self.first_answer(&command).await?);
            }
            let now = loaded.now;
            let known = &loaded.known;
            district::of(known, &caller, &request.district)?;
            let about = ask::About {
                district: &request.district,
                staff: &caller.subject,
                site: &request.site,
                applicant: &request.applicant,
            };
            let today = now.local().date_naive();
            let assigned = ask::assigned(&self.directory, deadline, about, today).await?;
            let outside = Outside {
                now: now.at,
                caller: &caller,
                calendar: &known.calendar,
                items: known.versions(&request.item),
                departments: known.departments(),
                assigned: Some(&assigned),
            };
            let id = Uuid::now_v7().to_string();
            let acts = register::register(id.clone(), &request, &assigned, &outside)?;
            let built = |number| {
                let mut consultation = Consultation::default();
                let chain = Chain::new(&request.district, subject(&id), 0, START, &caller, now);
                let acts = register::numbered(acts, number);
                let chain = carry_out(&mut consultation, chain, acts, now);
                (consultation, chain)
            };
            let district = &request.district;
            let done = store::register(
                &self.store,
                district,
                &command.asked,
                known.calendar_revision,
                built,
            );
            match done.await {
                Ok((consultation, position)) => return Ok(answer(consultation, &position)),
                // The same request was done meanwhile: its answer is read.
                Err(Error::Taken(what)) if what.contains("acts") => tries.again().await?,
                Err(error) if error.is_passing() => tries.again().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
