//! Commands on capacity: templates, exceptions, publication, single slots, and the rules by which people book.
//!
//! Each changes the site's row and the published days that follow from it in one transaction; appointments that it
//! touches are told first, and looked after by the sweep (BB-9.2b).

use bangban_kit::{
    identity::Caller,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_learned::{district, known::Known};
use bangban_proto::{
    Head,
    bangban::{
        directory::v1::Site,
        scheduling::v1::{
            Affected, BookingPolicyChange, BookingPolicyPut, ChangeSlotRequest, DayChange,
            Exception, ExceptionChange, ExceptionPut, ExceptionRemoved, PreviewChangeRequest,
            PreviewChangeResponse, PublicationChange, PublicationPut, PublishDaysRequest,
            PublishDaysResponse, PutBookingPolicyRequest, PutExceptionRequest,
            PutPublicationRequest, PutTemplateRequest, RemoveExceptionRequest,
            RemoveTemplateRequest, Template, TemplateChange, TemplatePut, TemplateRemoved,
        },
    },
};
use bangban_store::{
    Error, Now, Position,
    command::{Begun, Command},
    write::{Chain, State},
};
use chrono::NaiveDate;
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Rpc, availability::too_many, carry_out, hold::slot_of, taken};
use crate::{
    domain::{
        Act, change,
        outside::{dates, timestamp, today},
        publish, slot, template, time,
    },
    store::{
        capacity::{self, Capacity, Kept},
        plans, rules,
    },
    work::{self, Effect, plan},
};

/// Most days that are published at once: half a year.
const MOST_DAYS: i64 = 184;

/// A site that the caller may see.
pub(super) fn site_of<'a>(known: &'a Known, scope: &Scope, id: &str) -> Result<&'a Site, Refusal> {
    let is_seen = |site: &&Site| match scope.reach() {
        Reach::Whole => true,
        Reach::Region {
            prefix, site: own, ..
        } => site.region.starts_with(prefix.as_str()) || (!own.is_empty() && &site.id == own),
        Reach::Department(_) | Reach::Case(_) => false,
    };
    known
        .site(id)
        .filter(is_seen)
        .ok_or_else(|| slot::site_unknown(id))
}

/// Everything about a site that a change of its capacity is decided by.
struct Ground {
    now: Now,
    as_of: i64,
    site: Site,
    known: std::sync::Arc<Known>,
    kept: Kept<Capacity>,
}

