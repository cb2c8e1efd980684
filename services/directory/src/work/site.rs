//! Sites.

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    CreateSiteRequest, GetSiteRequest, ListSitesRequest, ListSitesResponse, Site, SiteChange,
    Staff, UpdateSiteRequest,
};
use bangban_store::Error;

use super::{Step, chain, cut};
use crate::{
    Directory,
    domain::{self, site},
    store::resource::{self, Place},
};

fn place(scope: &Scope, site: &Site) -> Place {
    Place {
        district: scope.district().to_owned(),
        kind: "site",
        id: site.id.clone(),
        region: site.region.clone(),
        parent: String::new(),
        sort: site.region.clone(),
    }
}

impl Directory {
    pub(crate) async fn create_site(
        &self,
        caller: &Caller,
        request: &CreateSiteRequest,
    ) -> Result<SiteChange, Error> {
        let decide = move |now: bangban_store::Now| async move {
            let (scope, district) = self.scope(caller, &request.district).await?;
            let asked = request.site.clone().unwrap_or_default();
            let all = Scope::whole(&request.district);
            let found = resource::get::<Site>(&self.store.db, &all, "site", &asked.id).await?;
            if found.is_some() {
                return Err(site::site_exists().into());
            }
            let ground = site::Ground {
                district_region: &district.region,
                authority: &caller.region,
                region_is_known: self.region_is_known(&asked.region).await?,
            };
            let (act, state) = site::put(true, &asked, ground, 1, now.timestamp())?;
            let chain = chain(
                &scope,
                format!("sites/{}", state.id),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let states = vec![resource::put(
                &place(&scope, &state),
                0,
                &chain,
                &state,
                now,
            )];
            Ok(Step::new(
                chain,
                SiteChange {
                    site: Some(state),
                    ..SiteChange::default()
                },
                states,
            ))
        };
        match self.command(caller, request, decide).await {
            Ok((answer, position)) => Ok(SiteChange {
                position: position.to_string(),
                ..answer
            }),
            Err(Error::Taken(what)) if what.contains("resources") => {
                Err(site::site_exists().into())
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn update_site(
        &self,
        caller: &Caller,
        request: &UpdateSiteRequest,
    ) -> Result<SiteChange, Error> {
        let decide = move |now: bangban_store::Now| async move {
            let (scope, district) = self.scope(caller, &request.district).await?;
            let asked = request.site.clone().unwrap_or_default();
            let found = resource::get::<Site>(&self.store.db, &scope, "site", &asked.id).await?;
            let row = found.ok_or_else(site::site_unknown)?;
            domain::same_etag(&request.etag, row.version)?;
            let ground = site::Ground {
                district_region: &district.region,
                authority: &caller.region,
                region_is_known: self.region_is_known(&asked.region).await?,
            };
            let (act, state) = site::put(false, &asked, ground, row.version + 1, now.timestamp())?;
            let chain = chain(
                &scope,
                format!("sites/{}", state.id),
                Some(&row),
                act,
                caller,
                now,
            );
            let mut states = vec![resource::put(
                &place(&scope, &state),
                row.version,
                &chain,
                &state,
                now,
            )];
            if row.body.region != state.region {
                // Who serves here moves along, so that authority over persons follows the place.
                let all = Scope::whole(&request.district);
                for staff in
                    resource::all::<Staff>(&self.store.db, &all, "staff", Some(&state.id)).await?
                {
                    let moved = Staff {
                        region: state.region.clone(),
                        ..staff.body
                    };
                    let place = super::staff::place(&scope, &moved);
                    states.push(resource::put_at(
                        &place,
                        staff.version,
                        staff.version,
                        &staff.head,
                        &moved,
                        now,
                    ));
                }
            }
            Ok(Step::new(
                chain,
                SiteChange {
                    site: Some(state),
                    ..SiteChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(SiteChange {
            position: position.to_string(),
            ..answer
        })
    }

    pub(crate) async fn get_site(
        &self,
        _: &Caller,
        request: &GetSiteRequest,
    ) -> Result<Site, Error> {
        self.store.wait_for(&request.after).await?;
        let scope = Scope::whole(&request.district);
        let found = resource::get::<Site>(&self.store.db, &scope, "site", &request.site).await?;
        Ok(found.ok_or_else(site::site_unknown)?.body)
    }

    pub(crate) async fn list_sites(
        &self,
        _: &Caller,
        request: &ListSitesRequest,
    ) -> Result<ListSitesResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let query = ["ListSites", &request.district, &request.region];
        let page = Page::new(request.page_size, &request.page_token, &query)?;
        let scope = Scope::whole(&request.district);
        let rows =
            resource::page::<Site>(&self.store.db, &scope, "site", &request.region, "", &page)
                .await?;
        let (sites, next_page_token) = cut(rows, &page);
        Ok(ListSitesResponse {
            sites,
            next_page_token,
        })
    }
}
