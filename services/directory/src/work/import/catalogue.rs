//! The catalogue of a district: judged by the rules that publish it, all of it, and written at once or not at all.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::{
    Checked,
    bangban::directory::v1::{
        Department, ItemVersion, PublishItemVersionRequest, PublishRuleRequest,
        PutDepartmentRequest, Rule,
    },
};
use bangban_store::{Error, error::retried, write};
use prost::Message;

use super::{ImportError, ImportReport};
use crate::{
    Directory,
    domain::{
        self, catalogue,
        complaint::Complaint,
        yaml::{self, Catalogue, Entry, Fault},
    },
    store::resource::{self, Place, Row},
    work::{On, Step, bodies, catalogue::place, rule, touch, whole},
};

/// Collects what is wrong with a text; of each place it tells the first that is found.
#[derive(Clone)]
struct Complaints<'a> {
    file: &'a str,
    text: &'a str,
    wrong: Vec<Complaint>,
    places: HashSet<String>,
}

impl Complaints<'_> {
    fn fault(&mut self, fault: &Fault) {
        if !self.places.insert(fault.at.clone()) {
            return;
        }
        let line = yaml::line(self.text, &fault.at);
        let complaint = Complaint::new(self.file, line, &fault.zh, &fault.en);
        self.wrong.push(if fault.about.is_empty() {
            complaint
        } else {
            complaint.about(&fault.about)
        });
    }

    fn refused<T>(&mut self, entry: &Entry<T>, at: String, refusal: &Refusal) {
        if self.places.insert(at.clone()) {
            let line = yaml::line(self.text, &at);
            let complaint = Complaint::refused(self.file, line, refusal);
            self.wrong.push(complaint.about(&entry.about));
        }
    }

    /// The field rules of the contract, with the path in the text of each field.
    fn check<T>(
        &mut self,
        entry: &Entry<T>,
        request: &impl Checked,
        path: impl Fn(&str) -> String,
    ) {
        let Err(error) = request.check() else { return };
        for violation in error.violations() {
            let (field, what) = (violation.field_path(), violation.message());
            let field = field.split_once('.').map_or("", |(_, field)| field);
            self.fault(&Fault {
                at: path(field),
                about: entry.about.clone(),
                zh: format!("{field}不符合规定（{what}）"),
                en: format!("{field} breaks its rule: {what}"),
            });
        }
    }

    fn told(mut self) -> Vec<Complaint> {
        self.wrong.sort_by_key(|c| c.line);
        self.wrong
    }
}

/// What is to be written, in order.
#[derive(Default)]
struct Plan {
    steps: Vec<Step<()>>,
    unchanged: u64,
}

impl Plan {
    fn add<A>(&mut self, step: Step<A>) {
        self.steps.push(step.answering(()));
    }
}

impl Directory {
    /// Publishes the catalogue in a YAML file: all of it or nothing. What is there already, the same, stays as it is.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with file and line; refusals of scope; the database's.
    pub async fn import_catalogue_file(
        &self,
        district: &str,
        path: &Path,
        actor: &Caller,
    ) -> Result<ImportReport, ImportError> {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy();
        let text = std::fs::read_to_string(path).map_err(|e| {
            let (zh, en) = (format!("无法读取：{e}"), format!("cannot be read: {e}"));
            ImportError::Wrong(vec![Complaint::new(&name, 0, zh, en)])
        })?;
        self.import_text(district, &name, &text, actor).await
    }

    /// As [`Self::import_catalogue_file`], from a text that was read already: complaints call it `catalogue.yaml`.
    ///
    /// # Errors
    /// As there.
    pub async fn import_catalogue(
        &self,
        district: &str,
        text: &str,
        actor: &Caller,
    ) -> Result<ImportReport, ImportError> {
        self.import_text(district, "catalogue.yaml", text, actor)
            .await
    }

