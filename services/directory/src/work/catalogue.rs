//! Departments and items.

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    Department, DepartmentChange, DirectoryAct, GetItemRequest, GetTransparencyRequest,
    GetTransparencyResponse, ItemChange, ItemVersion, ItemVersionChange, ListDepartmentsRequest,
    ListDepartmentsResponse, ListItemChangesRequest, ListItemChangesResponse, ListItemsRequest,
    ListItemsResponse, PublishItemVersionRequest, PutDepartmentRequest, WithdrawItemRequest,
    directory_act::Act,
};
use bangban_store::{Error, clock::timestamp};
use chrono::DateTime;
use prost::Message as _;

use super::{On, bodies, cut, cut_acts, cut_rows, whole};
use crate::{
    Directory,
    domain::{acts, catalogue},
    store::{
        history,
        resource::{self, Place, Row},
    },
};

/// Where a version stands. Its acts stand with the item.
pub(super) fn place(scope: &Scope, item: &ItemVersion) -> Place {
    let id = format!("{}@{}", item.code, item.version);
    Place {
        parent: item.code.clone(),
        sort: format!("{}@{:010}", item.code, u32::MAX - item.version),
        ..Place::new(scope, "item", id)
    }
}

impl Directory {
    pub(crate) async fn put_department(
        &self,
        caller: &Caller,
        request: &PutDepartmentRequest,
    ) -> Result<DepartmentChange, Error> {
        let decide = move |on: On| async move {
            whole(&on.scope)?;
            let department = request.department.clone().unwrap_or_default();
            let place = Place::new(&on.scope, "department", &department.id);
            let found = self
                .row::<Department>(&on.scope, place.kind, &place.id)
                .await?;
            Ok(on.put(
                &place,
                found.as_ref(),
                catalogue::put_department(&department)?,
            ))
        };
        self.change(caller, request, decide).await
    }

