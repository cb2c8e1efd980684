//! Reminders of entitlements that are about to begin (BB-4.2c).

use std::collections::{BTreeMap, BTreeSet};

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_ledger::START;
use bangban_proto::bangban::directory::v1::{
    Applicant, DirectoryAct, District, EntitlementNear, ListRemindersRequest,
    ListRemindersResponse, Reminder, directory_act::Act,
};
use bangban_store::{Error, Now, clock::timestamp, write::Chain};
use chrono::DateTime;
use prost::Message as _;

use super::{bodies, cut, cut_acts, reach};
use crate::{
    Directory, SERVICE,
    domain::{acts, catalogue, entitlement},
    store::{
        reminders::{self, BIRTHDAY},
        resource,
        unique::{self, Table},
    },
};

/// Districts that are read at once.
const DISTRICTS: i32 = 500;

/// What a look at a district has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Entitlements that were noted.
    pub count: usize,
    /// Those that were not, because their applicant changed meanwhile: to be looked at again.
    pub left: usize,
}

impl Directory {
    /// Ids of all districts.
    pub(crate) async fn all_districts(&self) -> Result<Vec<String>, Error> {
        let (mut ids, mut token) = (Vec::new(), String::new());
        loop {
            let page = Page::new(DISTRICTS, &token, &["reminders"])?;
            let rows = resource::districts::<District>(&self.store.db, "", &page).await?;
            let (rows, next) = cut(rows, &page, |last| vec![last.id.clone()]);
            ids.extend(rows.into_iter().map(|r| r.id));
            if next.is_empty() {
                return Ok(ids);
            }
            token = next;
        }
    }

    /// Notes every entitlement that begins within the days ahead and was not noted yet, of applicants that want to be
    /// reminded. Any number of processes may do so at once: each is noted by one of them.
    pub(crate) async fn note_entitlements(&self, district: &str, now: Now) -> Result<Noted, Error> {
        let scope = Scope::whole(district);
        let today = now.local().date_naive();
        let mut noted = Noted::default();
        for item in self.in_force(&scope, &today.to_string()).await? {
            if item.entitlement_age == 0 {
                continue;
            }
            let ring = self.keys.ring();
            let births = entitlement::births(item.entitlement_age, today);
            let births = births.into_iter().flat_map(|born| {
                ring.blind_indexes(district, BIRTHDAY, &entitlement::birthday(born))
            });
            let births = births.collect();
            for id in reminders::due(&self.store, &scope, &item.code, births).await? {
                let subject = entitlement::subject(&id, &item.code);
                let act = acts::payload(entitlement::near(&id, &item.code));
                let caller = Caller::system(SERVICE);
                let chain =
                    Chain::new(district, subject, 0, START, &caller, now).act(acts::NEAR, act);
                // Not for one who has opted out or was forgotten since.
                let wants = unique::still(Table::Lookups, district, BIRTHDAY, &id);
                match self.store.write(&chain, None, vec![wants]).await {
                    Ok(_) => noted.count += 1,
                    // Another process has noted it.
                    Err(Error::Taken(_)) => {}
                    Err(error) if error.is_passing() => noted.left += 1,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(noted)
    }

    pub(crate) async fn list_reminders(
        &self,
        caller: &Caller,
        request: &ListRemindersRequest,
    ) -> Result<ListRemindersResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let (scope, _) = self.scope(caller, &request.district).await?;
        let query = ["ListReminders", &request.district, &reach(&scope)];
        let page = Page::new(request.page_size, &request.page_token, &query)?;
        let found = reminders::page(&self.store.db, &scope, &page).await?;
        let (found, next_page_token) = cut_acts(found, &page);
        let mut noted = Vec::with_capacity(found.len());
        for act in found {
            if let Ok(Some(Act::EntitlementNear(near))) =
                DirectoryAct::decode(act.payload.as_slice()).map(|a| a.act)
            {
                noted.push((near, act.acted_at_us));
            }
        }
        let (people, items) = self.reminded(&scope, &noted).await?;
        let reminders = noted.into_iter().filter_map(|(near, us)| {
            // Read after the page: who has opted out since is not told.
            let person = people.get(&near.applicant).filter(|p| p.wants_reminders)?;
            Some(Reminder {
                applicant: person.id.clone(),
                name_mask: person.name_mask.clone(),
                telephone_mask: person.telephone_mask.clone(),
                item_name: items.get(&near.item).cloned().unwrap_or_default(),
                item: near.item,
                noted_at: DateTime::from_timestamp_micros(us).map(timestamp),
            })
        });
        Ok(ListRemindersResponse {
            reminders: reminders.collect(),
            next_page_token,
        })
    }

    /// The applicants and the names of the items that reminders are about, by id and code.
    async fn reminded(
        &self,
        scope: &Scope,
        noted: &[(EntitlementNear, i64)],
    ) -> Result<(BTreeMap<String, Applicant>, BTreeMap<String, String>), Error> {
        let ids: BTreeSet<String> = noted.iter().map(|(n, _)| n.applicant.clone()).collect();
        let people = resource::some::<Applicant>(&self.store.db, scope, "applicant", ids).await?;
        let people = people.into_iter().map(|p| (p.id, p.body)).collect();
        let today = self.store.now().await?.local().date_naive().to_string();
        let codes: BTreeSet<&String> = noted.iter().map(|(n, _)| &n.item).collect();
        let mut items = BTreeMap::new();
        for code in codes {
            // Newest first.
            let versions = bodies(self.versions(scope, Some(code)).await?);
            let version = catalogue::in_force(&versions, &today).or(versions.first());
            items.insert(
                code.clone(),
                version.map(|v| v.name.clone()).unwrap_or_default(),
            );
        }
        Ok((people, items))
    }
}