    async fn import_text(
        &self,
        district: &str,
        file: &str,
        text: &str,
        actor: &Caller,
    ) -> Result<ImportReport, ImportError> {
        let (catalogue, faults) = yaml::read(text).map_err(|(line, what)| {
            let (zh, en) = (
                format!("不是有效的 YAML：{what}"),
                format!("this is no YAML: {what}"),
            );
            ImportError::Wrong(vec![Complaint::new(file, line, zh, en)])
        })?;
        let mut found = Complaints {
            file,
            text,
            wrong: Vec::new(),
            places: HashSet::new(),
        };
        for fault in &faults {
            found.fault(fault);
        }
        let done = retried(async || {
            let (scope, district) = self.scope(actor, district).await?;
            whole(&scope)?;
            let on = On {
                caller: actor.clone(),
                scope,
                district,
                now: self.store.now().await?,
            };
            let mut found = found.clone();
            let mut plan = Plan::default();
            let departments = self
                .plan_departments(&on, &catalogue, &mut plan, &mut found)
                .await?;
            self.plan_items(&on, &catalogue, &departments, &mut plan, &mut found)
                .await?;
            self.plan_rules(&on, &catalogue, &mut plan, &mut found)
                .await?;
            if !found.wrong.is_empty() {
                return Ok(Err(found.told()));
            }
            let report = ImportReport {
                written: plan.steps.len() as u64,
                unchanged: plan.unchanged,
                draft_count: catalogue.draft_count,
                data_set: String::new(),
            };
            self.write_at_once(plan.steps).await?;
            Ok(Ok(report))
        });
        done.await?.map_err(ImportError::Wrong)
    }

    async fn write_at_once(&self, steps: Vec<Step<()>>) -> Result<(), Error> {
        let transaction = write::begin(&self.store.db).await?;
        for step in steps {
            let written = match touch(&transaction, step.states).await {
                Ok(()) => self.store.append(&transaction, &step.chain, None).await,
                Err(error) => Err(error),
            };
            match written {
                // Somebody publishes at the same time: judged again by what is there then.
                Err(Error::Taken(_)) => return Err(Error::Conflict),
                written => written?,
            };
        }
        transaction.commit().await?;
        self.store.woken();
        Ok(())
    }

    /// Answers the ids of the departments that there are then.
    async fn plan_departments(
        &self,
        on: &On,
        catalogue: &Catalogue,
        plan: &mut Plan,
        found: &mut Complaints<'_>,
    ) -> Result<Vec<String>, Error> {
        let known = resource::all::<Department>(&self.store.db, &on.scope, "department", None);
        let known = by_id(known.await?);
        let mut ids: Vec<String> = known.keys().cloned().collect();
        for entry in &catalogue.departments {
            let department = &entry.thing;
            if catalogue_has(&catalogue.departments, entry, |d| &d.id) {
                let at = format!("{}.id", entry.at);
                found.refused(entry, at, &catalogue::code_twice(&department.id));
            }
            ids.push(department.id.clone());
            let row = known.get(&department.id);
            if row.is_some_and(|r| r.body == *department) {
                plan.unchanged += 1;
                continue;
            }
            let request = PutDepartmentRequest {
                district: on.scope.district().to_owned(),
                request_id: uuid::Uuid::nil().to_string(),
                department: Some(department.clone()),
            };
            match catalogue::put_department(department) {
                Ok(put) => {
                    let place = Place::new(&on.scope, "department", &department.id);
                    plan.add(on.put(&place, row, put));
                }
                Err(refusal) => found.refused(entry, path(&entry.at, &refusal), &refusal),
            }
            found.check(entry, &request, |field| format!("{}.{field}", entry.at));
        }
        Ok(ids)
    }