    pub(crate) async fn list_departments(
        &self,
        _: &Caller,
        request: &ListDepartmentsRequest,
    ) -> Result<ListDepartmentsResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let page = Page::new(
            request.page_size,
            &request.page_token,
            &["ListDepartments", &request.district],
        )?;
        let scope = Scope::whole(&request.district);
        let rows =
            resource::page::<Department>(&self.store.db, &scope, "department", "", "", &page)
                .await?;
        let (departments, next_page_token) = cut_rows(rows, &page);
        Ok(ListDepartmentsResponse {
            departments,
            next_page_token,
        })
    }

    /// All departments of a district.
    pub(super) async fn departments(&self, scope: &Scope) -> Result<Vec<Department>, Error> {
        Ok(bodies(
            resource::all(&self.store.db, scope, "department", None).await?,
        ))
    }

    /// All versions of an item, or of all items.
    pub(super) async fn versions(
        &self,
        scope: &Scope,
        code: Option<&str>,
    ) -> Result<Vec<Row<ItemVersion>>, Error> {
        resource::all(&self.store.db, scope, "item", code).await
    }

    pub(crate) async fn publish_item_version(
        &self,
        caller: &Caller,
        request: &PublishItemVersionRequest,
    ) -> Result<ItemVersionChange, Error> {
        let decide = move |on: On| async move {
            whole(&on.scope)?;
            let asked = request.item.clone().unwrap_or_default();
            // Two that publish at once meet at the item's head.
            let head = Place::new(&on.scope, "item_head", &asked.code);
            let found = self
                .row::<ItemVersion>(&on.scope, head.kind, &head.id)
                .await?;
            let versions = bodies(self.versions(&on.scope, Some(&asked.code)).await?);
            let departments = self.departments(&on.scope).await?;
            let departments: Vec<String> = departments.into_iter().map(|d| d.id).collect();
            let (act, version) =
                catalogue::publish(&asked, &versions, &departments, on.now.timestamp())?;
            let step = on.put(&head, found.as_ref(), (act, catalogue::head(&asked.code)));
            let row = resource::put(
                &place(&on.scope, &version),
                0,
                &step.chain,
                &version,
                on.now,
            );
            Ok(step.and([row]).answering(version))
        };
        self.change(caller, request, decide).await
    }

    pub(crate) async fn withdraw_item(
        &self,
        caller: &Caller,
        request: &WithdrawItemRequest,
    ) -> Result<ItemVersionChange, Error> {
        let decide = move |on: On| async move {
            whole(&on.scope)?;
            let place_of_head = Place::new(&on.scope, "item_head", &request.item);
            let found = self
                .row::<ItemVersion>(&on.scope, place_of_head.kind, &request.item)
                .await?;
            let head = found.ok_or_else(catalogue::item_unknown)?;
            let rows = self.versions(&on.scope, Some(&request.item)).await?;
            let versions: Vec<ItemVersion> = rows.iter().map(|r| r.body.clone()).collect();
            let (act, touched, told) =
                catalogue::withdraw(&versions, &request.from, &request.reason)?;
            let step = on.put(&place_of_head, Some(&head), (act, head.body.clone()));
            let mut states = Vec::with_capacity(touched.len());
            for version in &touched {
                let place = place(&on.scope, version);
                let row = rows.iter().find(|r| r.id == place.id);
                let read = row.map_or(0, |r| r.version);
                states.push(resource::put(&place, read, &step.chain, version, on.now));
            }
            Ok(step.and(states).answering(told))
        };
        self.change(caller, request, decide).await
    }

    /// The day that is asked for, today when none is.
    async fn on(&self, asked: &str) -> Result<String, Error> {
        if !asked.is_empty() {
            return Ok(crate::domain::day(asked, "on")?.to_string());
        }
        Ok(self.store.now().await?.local().date_naive().to_string())
    }

    pub(crate) async fn get_item(
        &self,
        _: &Caller,
        request: &GetItemRequest,
    ) -> Result<ItemVersion, Error> {
        self.store.wait_for(&request.after).await?;
        let versions = bodies(
            self.versions(&Scope::whole(&request.district), Some(&request.item))
                .await?,
        );
        if versions.is_empty() {
            return Err(catalogue::item_unknown().into());
        }
        let found = if request.version > 0 {
            versions.iter().find(|v| v.version == request.version)
        } else {
            catalogue::in_force(&versions, &self.on(&request.on).await?)
        };
        Ok(found.ok_or_else(catalogue::not_published)?.clone())
    }

    /// Items in force on a day, by code.
    pub(super) async fn in_force(
        &self,
        scope: &Scope,
        on: &str,
    ) -> Result<Vec<ItemVersion>, Error> {
        let versions = bodies(self.versions(scope, None).await?);
        let of_one = versions.chunk_by(|a, b| a.code == b.code);
        Ok(of_one
            .filter_map(|versions| catalogue::in_force(versions, on).cloned())
            .collect())
    }

    pub(crate) async fn list_items(
        &self,
        _: &Caller,
        request: &ListItemsRequest,
    ) -> Result<ListItemsResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let on = self.on(&request.on).await?;
        let page = Page::new(
            request.page_size,
            &request.page_token,
            &["ListItems", &request.district, &request.on],
        )?;
        let mut items = self.in_force(&Scope::whole(&request.district), &on).await?;
        if let Some(after) = page.after.first() {
            items.retain(|i| i.code > *after);
        }
        let (items, next_page_token) = cut(items, &page, |last| vec![last.code.clone()]);
        Ok(ListItemsResponse {
            items,
            next_page_token,
        })
    }

    pub(crate) async fn list_item_changes(
        &self,
        _: &Caller,
        request: &ListItemChangesRequest,
    ) -> Result<ListItemChangesResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let query = ["ListItemChanges", &request.district, &request.item];
        let page = Page::new(request.page_size, &request.page_token, &query)?;
        let scope = Scope::whole(&request.district);
        let subject = (!request.item.is_empty()).then(|| format!("items/{}", request.item));
        let kinds = [acts::PUBLISHED, acts::WITHDRAWN];
        let found = history::page(&self.store.db, &scope, &kinds, subject, None, &page).await?;
        let (found, next_page_token) = cut_acts(found, &page);
        let mut changes = Vec::with_capacity(found.len());
        for act in found {
            let changed_at = DateTime::from_timestamp_micros(act.acted_at_us).map(timestamp);
            match DirectoryAct::decode(act.payload.as_slice())
                .ok()
                .and_then(|a| a.act)
            {
                Some(Act::ItemPublished(published)) => {
                    let item = published.item.unwrap_or_default();
                    changes.push(ItemChange {
                        code: item.code,
                        name: item.name,
                        version: item.version,
                        kind: "published".to_owned(),
                        effective_from: item.effective_from,
                        changed_at,
                        reason: String::new(),
                    });
                }
                Some(Act::ItemWithdrawn(withdrawn)) => {
                    let id = format!("{}@{}", withdrawn.code, withdrawn.version);
                    let item = self.row::<ItemVersion>(&scope, "item", &id).await?;
                    changes.push(ItemChange {
                        code: withdrawn.code,
                        name: item.map(|i| i.body.name).unwrap_or_default(),
                        version: withdrawn.version,
                        kind: "withdrawn".to_owned(),
                        effective_from: withdrawn.from,
                        changed_at,
                        reason: withdrawn.reason,
                    });
                }
                _ => {}
            }
        }
        Ok(ListItemChangesResponse {
            changes,
            next_page_token,
        })
    }

    pub(crate) async fn get_transparency(
        &self,
        _: &Caller,
        request: &GetTransparencyRequest,
    ) -> Result<GetTransparencyResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let scope = Scope::whole(&request.district);
        let items = self.in_force(&scope, &self.on("").await?).await?;
        let departments = self.departments(&scope).await?;
        let mut gaps = Vec::new();
        for item in &items {
            let lacks = catalogue::gaps(item, &departments);
            if !lacks.is_empty() {
                gaps.push(format!("{}: {}", item.code, lacks.join(", ")));
            }
        }
        let item_count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let complete_count = item_count - u32::try_from(gaps.len()).unwrap_or_default();
        let rate = if item_count == 0 {
            1.0
        } else {
            f64::from(complete_count) / f64::from(item_count)
        };
        Ok(GetTransparencyResponse {
            item_count,
            complete_count,
            rate,
            gaps,
        })
    }
}
