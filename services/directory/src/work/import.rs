//! Loads what comes in files: the region tree and a district's catalogue. Checked as a whole before anything is written.

use std::path::Path;

use bangban_kit::{identity::Caller, scope::Scope};
use bangban_proto::{
    Checked,
    bangban::directory::v1::{
        ItemVersion, PublishItemVersionRequest, PublishRuleRequest, PutDepartmentRequest,
        RegionsImported, Rule, directory_act::Act,
    },
};
use bangban_store::{Error, write, write::State};
use prost::Message as _;
use sea_orm::ConnectionTrait as _;

use super::chain;
use crate::{
    Directory, SERVICE,
    domain::{
        catalogue,
        regions::{LEVELS, Tree},
        yaml::{self, Catalogue},
    },
    store::{
        regions,
        resource::{self, Place},
    },
};

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// What was written: regions, or departments, versions and rules.
    pub written: u64,
    /// What was there already, the same.
    pub unchanged: u64,
    /// The region data set that is in force now; empty for a catalogue.
    pub data_set: String,
}

/// Why nothing, or not everything, was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Everything that is wrong with the input. Nothing was written.
    #[error("{} rows or entries are wrong; nothing was written:\n{}", .0.len(), .0.join("\n"))]
    Wrong(Vec<String>),
    /// The database, or a refusal.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<sea_orm::DbErr> for ImportError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

fn read(folder: &Path) -> Tree {
    let mut tree = Tree::default();
    for level in &LEVELS {
        let opened = csv::ReaderBuilder::new()
            .flexible(true)
            .from_path(folder.join(level.file));
        let mut reader = match opened {
            Ok(reader) => reader,
            Err(error) => {
                tree.wrong.push(format!("{}:0: {error}", level.file));
                continue;
            }
        };
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    tree.row(level, line, &record.iter().collect::<Vec<_>>());
                }
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    tree.wrong.push(format!("{}:{line}: {error}", level.file));
                }
            }
        }
    }
    tree
}

