//! What a change of a site's capacity stands on, and what becomes of the site and its days by an act.

use std::sync::Arc;

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_learned::{district, known::Known};
use bangban_proto::bangban::directory::v1::Site;
use bangban_store::{
    Error, Now,
    write::{Chain, State},
};
use chrono::NaiveDate;
use prost_types::Timestamp;

use super::{Rpc, site_of};
use crate::{
    domain::{Act, change, outside, plan::Plan, publish, template},
    rpc::{carry_out, chain},
    store::{
        capacity::{self, Capacity, Kept},
        plans,
    },
    work::{self, Effect},
};

/// Everything about a site that a change of its capacity is decided by.
pub(super) struct Ground {
    pub(super) district: String,
    pub(super) now: Now,
    /// The last change of calendars and opening hours that it knows.
    pub(super) as_of: i64,
    pub(super) site: Site,
    pub(super) known: Arc<Known>,
    pub(super) kept: Kept<Capacity>,
}

/// What an act makes of a site's capacity.
fn apply(capacity: &mut Capacity, act: &Act, at: Timestamp, _: bool) {
    match act {
        Act::TemplatePut(a) => {
            let mut put = a.template.clone().unwrap_or_default();
            put.updated_at = Some(at);
            capacity.templates.retain(|t| t.id != put.id);
            capacity.templates.push(put);
        }
        Act::TemplateRemoved(a) => capacity.templates.retain(|t| t.id != a.template),
        Act::ExceptionPut(a) => {
            let mut put = a.exception.clone().unwrap_or_default();
            put.updated_at = Some(at);
            capacity.exceptions.retain(|e| e.id != put.id);
            capacity.exceptions.push(put);
        }
        Act::ExceptionRemoved(a) => capacity.exceptions.retain(|e| e.id != a.exception),
        Act::PublicationPut(a) => capacity.publication.clone_from(&a.publication),
        _ => {}
    }
}

impl Ground {
    /// The day in Asia/Shanghai.
    pub(super) fn today(&self) -> NaiveDate {
        outside::today(self.now.at)
    }

    /// The etag of what is put down on this ground.
    pub(super) fn next_etag(&self) -> String {
        (self.kept.version + 1).to_string()
    }

    /// How the site is planned by a capacity.
    pub(super) fn plan<'a>(&'a self, capacity: &'a Capacity) -> Plan<'a> {
        work::plan(&self.site, capacity, &self.known)
    }

    /// A template or an exception can stand beside what there is.
    pub(super) fn check(&self, act: &Act) -> Result<(), Refusal> {
        let was = &self.kept.body;
        match act {
            Act::TemplatePut(a) => {
                let put = a.template.clone().unwrap_or_default();
                template::check(&put, &was.templates, &self.site.opening_hours)
            }
            Act::ExceptionPut(a) => {
                let put = a.exception.clone().unwrap_or_default();
                template::check_exception(&put, &self.plan(was), self.today())
            }
            _ => Ok(()),
        }
    }

    /// The site's capacity behind an act, with the act and the row that are written.
    pub(super) fn acted(&self, caller: &Caller, act: Act) -> (Capacity, Chain, State) {
        let (district, site) = (self.district.as_str(), self.site.id.as_str());
        let mut is = self.kept.body.clone();
        let tip = (self.kept.version, self.kept.head);
        let chain = chain(district, format!("sites/{site}"), tip, caller, self.now);
        let chain = carry_out(&mut is, chain, vec![act], self.now, apply);
        let next_us = is
            .publication
            .as_ref()
            .map(|p| publish::next_at(p, self.now.at).timestamp_micros());
        let row = capacity::row(
            (district, site),
            self.kept.version,
            (chain.number, &chain.head),
            next_us,
            &is,
        );
        (is, chain, State::Row(row))
    }
}

