//! Regions.

use std::{future::Future, pin::Pin};

use bangban_kit::{
    access::{Deadline, Regions},
    identity::Caller,
    page::Page,
    refusal::Refusal,
};
use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, ListRegionsRequest, ListRegionsResponse, Region,
};
use bangban_store::Error;

use super::cut;
use crate::{
    Directory,
    domain::{self, district::region_unknown},
    store::regions,
};

fn told((region, data_set): (domain::regions::Region, String)) -> Region {
    Region {
        code: region.code,
        name: region.name,
        parent: region.parent,
        data_set,
    }
}

impl Directory {
    /// Whether a region is in the data set in force. What was there once is remembered.
    pub(crate) async fn region_is_known(&self, code: &str) -> Result<bool, Error> {
        if self.known.lock().await.contains(code) {
            return Ok(true);
        }
        let is_known = regions::get(&self.store, code).await?.is_some();
        if is_known {
            self.known.lock().await.insert(code.to_owned());
        }
        Ok(is_known)
    }

    pub(crate) async fn get_region(
        &self,
        _: &Caller,
        request: &GetRegionRequest,
    ) -> Result<Region, Error> {
        let found = regions::get(&self.store, &request.code).await?;
        Ok(told(found.ok_or_else(|| region_unknown("code"))?))
    }

    pub(crate) async fn list_regions(
        &self,
        _: &Caller,
        request: &ListRegionsRequest,
    ) -> Result<ListRegionsResponse, Error> {
        let page = Page::new(
            request.page_size,
            &request.page_token,
            &["ListRegions", &request.parent],
        )?;
        let found = regions::below(&self.store, &request.parent, &page).await?;
        let (found, next_page_token) = cut(found, &page, |(last, _)| vec![last.code.clone()]);
        Ok(ListRegionsResponse {
            regions: found.into_iter().map(told).collect(),
            next_page_token,
        })
    }
}

impl Regions for Directory {
    fn exists(
        &self,
        code: String,
        _: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(async move { self.region_is_known(&code).await.map_err(Refusal::from) })
    }
}