impl Directory {
    /// Imports a region tree from the five files in `folder`; readers see the old one until all of it is there.
    ///
    /// # Errors
    /// Every bad row with file and line; the database's.
    pub async fn import_regions(
        &self,
        folder: &Path,
        progress: impl Fn(u64, u64),
    ) -> Result<ImportReport, ImportError> {
        let folder = folder.to_owned();
        let tree = tokio::task::spawn_blocking(move || read(&folder))
            .await
            .map_err(|e| Error::from(bangban_kit::refusal::Refusal::internal(e)))?;
        if !tree.wrong.is_empty() {
            return Err(ImportError::Wrong(tree.wrong));
        }
        if tree.regions.is_empty() {
            return Err(ImportError::Wrong(vec![
                "the files hold no region".to_owned(),
            ]));
        }
        let now = self.store.now().await?;
        let data_set = uuid::Uuid::now_v7().simple().to_string();
        regions::write(&self.store, &data_set, &tree.regions, now.us(), &progress).await?;
        let count = tree.regions.len() as u64;
        bangban_store::error::retried(async || {
            let scope = Scope::whole("");
            let found =
                resource::get::<RegionsImported>(&self.store.db, &scope, "regions", "regions")
                    .await?;
            let state = RegionsImported {
                data_set: data_set.clone(),
                region_count: count,
            };
            let act = Act::RegionsImported(state.clone());
            let chain = chain(
                &scope,
                "regions".to_owned(),
                found.as_ref(),
                act,
                &Caller::system(SERVICE),
                now,
            );
            let place = Place {
                kind: "regions",
                id: "regions".to_owned(),
                ..Place::default()
            };
            let transaction = write::begin(&self.store.db).await?;
            regions::activate(&self.store, &transaction, &data_set).await?;
            let done =
                match resource::put(&place, resource::tip(found.as_ref()).0, &chain, &state, now) {
                    State::Insert(insert) => transaction.execute(&insert).await?,
                    State::Update(update) => transaction.execute(&update).await?,
                };
            if done.rows_affected() != 1 {
                transaction.rollback().await?;
                return Err(Error::Conflict);
            }
            self.store.append(&transaction, &chain, None).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await?;
        self.store.woken();
        self.known.lock().await.clear();
        regions::sweep(&self.store).await?;
        Ok(ImportReport {
            written: count,
            unchanged: 0,
            data_set,
        })
    }

    /// Publishes a catalogue that is written in YAML. What is there already, the same, stays as it is.
    ///
    /// # Errors
    /// Everything that is wrong with it; nothing is written then. The database's.
    pub async fn import_catalogue(
        &self,
        district: &str,
        text: &str,
        actor: &Caller,
    ) -> Result<ImportReport, ImportError> {
        let (catalogue, mut wrong) = yaml::read(text);
        let (scope, _) = self.scope(actor, district).await?;
        super::whole(&scope).map_err(Error::from)?;
        let (fresh, unchanged) = self.fresh(&scope, catalogue, &mut wrong).await?;
        let id =
            |message: &[u8]| uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, message).to_string();
        let district = district.to_owned();
        let mut departments = Vec::new();
        for department in fresh.departments {
            let now = self.store.now().await?.us();
            let request = PutDepartmentRequest {
                district: district.clone(),
                request_id: id(&[department.encode_to_vec(), now.to_be_bytes().to_vec()].concat()),
                department: Some(department),
            };
            check(&request, "department", &mut wrong);
            departments.push(request);
        }
        let mut items = Vec::new();
        for item in fresh.items {
            let name = format!("{} {}", item.code, item.version);
            let request = PublishItemVersionRequest {
                district: district.clone(),
                request_id: id(&item.encode_to_vec()),
                item: Some(item),
            };
            check(&request, &name, &mut wrong);
            items.push(request);
        }
        let mut rules = Vec::new();
        for rule in fresh.rules {
            let name = format!("{} {}", rule.code, rule.version);
            let request = PublishRuleRequest {
                district: district.clone(),
                request_id: id(&rule.encode_to_vec()),
                rule: Some(rule),
            };
            check(&request, &name, &mut wrong);
            rules.push(request);
        }
        if !wrong.is_empty() {
            return Err(ImportError::Wrong(wrong));
        }
        let written = (departments.len() + items.len() + rules.len()) as u64;
        for request in &departments {
            self.put_department(actor, request).await?;
        }
        for request in &items {
            self.publish_item_version(actor, request).await?;
        }
        for request in &rules {
            self.publish_rule(actor, request).await?;
        }
        Ok(ImportReport {
            written,
            unchanged,
            data_set: String::new(),
        })
    }

    /// What of a catalogue is not there yet, decided by the rules that publish it.
    async fn fresh(
        &self,
        scope: &Scope,
        catalogue: Catalogue,
        wrong: &mut Vec<String>,
    ) -> Result<(Catalogue, u64), Error> {
        let mut unchanged = 0;
        let known = self.departments(scope).await?;
        let mut ids: Vec<String> = known
            .iter()
            .chain(&catalogue.departments)
            .map(|d| d.id.clone())
            .collect();
        ids.dedup();
        let mut fresh = Catalogue::default();
        for department in catalogue.departments {
            if known.contains(&department) {
                unchanged += 1;
            } else {
                fresh.departments.push(department);
            }
        }
        let mut versions: Vec<ItemVersion> = self
            .versions(scope, None)
            .await?
            .into_iter()
            .map(|r| r.body)
            .collect();
        for item in catalogue.items {
            let of_one: Vec<ItemVersion> = versions
                .iter()
                .filter(|v| v.code == item.code)
                .cloned()
                .collect();
            let same = of_one.iter().any(|v| {
                ItemVersion {
                    published_at: None,
                    withdrawn_from: String::new(),
                    ..v.clone()
                } == item
            });
            if same {
                unchanged += 1;
                continue;
            }
            match catalogue::publish(&item, &of_one, &ids, prost_types::Timestamp::default()) {
                Ok((_, published)) => {
                    versions.push(published);
                    fresh.items.push(item);
                }
                Err(refusal) => wrong.push(format!(
                    "item {} version {}: {refusal}",
                    item.code, item.version
                )),
            }
        }
        for rule in catalogue.rules {
            let id = format!("{}@{}", rule.code, rule.version);
            match resource::get::<Rule>(&self.store.db, scope, "rule", &id).await? {
                Some(row)
                    if (Rule {
                        attested_by: Vec::new(),
                        ..row.body.clone()
                    }) == rule =>
                {
                    unchanged += 1
                }
                Some(_) => wrong.push(format!(
                    "rule {id}: VERSION_EXISTS: it is published with another text"
                )),
                None => fresh.rules.push(rule),
            }
        }
        Ok((fresh, unchanged))
    }
}

fn check(request: &impl Checked, what: &str, wrong: &mut Vec<String>) {
    if let Err(error) = request.check() {
        wrong.push(format!("{what}: {error}"));
    }
}
