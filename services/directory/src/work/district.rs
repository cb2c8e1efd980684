//! Districts.

use bangban_kit::{identity::Caller, page::Page};
use bangban_proto::bangban::directory::v1::{
    CreateDistrictRequest, District, DistrictChange, GetDistrictRequest, ListDistrictsRequest,
    ListDistrictsResponse,
};
use bangban_store::Error;

use super::{On, bodies, cut};
use crate::{
    Directory,
    domain::district,
    store::{
        resource::{self, Place},
        unique::{self, Table},
    },
};

impl Directory {
    pub(crate) async fn create_district(
        &self,
        caller: &Caller,
        request: &CreateDistrictRequest,
    ) -> Result<DistrictChange, Error> {
        let decide = move |on: On| async move {
            let found = self
                .row::<District>(&on.scope, "district", &request.district)
                .await?;
            let is_known = self.region_is_known(&request.region).await?;
            let created = district::create(found.is_some(), is_known, request, on.now.timestamp())?;
            let place = Place {
                region: request.region.clone(),
                ..Place::new(&on.scope, "district", &request.district)
            };
            let number = request.number.to_string();
            let number = unique::insert(Table::Uniques, "", "number", &number, &request.district);
            Ok(on.put(&place, found.as_ref(), created).and([number]))
        };
        match self.change_installation(caller, request, decide).await {
            Err(error) if unique::is_taken(&error) => Err(district::number_taken().into()),
            done => done,
        }
    }

    pub(crate) async fn get_district(
        &self,
        caller: &Caller,
        request: &GetDistrictRequest,
    ) -> Result<District, Error> {
        self.store.wait_for(&request.after).await?;
        Ok(self.scope(caller, &request.district).await?.1)
    }

    pub(crate) async fn list_districts(
        &self,
        caller: &Caller,
        request: &ListDistrictsRequest,
    ) -> Result<ListDistrictsResponse, Error> {
        let query = ["ListDistricts", &caller.region];
        let page = Page::new(request.page_size, &request.page_token, &query)?;
        let rows = resource::districts::<District>(&self.store.db, &caller.region, &page).await?;
        let (rows, next_page_token) = cut(rows, &page, |last| vec![last.id.clone()]);
        Ok(ListDistrictsResponse {
            districts: bodies(rows),
            next_page_token,
        })
    }
}