    async fn plan_items(
        &self,
        on: &On,
        catalogue: &Catalogue,
        departments: &[String],
        plan: &mut Plan,
        found: &mut Complaints<'_>,
    ) -> Result<(), Error> {
        let mut versions = bodies(self.versions(&on.scope, None).await?);
        let heads = resource::all::<ItemVersion>(&self.store.db, &on.scope, "item_head", None);
        let mut heads = by_id(heads.await?);
        for code in &catalogue.codes {
            if catalogue_has(&catalogue.codes, code, |c| c) {
                let at = format!("{}.code", code.at);
                found.refused(code, at, &catalogue::code_twice(&code.thing));
            }
        }
        for entry in &catalogue.items {
            let item = &entry.thing;
            let of_one: Vec<_> = versions.iter().filter(|v| v.code == item.code).collect();
            if of_one.iter().any(|v| is_same(v, item)) {
                plan.unchanged += 1;
                continue;
            }
            let of_one: Vec<ItemVersion> = of_one.into_iter().cloned().collect();
            let at = |field: &str| match yaml::field_of_version(field) {
                Some(field) => format!("{}.{field}", entry.at),
                // Beside `versions`.
                None => match entry.at.rsplit_once('.') {
                    Some((item, _)) => format!("{item}.{field}"),
                    None => field.to_owned(),
                },
            };
            for refusal in catalogue::faults(item, &of_one, departments) {
                found.refused(entry, at(field(&refusal)), &refusal);
            }
            let request = PublishItemVersionRequest {
                district: on.scope.district().to_owned(),
                request_id: uuid::Uuid::nil().to_string(),
                item: Some(item.clone()),
            };
            found.check(entry, &request, at);
            // What follows is judged as if this one were there.
            versions.push(item.clone());
            let published = catalogue::publish(item, &of_one, departments, on.now.timestamp());
            if let Ok((act, version)) = published {
                let head = Place::new(&on.scope, "item_head", &item.code);
                let step = on.put(
                    &head,
                    heads.get(&item.code),
                    (act, catalogue::head(&item.code)),
                );
                let row = resource::put(
                    &place(&on.scope, &version),
                    0,
                    &step.chain,
                    &version,
                    on.now,
                );
                let tip = Row {
                    id: item.code.clone(),
                    version: step.chain.number,
                    head: step.chain.head,
                    sort: String::new(),
                    body: catalogue::head(&item.code),
                };
                heads.insert(item.code.clone(), tip);
                plan.add(step.and([row]));
            }
        }
        Ok(())
    }

    async fn plan_rules(
        &self,
        on: &On,
        catalogue: &Catalogue,
        plan: &mut Plan,
        found: &mut Complaints<'_>,
    ) -> Result<(), Error> {
        let known = resource::all::<Rule>(&self.store.db, &on.scope, "rule", None).await?;
        let mut known: HashMap<String, Rule> =
            known.into_iter().map(|row| (row.id, row.body)).collect();
        for entry in &catalogue.rules {
            let place = rule::place(&on.scope, &entry.thing);
            let before = known.insert(place.id.clone(), entry.thing.clone());
            if let Some(before) = &before {
                let is_same = Rule {
                    attested_by: Vec::new(),
                    ..before.clone()
                } == entry.thing;
                if is_same {
                    plan.unchanged += 1;
                    continue;
                }
            }
            match domain::rule::publish(before.is_some(), &entry.thing) {
                Ok(published) => plan.add(on.put::<Rule, _>(&place, None, published)),
                Err(refusal) => found.refused(entry, path(&entry.at, &refusal), &refusal),
            }
            let request = PublishRuleRequest {
                district: on.scope.district().to_owned(),
                request_id: uuid::Uuid::nil().to_string(),
                rule: Some(entry.thing.clone()),
            };
            found.check(entry, &request, |field| format!("{}.{field}", entry.at));
        }
        Ok(())
    }
}

fn by_id<M>(rows: Vec<Row<M>>) -> HashMap<String, Row<M>> {
    rows.into_iter().map(|row| (row.id.clone(), row)).collect()
}

/// Whether an entry before this one has the same name.
fn catalogue_has<T>(entries: &[Entry<T>], this: &Entry<T>, name: impl Fn(&T) -> &String) -> bool {
    entries
        .iter()
        .take_while(|e| e.at != this.at)
        .any(|e| name(&e.thing) == name(&this.thing))
}

/// Whether a version that is published says the same, apart from what publishing adds.
fn is_same(published: &ItemVersion, item: &ItemVersion) -> bool {
    let published = ItemVersion {
        published_at: None,
        withdrawn_from: String::new(),
        ..published.clone()
    };
    published.encode_to_vec() == item.encode_to_vec()
}

/// The field that a refusal is about, within its thing.
fn field(refusal: &Refusal) -> &str {
    let field = refusal.fields.first().map_or("", |(path, _)| path);
    field.split_once('.').map_or("", |(_, field)| field)
}

/// The path in the text of the field that a refusal is about.
fn path(entry: &str, refusal: &Refusal) -> String {
    format!("{entry}.{}", field(refusal))
}
