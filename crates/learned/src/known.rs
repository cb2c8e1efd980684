//! What is known of a district, kept in memory for as long as nothing new was learned.
//!
//! Whoever decides about a matter reads the revision of what was learned together with the matter, in one statement
//! ([`revision_sql`]), and takes what is known at that revision: from memory, or read anew. So nothing old decides, and
//! nothing is read and decoded twice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bangban_calendar::Calendar;
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Calendar as Listed, Department, District, ItemVersion, Site,
};
use bangban_store::{Error, Store};
use prost::Message;
use sea_orm::Statement;

use crate::calendar::{Differs, calendar};

/// Most districts that are kept in memory.
const MOST_KEPT: usize = 512;

/// What is known of a district.
#[derive(Debug)]
pub struct Known {
    /// The district; unset when this service has not heard of it.
    pub district: Option<District>,
    /// Its calendar.
    pub calendar: Calendar,
    /// Revision of the calendar (BX-3).
    pub calendar_revision: i64,
    items: Vec<ItemVersion>,
    departments: Vec<Department>,
    sites: Vec<Site>,
    no_item: ItemVersion,
    no_department: Department,
}

impl Known {
    /// The versions of an item.
    #[must_use]
    pub fn versions(&self, code: &str) -> &[ItemVersion] {
        let from = self.items.partition_point(|i| i.code.as_str() < code);
        let of_it = self.items[from..].partition_point(|i| i.code == code);
        &self.items[from..from + of_it]
    }

    /// All departments.
    #[must_use]
    pub fn departments(&self) -> &[Department] {
        &self.departments
    }

    /// A version of an item; an empty one when it was not heard of.
    #[must_use]
    pub fn item(&self, code: &str, version: u32) -> &ItemVersion {
        self.versions(code)
            .iter()
            .find(|i| i.version == version)
            .unwrap_or(&self.no_item)
    }

    /// The version of an item that is in force on a day (YYYY-MM-DD), the newest of them (BB-7.2).
    #[must_use]
    pub fn in_force(&self, code: &str, day: &str) -> Option<&ItemVersion> {
        let is_before = |until: &str| until.is_empty() || day < until;
        self.versions(code)
            .iter()
            .filter(|i| i.effective_from.as_str() <= day)
            .filter(|i| is_before(&i.effective_until) && is_before(&i.withdrawn_from))
            .max_by_key(|i| i.version)
    }

    /// A site.
    #[must_use]
    pub fn site(&self, id: &str) -> Option<&Site> {
        self.sites.iter().find(|s| s.id == id)
    }

    /// A department; an empty one when it was not heard of.
    #[must_use]
    pub fn department(&self, id: &str) -> &Department {
        self.departments
            .iter()
            .find(|d| d.id == id)
            .unwrap_or(&self.no_department)
    }
}

/// What is known of each district, with the revision at which it was read.
type Kept = HashMap<String, (i64, Arc<Known>)>;

/// What was learned, kept in memory. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Learned {
    store: Store,
    kept: Arc<Mutex<Kept>>,
}

/// The revision of what was learned about a district, which an expression names, as an expression of both databases.
#[must_use]
pub fn revision_sql(district: &str) -> String {
    format!(
        "(SELECT CAST(COALESCE(SUM(l.revision), 0) AS bigint) FROM learned l WHERE l.district IN ('', {district}))"
    )
}

fn decoded<M: Message + Default>(bytes: &[u8]) -> Result<M, Error> {
    M::decode(bytes).map_err(|e| Refusal::internal(e).into())
}

impl Learned {
    /// What the service of `store` has learned.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            kept: Arc::default(),
        }
    }

    /// The store of the service.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What is known of a district at a revision that was just read, or at a later one.
    ///
    /// # Errors
    /// The database's; INTERNAL for what cannot be read.
    pub async fn of(&self, district: &str, revision: i64) -> Result<Arc<Known>, Error> {
        if let Some((at, known)) = self.kept().get(district)
            && *at >= revision
        {
            return Ok(known.clone());
        }
        let (at, known) = self.read(district).await?;
        let known = Arc::new(known);
        let mut kept = self.kept();
        if kept.len() >= MOST_KEPT
            && !kept.contains_key(district)
            && let Some(one) = kept.keys().next().cloned()
        {
            kept.remove(&one);
        }
        kept.insert(district.to_owned(), (at, known.clone()));
        Ok(known)
    }

    /// What is known of a district at hand, of whatever revision, once the district itself is known: for what never
    /// changes, as its region.
    ///
    /// # Errors
    /// The database's; INTERNAL for what cannot be read.
    pub async fn lasting(&self, district: &str) -> Result<Arc<Known>, Error> {
        let at_hand = self.kept().get(district).map(|(_, known)| known.clone());
        match at_hand {
            Some(known) if known.district.is_some() => Ok(known),
            _ => self.now(district).await,
        }
    }

    /// What is known of a district now.
    ///
    /// # Errors
    /// The database's; INTERNAL for what cannot be read.
    pub async fn now(&self, district: &str) -> Result<Arc<Known>, Error> {
        let sql = format!("SELECT {}", revision_sql("$1"));
        let values = [district.into()];
        let statement = Statement::from_sql_and_values(self.store.backend, sql, values);
        let row = self.store.row(statement).await?;
        let revision = row.map(|r| r.try_get_by_index::<i64>(0)).transpose()?;
        self.of(district, revision.unwrap_or_default()).await
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, district: &str) -> Result<(i64, Known), Error> {
        let sql = format!(
            "SELECT {}, r.revision, k.district, k.kind, k.body FROM (SELECT 1 AS one) AS always \
             LEFT JOIN calendars r ON r.district = $1 LEFT JOIN copies k ON k.district IN ('', $1)",
            revision_sql("$1")
        );
        let statement = Statement::from_sql_and_values(self.store.backend, sql, [district.into()]);
        let rows = self.store.rows(statement).await?;
        let (mut at, mut calendar_revision) = (0, 0);
        let mut differs = Differs::default();
        let (mut itself, mut items, mut departments) = (None, Vec::new(), Vec::new());
        let mut sites = Vec::new();
        for row in &rows {
            at = row.try_get_by_index(0)?;
            calendar_revision = row.try_get_by_index::<Option<i64>>(1)?.unwrap_or_default();
            let (Some(of), Some(kind), Some(body)) = (
                row.try_get_by_index::<Option<String>>(2)?,
                row.try_get_by_index::<Option<String>>(3)?,
                row.try_get_by_index::<Option<Vec<u8>>>(4)?,
            ) else {
                continue;
            };
            match (kind.as_str(), of.is_empty()) {
                ("district", _) => itself = Some(decoded(&body)?),
                ("calendar_year", _) => differs.notices.push(decoded(&body)?),
                ("calendar", true) => differs.listed = decoded::<Listed>(&body)?.national,
                ("calendar", false) => differs.amendments = decoded::<Listed>(&body)?.amendments,
                ("item", _) => items.push(decoded(&body)?),
                ("department", _) => departments.push(decoded(&body)?),
                ("site", _) => sites.push(decoded(&body)?),
                _ => {}
            }
        }
        items.sort_by(|a: &ItemVersion, b| (&a.code, a.version).cmp(&(&b.code, b.version)));
        let known = Known {
            district: itself,
            calendar: calendar(&differs)?,
            calendar_revision,
            items,
            departments,
            sites,
            no_item: ItemVersion::default(),
            no_department: Department::default(),
        };
        Ok((at, known))
    }
}
