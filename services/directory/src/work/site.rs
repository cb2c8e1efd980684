//! Sites.

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    CreateSiteRequest, GetSiteRequest, ListSitesRequest, ListSitesResponse, Site, SiteChange,
    Staff, UpdateSiteRequest,
};
use bangban_store::{Error, write::State};

use super::{On, cut_rows};
use crate::{
    Directory,
    domain::{self, site},
    store::resource::{self, Place, Row},
};

fn place(scope: &Scope, site: &Site) -> Place {
    Place {
        region: site.region.clone(),
        sort: site.region.clone(),
        ..Place::new(scope, "site", &site.id)
    }
}

impl Directory {
    pub(crate) async fn create_site(
        &self,
        caller: &Caller,
        request: &CreateSiteRequest,
    ) -> Result<SiteChange, Error> {
        let decide = move |on: On| async move {
            let asked = request.site.clone().unwrap_or_default();
            // An id is taken wherever in the district it is.
            let all = Scope::whole(&request.district);
            let found = self.row::<Site>(&all, "site", &asked.id).await?;
            if found.is_some() {
                return Err(site::site_exists().into());
            }
            let ground = self.ground(&on, &asked).await?;
            let opened = site::put(true, &asked, ground, 1, on.now.timestamp())?;
            Ok(on.put(&place(&on.scope, &opened.1), found.as_ref(), opened))
        };
        self.change(caller, request, decide).await
    }

    async fn ground<'a>(&self, on: &'a On, asked: &Site) -> Result<site::Ground<'a>, Error> {
        Ok(site::Ground {
            district_region: &on.district.region,
            authority: &on.caller.region,
            region_is_known: self.region_is_known(&asked.region).await?,
        })
    }

    pub(crate) async fn update_site(
        &self,
        caller: &Caller,
        request: &UpdateSiteRequest,
    ) -> Result<SiteChange, Error> {
        let decide = move |on: On| async move {
            let asked = request.site.clone().unwrap_or_default();
            let found = self.row::<Site>(&on.scope, "site", &asked.id).await?;
            let row = found.ok_or_else(site::site_unknown)?;
            domain::same_etag(&request.etag, row.version)?;
            let ground = self.ground(&on, &asked).await?;
            let updated = site::put(false, &asked, ground, row.version + 1, on.now.timestamp())?;
            let moved = self.moved(&on, &row.body, &updated.1).await?;
            let step = on.put(&place(&on.scope, &updated.1), Some(&row), updated);
            Ok(step.and(moved))
        };
        self.change(caller, request, decide).await
    }

    /// The rows of those who serve at a site that moves: authority over persons follows the place.
    async fn moved(&self, on: &On, from: &Site, to: &Site) -> Result<Vec<State>, Error> {
        if from.region == to.region {
            return Ok(Vec::new());
        }
        let all = Scope::whole(on.scope.district());
        let team = resource::all::<Staff>(&self.store.db, &all, "staff", Some(&to.id)).await?;
        let row = |person: Row<Staff>| {
            let moved = Staff {
                region: to.region.clone(),
                ..person.body
            };
            let place = super::staff::place(&on.scope, &moved);
            let (number, head) = (person.version, &person.head);
            resource::put_at(&place, number, number, head, &moved, on.now)
        };
        Ok(team.into_iter().map(row).collect())
    }

    pub(crate) async fn get_site(
        &self,
        _: &Caller,
        request: &GetSiteRequest,
    ) -> Result<Site, Error> {
        self.store.wait_for(&request.after).await?;
        let scope = Scope::whole(&request.district);
        let found = self.row::<Site>(&scope, "site", &request.site).await?;
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
        let (sites, next_page_token) = cut_rows(rows, &page);
        Ok(ListSitesResponse {
            sites,
            next_page_token,
        })
    }
}