/// What an act makes of a site's capacity.
fn apply(capacity: &mut Capacity, act: &Act, at: prost_types::Timestamp, _: bool) {
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

impl Rpc {
    async fn ground(
        &self,
        caller: &Caller,
        district: &str,
        site: &str,
        now: Now,
    ) -> Result<Ground, Error> {
        let as_of = plans::as_of(&self.store).await?;
        let known = self.learned.now(district).await?;
        let scope = district::of(&known, caller, district)?;
        let site = site_of(&known, &scope, site)?.clone();
        let kept = capacity::of_site(&self.store, district, &site.id).await?;
        Ok(Ground {
            now,
            as_of,
            site,
            known,
            kept,
        })
    }

    /// What becomes of a site and its days by an act.
    async fn effect(
        &self,
        caller: &Caller,
        district: &str,
        ground: &Ground,
        act: Act,
        reason: &str,
    ) -> Result<(Capacity, Chain, Effect), Error> {
        let (now, was) = (ground.now, &ground.kept.body);
        let mut is = was.clone();
        let subject = format!("sites/{}", ground.site.id);
        let chain = Chain::new(
            district,
            subject,
            ground.kept.version,
            ground.kept.head,
            caller,
            now,
        );
        let chain = carry_out(&mut is, chain, vec![act], now, apply);
        let plans = (
            &plan(&ground.site, was, &ground.known),
            &plan(&ground.site, &is, &ground.known),
        );
        let site = (district, &ground.site);
        let why = |_| Some(reason.to_owned());
        let mut effect = work::replanned(&self.store, site, plans, why, caller, now).await?;
        effect.as_of = Some(ground.as_of);
        Ok((is, chain, effect))
    }

    /// Changes a site's capacity with the days that follow, in one transaction.
    async fn change_site<R, A>(
        &self,
        request: Request<R>,
        site: impl Fn(&R) -> String,
        has_seen: impl Fn(&R) -> bool,
        decide: impl Fn(&R, &Ground) -> Result<(Act, String), Refusal>,
        told: impl Fn(&R, &Capacity, &[String], Vec<Affected>) -> A,
    ) -> Result<(A, Position), Status>
    where
        R: Head + Message,
        A: Message + Default,
    {
        let (caller, _, r) = taken(request);
        self.store.wait_for(r.after()).await?;
        let mut command = Command::new(&caller, &r);
        loop {
            let now = match self.store.begin::<A>(&command).await? {
                Begun::Repeated(answer, position) => return Ok((answer, position)),
                Begun::New(now) => now,
            };
            let ground = self.ground(&caller, r.district(), &site(&r), now).await?;
            let (act, reason) = decide(&r, &ground)?;
            let (is, chain, effect) = self
                .effect(&caller, r.district(), &ground, act, &reason)
                .await?;
            change::seen(&effect.affected, has_seen(&r))?;
            let days: Vec<String> = effect.days.iter().map(|d| d.date.to_string()).collect();
            let answer = told(&r, &is, &days, effect.affected.clone());
            let publish_at = is
                .publication
                .as_ref()
                .map(|p| publish::next_at(p, now.at).timestamp_micros());
            let row = capacity::row(
                (r.district(), &ground.site.id),
                ground.kept.version,
                (chain.number, &chain.head),
                publish_at,
                &is,
            );
            command.asked.answer = Some(answer.encode_to_vec());
            match self
                .written(effect, Some((chain, State::Row(row))), &command)
                .await
            {
                Ok(position) => return Ok((answer, position)),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    /// Writes an effect, and makes everybody look at capacity anew.
    async fn written(
        &self,
        effect: Effect,
        with: Option<(Chain, State)>,
        command: &Command,
    ) -> Result<Position, Error> {
        let Effect {
            days,
            mut chains,
            mut states,
            as_of,
            ..
        } = effect;
        if let Some((chain, state)) = with {
            chains.push(chain);
            states.push(state);
        }
        states.push(capacity::revised_as_of(as_of));
        let position = self
            .store
            .write_all(&chains, Some(&command.asked), states)
            .await?;
        self.forget(&command.district, &days).await?;
        Ok(position)
    }

    /// Makes the gate and this process look at days anew.
    pub(crate) async fn forget(
        &self,
        district: &str,
        days: &[crate::store::DayKey],
    ) -> Result<(), Error> {
        for key in days {
            let day = crate::doorkeeper::Doorkeeper::day(district, key)?;
            // Without a gate there is nothing to forget; what it has when it comes back is audited.
            _ = self.doors.gate().forget(&day).await;
        }
        self.doors.look().await
    }

    pub(super) async fn template_put(
        &self,
        request: Request<PutTemplateRequest>,
    ) -> Result<Response<TemplateChange>, Status> {
        let template = |r: &PutTemplateRequest| r.template.clone().unwrap_or_default();
        let (mut answer, position) = self
            .change_site(
                request,
                |r| {
                    r.template
                        .as_ref()
                        .map_or_else(String::new, |t| t.site.clone())
                },
                |r| r.affects_bookings,
                |r, ground| {
                    let put = template(r);
                    template::check(
                        &put,
                        &ground.kept.body.templates,
                        &ground.site.opening_hours,
                    )?;
                    let reason = format!("模板 {} 已变更", put.id);
                    let act = TemplatePut {
                        template: Some(put),
                    };
                    Ok((Act::TemplatePut(act), reason))
                },
                |r, is, days, affected| TemplateChange {
                    template: found(is, &template(r).id),
                    changed_days: days.to_vec(),
                    affected,
                    position: String::new(),
                },
            )
            .await?;
        answer.position = position.to_string();
        Ok(Response::new(answer))
    }

    pub(super) async fn template_removed(
        &self,
        request: Request<RemoveTemplateRequest>,
    ) -> Result<Response<TemplateChange>, Status> {
        let site = self
            .site_with(&request, |c, r| {
                c.templates.iter().any(|t| t.id == r.template)
            })
            .await?;
        let (mut answer, position) = self
            .change_site(
                request,
                |_| site.clone(),
                |r| r.affects_bookings,
                |r, ground| {
                    let mut it = ground
                        .kept
                        .body
                        .templates
                        .iter()
                        .filter(|t| t.id == r.template);
                    let it = it.next().ok_or_else(template_unknown)?;
                    let reason = format!("模板 {} 已停用", it.id);
                    let from = if r.from.is_empty() {
                        today(ground.now.at).succ_opt().unwrap_or_default()
                    } else {
                        time::date("from", &r.from)?
                    };
                    if from.to_string() <= it.valid_from {
                        let act = TemplateRemoved {
                            template: it.id.clone(),
                        };
                        return Ok((Act::TemplateRemoved(act), reason));
                    }
                    // It ends the day before.
                    let ended = Template {
                        valid_until: from.pred_opt().unwrap_or_default().to_string(),
                        ..it.clone()
                    };
                    let act = TemplatePut {
                        template: Some(ended),
                    };
                    Ok((Act::TemplatePut(act), reason))
                },
                |r, is, days, affected| TemplateChange {
                    template: found(is, &r.template),
                    changed_days: days.to_vec(),
                    affected,
                    position: String::new(),
                },
            )
            .await?;
        answer.position = position.to_string();
        Ok(Response::new(answer))
    }

    /// The site of which a thing is that the request names by its id alone; empty when none has it.
    async fn site_with<R: Head>(
        &self,
        request: &Request<R>,
        has: impl Fn(&Capacity, &R) -> bool,
    ) -> Result<String, Error> {
        let r = request.get_ref();
        let all = capacity::sites(&self.store, r.district()).await?;
        let found = all.into_iter().find(|(_, capacity)| has(capacity, r));
        Ok(found.map(|(site, _)| site).unwrap_or_default())
    }

    pub(super) async fn exception_put(
        &self,
        request: Request<PutExceptionRequest>,
    ) -> Result<Response<ExceptionChange>, Status> {
        let exception = |r: &PutExceptionRequest| r.exception.clone().unwrap_or_default();
        let (mut answer, position) = self
            .change_site(
                request,
                |r| {
                    r.exception
                        .as_ref()
                        .map_or_else(String::new, |e| e.site.clone())
                },
                |r| r.affects_bookings,
                |r, ground| {
                    let put = exception(r);
                    let plan = plan(&ground.site, &ground.kept.body, &ground.known);
                    template::check_exception(&put, &plan, today(ground.now.at))?;
                    let reason = put.reason.clone();
                    let act = ExceptionPut {
                        exception: Some(put),
                    };
                    Ok((Act::ExceptionPut(act), reason))
                },
                |r, is, days, affected| ExceptionChange {
                    exception: found_exception(is, &exception(r).id),
                    changed_days: days.to_vec(),
                    affected,
                    position: String::new(),
                },
            )
            .await?;
        answer.position = position.to_string();
        Ok(Response::new(answer))
    }

    pub(super) async fn exception_removed(
        &self,
        request: Request<RemoveExceptionRequest>,
    ) -> Result<Response<ExceptionChange>, Status> {
        let site = self
            .site_with(&request, |c, r| {
                c.exceptions.iter().any(|e| e.id == r.exception)
            })
            .await?;
        let (mut answer, position) = self
            .change_site(
                request,
                |_| site.clone(),
                |r| r.affects_bookings,
                |r, ground| {
                    let mut it = ground
                        .kept
                        .body
                        .exceptions
                        .iter()
                        .filter(|e| e.id == r.exception);
                    let it = it.next().ok_or_else(|| {
                        Refusal::not_found(
                            "EXCEPTION_UNKNOWN",
                            "BB-9.2b",
                            "没有该例外安排",
                            "there is no such exception",
                        )
                        .field("exception", "unknown")
                    })?;
                    if time::date("exception", &it.date)? < today(ground.now.at) {
                        return Err(slot::day_past("exception"));
                    }
                    let act = ExceptionRemoved {
                        exception: it.id.clone(),
                    };
                    Ok((Act::ExceptionRemoved(act), format!("已撤销：{}", it.reason)))
                },
                |_, _, days, affected| ExceptionChange {
                    exception: None,
                    changed_days: days.to_vec(),
                    affected,
                    position: String::new(),
                },
            )
            .await?;
        answer.position = position.to_string();
        Ok(Response::new(answer))
    }

    pub(super) async fn publication_put(
        &self,
        request: Request<PutPublicationRequest>,
    ) -> Result<Response<PublicationChange>, Status> {
        let (mut answer, position) = self
            .change_site(
                request,
                |r| {
                    r.publication
                        .as_ref()
                        .map_or_else(String::new, |p| p.site.clone())
                },
                |_| true,
                |r, ground| {
                    let mut put = r.publication.clone().unwrap_or_default();
                    let was = ground.kept.body.publication.as_ref();
                    put.published_until =
                        was.map(|p| p.published_until.clone()).unwrap_or_default();
                    put.updated_at = Some(timestamp(ground.now.at));
                    put.etag = (ground.kept.version + 1).to_string();
                    let act = PublicationPut {
                        publication: Some(put),
                    };
                    Ok((Act::PublicationPut(act), String::new()))
                },
                |_, is, _, _| PublicationChange {
                    publication: is.publication.clone(),
                    position: String::new(),
                },
            )
            .await?;
        answer.position = position.to_string();
        Ok(Response::new(answer))
    }

    pub(super) async fn days_published(
        &self,
        request: Request<PublishDaysRequest>,
    ) -> Result<Response<PublishDaysResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let (first, last) = dates(&r.from, &r.to)?;
        if (last - first).num_days() >= MOST_DAYS {
            return Err(too_many(MOST_DAYS).into());
        }
        let mut command = Command::new(&caller, &r);
        loop {
            let now = match self.store.begin::<PublishDaysResponse>(&command).await? {
                Begun::Repeated(mut answer, position) => {
                    answer.position = position.to_string();
                    return Ok(Response::new(answer));
                }
                Begun::New(now) => now,
            };
            let ground = self.ground(&caller, &r.district, &r.site, now).await?;
            if first < today(now.at) {
                return Err(slot::day_past("from").into());
            }
            let effect = self
                .publishing(&r.district, &ground, (first, last), &caller)
                .await?;
            let mut answer = PublishDaysResponse {
                days: effect.days.iter().map(|d| d.date.to_string()).collect(),
                position: String::new(),
            };
            if effect.days.is_empty() {
                return Ok(Response::new(answer));
            }
            command.asked.answer = Some(answer.encode_to_vec());
            match self.written(effect, None, &command).await {
                Ok(position) => {
                    answer.position = position.to_string();
                    return Ok(Response::new(answer));
                }
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    /// The days from the first to the last that are not published yet, and have slots.
    async fn publishing(
        &self,
        district: &str,
        ground: &Ground,
        (first, last): (NaiveDate, NaiveDate),
        caller: &Caller,
    ) -> Result<Effect, Error> {
        let range = (first.to_string(), last.to_string());
        let there =
            capacity::days(&self.store, district, &ground.site.id, (&range.0, &range.1)).await?;
        let plan = plan(&ground.site, &ground.kept.body, &ground.known);
        let mut effect = Effect {
            as_of: Some(ground.as_of),
            ..Effect::default()
        };
        for date in first.iter_days().take_while(|date| *date <= last) {
            if there.iter().any(|day| day.body.date == date.to_string()) {
                continue;
            }
            let one = work::published((district, &ground.site), date, &plan, caller, ground.now)?;
            effect.days.extend(one.days);
            effect.chains.extend(one.chains);
            effect.states.extend(one.states);
        }
        Ok(effect)
    }

    pub(super) async fn slot_changed(
        &self,
        request: Request<ChangeSlotRequest>,
    ) -> Result<Response<DayChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let key = slot_of(&r.slot)?;
        let mut command = Command::new(&caller, &r);
        loop {
            let now = match self.store.begin::<DayChange>(&command).await? {
                Begun::Repeated(mut answer, position) => {
                    answer.position = position.to_string();
                    return Ok(Response::new(answer));
                }
                Begun::New(now) => now,
            };
            let known = self.learned.now(&r.district).await?;
            let scope = district::of(&known, &caller, &r.district)?;
            site_of(&known, &scope, &key.day.site).map_err(|_| slot::unknown())?;
            let wish = (r.capacity, r.reserved, r.is_closed);
            let (effect, day) = work::slot(
                &self.store,
                (&r.district, &key.day),
                (&r.slot, wish),
                &r.reason,
                &caller,
                now,
            )
            .await?;
            change::seen(&effect.affected, r.affects_bookings)?;
            let mut answer = DayChange {
                day: Some(day),
                affected: effect.affected.clone(),
                position: String::new(),
            };
            command.asked.answer = Some(answer.encode_to_vec());
            match self.written(effect, None, &command).await {
                Ok(position) => {
                    answer.position = position.to_string();
                    return Ok(Response::new(answer));
                }
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    pub(super) async fn preview(
        &self,
        request: Request<PreviewChangeRequest>,
    ) -> Result<Response<PreviewChangeResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let now = self.store.now().await?;
        let (site, act) = match (&r.template, &r.exception) {
            (Some(t), _) => {
                let act = TemplatePut {
                    template: Some(t.clone()),
                };
                (t.site.clone(), Act::TemplatePut(act))
            }
            (None, Some(e)) => {
                let act = ExceptionPut {
                    exception: Some(e.clone()),
                };
                (e.site.clone(), Act::ExceptionPut(act))
            }
            (None, None) => {
                return Err(Refusal::invalid(
                    "CHANGE_MISSING",
                    "BB-9.2b",
                    "请填写要预览的模板或例外安排",
                    "say which template or exception is meant",
                )
                .field("template", "neither it nor an exception")
                .into());
            }
        };
        let ground = self.ground(&caller, &r.district, &site, now).await?;
        match &act {
            Act::TemplatePut(a) => {
                let put = a.template.clone().unwrap_or_default();
                template::check(
                    &put,
                    &ground.kept.body.templates,
                    &ground.site.opening_hours,
                )?;
            }
            Act::ExceptionPut(a) => {
                let put = a.exception.clone().unwrap_or_default();
                let plan = plan(&ground.site, &ground.kept.body, &ground.known);
                template::check_exception(&put, &plan, today(now.at))?;
            }
            _ => {}
        }
        let (_, _, effect) = self.effect(&caller, &r.district, &ground, act, "").await?;
        Ok(Response::new(PreviewChangeResponse {
            changed_days: effect.days.iter().map(|d| d.date.to_string()).collect(),
            affected: effect.affected,
        }))
    }

    pub(super) async fn policy_put(
        &self,
        request: Request<PutBookingPolicyRequest>,
    ) -> Result<Response<BookingPolicyChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let mut command = Command::new(&caller, &r);
        loop {
            let now = match self.store.begin::<BookingPolicyChange>(&command).await? {
                Begun::Repeated(mut answer, position) => {
                    answer.position = position.to_string();
                    return Ok(Response::new(answer));
                }
                Begun::New(now) => now,
            };
            self.scope(&caller, &r.district).await?;
            let kept = capacity::policy(&self.store, &r.district).await?;
            super::command::fresh(&r, &kept.body.etag)?;
            let mut put = r.policy.clone().unwrap_or_default();
            put.etag = (kept.version + 1).to_string();
            put.updated_at = Some(timestamp(now.at));
            let act = Act::BookingPolicyPut(BookingPolicyPut {
                policy: Some(put.clone()),
            });
            let subject = format!("policies/{}", r.district);
            let chain = Chain::new(&r.district, subject, kept.version, kept.head, &caller, now);
            let chain = carry_out(&mut (), chain, vec![act], now, |(), _, _, _| {});
            let row = capacity::row(
                (&r.district, ""),
                kept.version,
                (chain.number, &chain.head),
                None,
                &put,
            );
            let ruled = rules::changed(&r.district, chain.number, now.us() + work::CARE_US);
            let mut answer = BookingPolicyChange {
                policy: Some(put),
                position: String::new(),
            };
            command.asked.answer = Some(answer.encode_to_vec());
            match self
                .store
                .write(&chain, Some(&command.asked), vec![State::Row(row), ruled])
                .await
            {
                Ok(position) => {
                    answer.position = position.to_string();
                    return Ok(Response::new(answer));
                }
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    /// Publishes days of a site whose time has come; answers how many.
    pub(crate) async fn publish_due(&self, district: &str, site: &str) -> Result<usize, Error> {
        let caller = Caller::system("scheduling");
        let now = self.store.now().await?;
        let ground = self.ground_of_all(district, site, now).await?;
        let Some(mut publication) = ground.kept.body.publication.clone() else {
            return Ok(0);
        };
        let days: Vec<NaiveDate> = publish::due(&publication, now.at).collect();
        let effect = match (days.first(), days.last()) {
            (Some(first), Some(last)) => {
                self.publishing(district, &ground, (*first, *last), &caller)
                    .await?
            }
            _ => Effect::default(),
        };
        let Effect {
            days: published,
            mut chains,
            mut states,
            as_of,
            ..
        } = effect;
        if let Some(last) = days.last() {
            publication.published_until = last.to_string();
        }
        let mut is = ground.kept.body.clone();
        let subject = format!("sites/{site}");
        let chain = Chain::new(
            district,
            subject,
            ground.kept.version,
            ground.kept.head,
            &caller,
            now,
        );
        let act = Act::PublicationPut(PublicationPut {
            publication: Some(publication),
        });
        let chain = carry_out(&mut is, chain, vec![act], now, apply);
        let next = is
            .publication
            .as_ref()
            .map(|p| publish::next_at(p, now.at).timestamp_micros());
        let row = capacity::row(
            (district, site),
            ground.kept.version,
            (chain.number, &chain.head),
            next,
            &is,
        );
        chains.push(chain);
        states.push(State::Row(row));
        states.push(capacity::revised_as_of(as_of));
        match self.store.write_all(&chains, None, states).await {
            Ok(_) => {}
            // Another replica was faster.
            Err(Error::Taken(_)) => return Ok(0),
            Err(error) if error.is_passing() => return Ok(0),
            Err(error) => return Err(error),
        }
        self.forget(district, &published).await?;
        Ok(published.len())
    }

    async fn ground_of_all(&self, district: &str, site: &str, now: Now) -> Result<Ground, Error> {
        let as_of = plans::as_of(&self.store).await?;
        let known = self.learned.now(district).await?;
        let site = site_of(&known, &Scope::whole(district), site)?.clone();
        let kept = capacity::of_site(&self.store, district, &site.id).await?;
        Ok(Ground {
            now,
            as_of,
            site,
            known,
            kept,
        })
    }
}

fn template_unknown() -> Refusal {
    Refusal::not_found(
        "TEMPLATE_UNKNOWN",
        "BB-9.2b",
        "没有该模板",
        "there is no such template",
    )
    .field("template", "unknown")
}

fn found(capacity: &Capacity, id: &str) -> Option<Template> {
    capacity.templates.iter().find(|t| t.id == id).cloned()
}

fn found_exception(capacity: &Capacity, id: &str) -> Option<Exception> {
    capacity.exceptions.iter().find(|e| e.id == id).cloned()
}