impl Rpc {
    /// The ground of a site that the caller may see.
    pub(super) async fn ground(
        &self,
        caller: &Caller,
        district: &str,
        site: &str,
        now: Now,
    ) -> Result<Ground, Error> {
        let basis = self.basis(district).await?;
        let scope = district::of(&basis.1, caller, district)?;
        self.ground_in(&scope, basis, site, now).await
    }

    /// What is known of a district, and as of which change of calendars and opening hours at the least.
    pub(super) async fn basis(&self, district: &str) -> Result<(i64, Arc<Known>), Error> {
        let as_of = plans::as_of(&self.store).await?;
        Ok((as_of, self.learned.now(district).await?))
    }

    /// The ground of a site within a scope.
    pub(super) async fn ground_in(
        &self,
        scope: &Scope,
        (as_of, known): (i64, Arc<Known>),
        site: &str,
        now: Now,
    ) -> Result<Ground, Error> {
        let site = site_of(&known, scope, site)?.clone();
        let kept = capacity::of_site(&self.store, scope.district(), &site.id).await?;
        Ok(Ground {
            district: scope.district().to_owned(),
            now,
            as_of,
            site,
            known,
            kept,
        })
    }

    /// What becomes of a site and its days by an act.
    pub(super) async fn effect(
        &self,
        caller: &Caller,
        ground: &Ground,
        act: Act,
        reason: &str,
    ) -> Result<(Capacity, Effect), Error> {
        let (is, chain, row) = ground.acted(caller, act);
        let plans = (&ground.plan(&ground.kept.body), &ground.plan(&is));
        let site = (ground.district.as_str(), &ground.site);
        let why = |_| Some(reason.to_owned());
        let mut effect = work::replanned(&self.store, site, plans, why, caller, ground.now).await?;
        effect.as_of = Some(ground.as_of);
        effect.chains.push(chain);
        effect.states.push(row);
        Ok((is, effect))
    }

    /// The same, where the caller has seen whose appointments it touches, if it touches any.
    pub(super) async fn seen(
        &self,
        caller: &Caller,
        ground: &Ground,
        (act, reason): (Act, &str),
        has_seen: bool,
    ) -> Result<(Capacity, Effect), Error> {
        let (is, effect) = self.effect(caller, ground, act, reason).await?;
        change::seen(&effect.affected, has_seen)?;
        Ok((is, effect))
    }

    /// The ground of the site of which a thing is that a request names by its id alone; none when no site that the
    /// caller may see has it.
    pub(super) async fn ground_with(
        &self,
        caller: &Caller,
        district: &str,
        has: impl Fn(&Capacity) -> bool,
        now: Now,
    ) -> Result<Option<Ground>, Error> {
        let basis = self.basis(district).await?;
        let scope = district::of(&basis.1, caller, district)?;
        let is_seen = |site: &str| site_of(&basis.1, &scope, site).is_ok();
        let all = capacity::sites(&self.store, district).await?;
        let mut having = all.into_iter().filter(|(_, capacity)| has(capacity));
        let Some((site, _)) = having.find(|(site, _)| is_seen(site)) else {
            return Ok(None);
        };
        self.ground_in(&scope, basis, &site, now).await.map(Some)
    }

    /// What an id costs that is unique in the district: nothing where the site has it already, else that no other site gets
    /// it before this is written.
    ///
    /// # Errors
    /// `taken`, where another site has it; the database's.
    pub(super) async fn unique(
        &self,
        ground: &Ground,
        has: impl Fn(&Capacity) -> bool,
        taken: fn() -> Refusal,
    ) -> Result<Option<State>, Error> {
        if has(&ground.kept.body) {
            return Ok(None);
        }
        // Every change of templates and exceptions is a revision.
        let (revision, ..) = capacity::revision(&self.store).await?;
        let all = capacity::sites(&self.store, &ground.district).await?;
        let mut others = all.iter().filter(|(site, _)| *site != ground.site.id);
        if others.any(|(_, capacity)| has(capacity)) {
            return Err(taken().into());
        }
        Ok(Some(capacity::unrevised(revision)))
    }
}
