//! When days are published, and days that are: by hand, or because their time has come.

use bangban_kit::{identity::Caller, scope::Scope};
use bangban_proto::bangban::scheduling::v1::{
    PublicationChange, PublicationPut, PublishDaysRequest, PublishDaysResponse,
    PutPublicationRequest,
};
use bangban_store::{Error, Now};
use chrono::NaiveDate;

use super::{Decide, Decided, Rpc, Step, ground::Ground};
use crate::{
    domain::{
        Act,
        outside::{dates, timestamp},
        publish, slot,
    },
    rpc::{availability::too_many, command::fresh},
    store::capacity,
    work::{self, Effect},
};

/// Most days that are published at once: half a year.
const MOST_DAYS: i64 = 184;

impl Decide for PutPublicationRequest {
    type Answer = PublicationChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let mut put = self.publication.clone().unwrap_or_default();
        let ground = rpc.ground(caller, &self.district, &put.site, now).await?;
        let was = ground.kept.body.publication.as_ref();
        fresh(self, was.map_or("", |p| &p.etag))?;
        put.published_until = was.map(|p| p.published_until.clone()).unwrap_or_default();
        put.updated_at = Some(timestamp(now.at));
        put.etag = ground.next_etag();
        let act = Act::PublicationPut(PublicationPut {
            publication: Some(put),
        });
        let (is, effect) = rpc.seen(caller, &ground, (act, ""), true).await?;
        let answer = PublicationChange {
            publication: is.publication,
            position: String::new(),
        };
        Ok(Step::of(answer, effect))
    }
}

impl Decide for PublishDaysRequest {
    type Answer = PublishDaysResponse;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let (first, last) = dates(&self.from, &self.to)?;
        if (last - first).num_days() >= MOST_DAYS {
            return Err(too_many(MOST_DAYS).into());
        }
        let ground = rpc.ground(caller, &self.district, &self.site, now).await?;
        let publication = ground.kept.body.publication.as_ref();
        fresh(self, publication.map_or("", |p| &p.etag))?;
        if first < ground.today() {
            return Err(slot::day_past("from").into());
        }
        let effect = rpc.publishing(&ground, (first, last), caller).await?;
        let answer = PublishDaysResponse {
            days: effect.dates(),
            position: String::new(),
        };
        Ok(Step::of(answer, effect))
    }
}

impl Rpc {
    /// The days from the first to the last that are not published yet, and have slots.
    async fn publishing(
        &self,
        ground: &Ground,
        (first, last): (NaiveDate, NaiveDate),
        caller: &Caller,
    ) -> Result<Effect, Error> {
        let (district, site) = (ground.district.as_str(), &ground.site);
        let range = (first.to_string(), last.to_string());
        let there = capacity::days(&self.store, district, &site.id, (&range.0, &range.1)).await?;
        let plan = ground.plan(&ground.kept.body);
        let mut effect = Effect {
            as_of: Some(ground.as_of),
            ..Effect::default()
        };
        for date in first.iter_days().take_while(|date| *date <= last) {
            if there.iter().any(|day| day.body.date == date.to_string()) {
                continue;
            }
            let one = work::published((district, site), date, &plan, caller, ground.now)?;
            effect.days.extend(one.days);
            effect.chains.extend(one.chains);
            effect.states.extend(one.states);
        }
        Ok(effect)
    }

    /// Publishes days of a site whose time has come; answers how many.
    pub(crate) async fn publish_due(&self, district: &str, site: &str) -> Result<usize, Error> {
        let caller = Caller::system("scheduling");
        let now = self.store.now().await?;
        let basis = self.basis(district).await?;
        let scope = Scope::whole(district);
        let ground = self.ground_in(&scope, basis, site, now).await?;
        let Some(mut publication) = ground.kept.body.publication.clone() else {
            return Ok(0);
        };
        let days: Vec<NaiveDate> = publish::due(&publication, now.at).collect();
        let mut effect = Effect::default();
        if let (Some(first), Some(last)) = (days.first(), days.last()) {
            effect = self.publishing(&ground, (*first, *last), &caller).await?;
            publication.published_until = last.to_string();
        }
        let act = Act::PublicationPut(PublicationPut {
            publication: Some(publication),
        });
        let (_, chain, row) = ground.acted(&caller, act);
        effect.chains.push(chain);
        let revised = capacity::revised_as_of(effect.as_of);
        effect.states.extend([row, revised]);
        let written = self.store.write_all(&effect.chains, None, effect.states);
        match written.await {
            Ok(_) => {}
            // Another replica was faster.
            Err(Error::Taken(_)) => return Ok(0),
            Err(error) if error.is_passing() => return Ok(0),
            Err(error) => return Err(error),
        }
        self.forget(district, &effect.days).await?;
        Ok(effect.days.len())
    }
}
