//! Appeals against what is marked of appointments: a no-show is recorded and is nobody's breach (BB-9.2b).

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_learned::district;
use bangban_proto::{
    Head,
    bangban::scheduling::v1::{AppealNoShowRequest, DecideAppealRequest, StandingChange},
};
use bangban_store::{Error, command::Command, write::State};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    Rpc,
    command::{carry_out, chain, fresh},
    taken,
};
use crate::{
    domain::{Act, fold, standing},
    store::load::{self, Asked, Loaded},
};

fn told(
    standing: bangban_proto::bangban::scheduling::v1::Standing,
    position: &bangban_store::Position,
) -> Response<StandingChange> {
    Response::new(StandingChange {
        standing: Some(standing),
        position: position.to_string(),
    })
}

impl Rpc {
    async fn on_standing<R: Head + Message>(
        &self,
        request: Request<R>,
        applicant: impl Fn(&R) -> &str,
        number: impl Fn(&R) -> Option<u32>,
        decide: impl Fn(&R, &Loaded, &Caller) -> Result<Vec<Act>, Refusal>,
    ) -> Result<Response<StandingChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(r.after()).await?;
        let mut command = Command::new(&caller, &r);
        loop {
            let mut loaded = load::person(&self.learned, &command, applicant(&r)).await?;
            if loaded.is_repeated {
                let (mut standing, position) = self.first_answer(&command, fold::standing).await?;
                // Whose it is, no act says.
                r.district().clone_into(&mut standing.district);
                applicant(&r).clone_into(&mut standing.applicant);
                return Ok(told(standing, &position));
            }
            district::of(&loaded.known, &caller, r.district())?;
            fresh(&r, &loaded.person.standing.etag)?;
            // Who booked what the appeal is about that is to be decided.
            let mut appeals = loaded.person.standing.appeals.iter();
            if let Some(appeal) = appeals.find(|a| Some(a.number) == number(&r)) {
                let asked = Asked {
                    booking: &appeal.booking,
                    ..Asked::default()
                };
                loaded.booking = load::booking(&self.learned, &command, asked).await?.booking;
            }
            let acts = decide(&r, &loaded, &caller)?;
            let now = loaded.now;
            let mut person = loaded.person.clone();
            let subject = format!("standings/{}", person.id);
            let chain = chain(r.district(), subject, person.acts, &caller, now);
            let chain = carry_out(&mut person.standing, chain, acts, now, fold::standing);
            person.acts = (chain.number, chain.head);
            let standing = person.standing.clone();
            let states = vec![State::Row(person.row())];
            let written: Result<_, Error> =
                self.store.write(&chain, Some(&command.asked), states).await;
            match written {
                Ok(position) => return Ok(told(standing, &position)),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    pub(super) async fn appealed(
        &self,
        request: Request<AppealNoShowRequest>,
    ) -> Result<Response<StandingChange>, Status> {
        self.on_standing(
            request,
            |r| &r.applicant,
            |_| None,
            |r, loaded, _| {
                let standing = &loaded.person.standing;
                let policy = &loaded.policy;
                let act =
                    standing::appeal(standing, &r.booking, r.ground(), policy, loaded.now.at)?;
                Ok(vec![act])
            },
        )
        .await
    }

    pub(super) async fn appeal_decided(
        &self,
        request: Request<DecideAppealRequest>,
    ) -> Result<Response<StandingChange>, Status> {
        let decided = |r: &DecideAppealRequest, loaded: &Loaded, caller: &Caller| {
            let decider = caller.actor();
            let by = loaded
                .booking
                .as_ref()
                .and_then(|(b, ..)| b.booked_by.as_ref());
            let involved: Vec<&str> = by.iter().map(|by| by.subject.as_str()).collect();
            standing::decide(
                &loaded.person.standing,
                (r.number, r.is_upheld),
                (&decider, &involved),
                &loaded.policy,
                loaded.now.at,
            )
        };
        self.on_standing(request, |r| &r.applicant, |r| Some(r.number), decided)
            .await
    }
}
