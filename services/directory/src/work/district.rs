//! Districts.

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    CreateDistrictRequest, District, DistrictChange, GetDistrictRequest, ListDistrictsRequest,
    ListDistrictsResponse,
};
use bangban_store::Error;

use super::{Step, chain};
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
        let decide = move |now: bangban_store::Now| async move {
            let scope = Scope::whole(&request.district);
            let found =
                resource::get::<District>(&self.store.db, &scope, "district", &request.district)
                    .await?;
            let is_known = self.region_is_known(&request.region).await?;
            let (act, state) =
                district::create(found.is_some(), is_known, request, now.timestamp())?;
            let chain = chain(
                &scope,
                format!("districts/{}", state.id),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let place = Place {
                district: state.id.clone(),
                kind: "district",
                id: state.id.clone(),
                region: state.region.clone(),
                ..Place::default()
            };
            let number = request.number.to_string();
            let states = vec![
                resource::put(&place, 0, &chain, &state, now),
                unique::insert(Table::Uniques, "", "number", &number, &state.id),
            ];
            Ok(Step::new(
                chain,
                DistrictChange {
                    district: Some(state),
                    ..DistrictChange::default()
                },
                states,
            ))
        };
        match self.command(caller, request, decide).await {
            Ok((answer, position)) => Ok(DistrictChange {
                position: position.to_string(),
                ..answer
            }),
            Err(error) if unique::is_taken(&error) => Err(district::number_taken().into()),
            Err(Error::Taken(what)) if what.contains("resources") => {
                Err(district::district_exists().into())
            }
            Err(error) => Err(error),
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
        let page = Page::new(
            request.page_size,
            &request.page_token,
            &["ListDistricts", &caller.region],
        )?;
        let mut rows =
            resource::districts::<District>(&self.store.db, &caller.region, &page).await?;
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let is_more = rows.len() > size;
        rows.truncate(size);
        let next_page_token = match rows.last() {
            Some(last) if is_more => page.token(&[&last.id]),
            _ => String::new(),
        };
        Ok(ListDistrictsResponse {
            districts: rows.into_iter().map(|r| r.body).collect(),
            next_page_token,
        })
    }
}
