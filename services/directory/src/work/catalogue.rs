//! Departments and items.

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    Department, DepartmentChange, DepartmentPut, DirectoryAct, GetItemRequest,
    GetTransparencyRequest, GetTransparencyResponse, ItemChange, ItemVersion, ItemVersionChange,
    ListDepartmentsRequest, ListDepartmentsResponse, ListItemChangesRequest,
    ListItemChangesResponse, ListItemsRequest, ListItemsResponse, PublishItemVersionRequest,
    PutDepartmentRequest, WithdrawItemRequest, directory_act::Act,
};
use bangban_store::{Error, Now, clock::timestamp};
use chrono::DateTime;
use prost::Message as _;

use super::{Step, chain, cut, whole};
use crate::{
    Directory,
    domain::{acts, catalogue},
    store::{
        history,
        resource::{self, Place, Row},
    },
};

/// Where a version stands. Its acts stand with the item.
fn place(scope: &Scope, item: &ItemVersion) -> Place {
    Place {
        district: scope.district().to_owned(),
        kind: "item",
        id: format!("{}@{}", item.code, item.version),
        parent: item.code.clone(),
        sort: format!("{}@{:010}", item.code, u32::MAX - item.version),
        ..Place::default()
    }
}

/// Where an item stands over all versions: two that publish at once meet here.
fn head(scope: &Scope, code: &str) -> Place {
    Place {
        district: scope.district().to_owned(),
        kind: "item_head",
        id: code.to_owned(),
        ..Place::default()
    }
}

fn bodies<M>(rows: Vec<Row<M>>) -> Vec<M> {
    rows.into_iter().map(|r| r.body).collect()
}

impl Directory {
    pub(crate) async fn put_department(
        &self,
        caller: &Caller,
        request: &PutDepartmentRequest,
    ) -> Result<DepartmentChange, Error> {
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, &request.district).await?;
            whole(&scope)?;
            let state = request.department.clone().unwrap_or_default();
            let found =
                resource::get::<Department>(&self.store.db, &scope, "department", &state.id)
                    .await?;
            let act = Act::DepartmentPut(DepartmentPut {
                department: Some(state.clone()),
            });
            let chain = chain(
                &scope,
                format!("departments/{}", state.id),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let place = Place {
                district: scope.district().to_owned(),
                kind: "department",
                id: state.id.clone(),
                ..Place::default()
            };
            let states = vec![resource::put(
                &place,
                resource::tip(found.as_ref()).0,
                &chain,
                &state,
                now,
            )];
            Ok(Step::new(
                chain,
                DepartmentChange {
                    department: Some(state),
                    ..DepartmentChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(DepartmentChange {
            position: position.to_string(),
            ..answer
        })
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
        let (departments, next_page_token) = cut(rows, &page);
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
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, &request.district).await?;
            whole(&scope)?;
            let asked = request.item.clone().unwrap_or_default();
            let found =
                resource::get::<ItemVersion>(&self.store.db, &scope, "item_head", &asked.code)
                    .await?;
            let versions = bodies(self.versions(&scope, Some(&asked.code)).await?);
            let departments: Vec<String> = self
                .departments(&scope)
                .await?
                .into_iter()
                .map(|d| d.id)
                .collect();
            let (act, state) =
                catalogue::publish(&asked, &versions, &departments, now.timestamp())?;
            let chain = chain(
                &scope,
                format!("items/{}", state.code),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let stub = ItemVersion {
                code: state.code.clone(),
                ..ItemVersion::default()
            };
            let read = resource::tip(found.as_ref()).0;
            let states = vec![
                resource::put(&head(&scope, &state.code), read, &chain, &stub, now),
                resource::put(&place(&scope, &state), 0, &chain, &state, now),
            ];
            Ok(Step::new(
                chain,
                ItemVersionChange {
                    item: Some(state),
                    ..ItemVersionChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(ItemVersionChange {
            position: position.to_string(),
            ..answer
        })
    }

    pub(crate) async fn withdraw_item(
        &self,
        caller: &Caller,
        request: &WithdrawItemRequest,
    ) -> Result<ItemVersionChange, Error> {
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, &request.district).await?;
            whole(&scope)?;
            let found =
                resource::get::<ItemVersion>(&self.store.db, &scope, "item_head", &request.item)
                    .await?;
            let row = found.ok_or_else(catalogue::item_unknown)?;
            let rows = self.versions(&scope, Some(&request.item)).await?;
            let versions: Vec<ItemVersion> = rows.iter().map(|r| r.body.clone()).collect();
            let (act, touched, told) =
                catalogue::withdraw(&versions, &request.from, &request.reason)?;
            let chain = chain(
                &scope,
                format!("items/{}", request.item),
                Some(&row),
                act,
                caller,
                now,
            );
            let mut states = vec![resource::put(
                &head(&scope, &request.item),
                row.version,
                &chain,
                &row.body,
                now,
            )];
            for version in &touched {
                let place = place(&scope, version);
                let read = rows
                    .iter()
                    .find(|r| r.id == place.id)
                    .map_or(0, |r| r.version);
                states.push(resource::put(&place, read, &chain, version, now));
            }
            Ok(Step::new(
                chain,
                ItemVersionChange {
                    item: Some(told),
                    ..ItemVersionChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(ItemVersionChange {
            position: position.to_string(),
            ..answer
        })
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
    async fn in_force(&self, scope: &Scope, on: &str) -> Result<Vec<ItemVersion>, Error> {
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
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let is_more = items.len() > size;
        items.truncate(size);
        let next_page_token = match items.last() {
            Some(last) if is_more => page.token(&[&last.code]),
            _ => String::new(),
        };
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
        let mut found = history::page(&self.store.db, &scope, &kinds, subject, None, &page).await?;
        let next_page_token = super::older(&mut found, &page);
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
                    let item =
                        resource::get::<ItemVersion>(&self.store.db, &scope, "item", &id).await?;
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
