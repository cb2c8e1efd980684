//! What is taken from directory's feed: districts, sites, items, departments, calendars, the demonstration clock.

use bangban_proto::bangban::{
    directory::v1::{
        Amendment, Calendar, DayKind, DirectoryAct, ItemVersion, SiteOpened, SiteUpdated,
        directory_act::Act as Learned,
    },
    events::v1::Act,
};
use bangban_store::{Error, Store, Transaction, clock, consume::Effects, copy};
use prost::Message as _;
use sea_orm::ConnectionTrait as _;

use crate::revision;

/// Takes acts of directory in.
#[derive(Debug, Clone)]
pub struct FromDirectory {
    /// This service's store.
    pub store: Store,
}

#[async_trait::async_trait]
impl Effects for FromDirectory {
    async fn take(&self, db: &Transaction, act: &Act) -> Result<(), Error> {
        let Ok(DirectoryAct { act: Some(learned) }) = DirectoryAct::decode(act.payload.as_slice())
        else {
            // An act of a later release: nothing that this one lives on.
            return Ok(());
        };
        let district = act.district.as_str();
        let about = match &learned {
            Learned::DistrictCreated(a) => a.district.as_ref().map_or("", |d| d.id.as_str()),
            _ => district,
        }
        .to_owned();
        match learned {
            Learned::DistrictCreated(a) => {
                let made = a.district.unwrap_or_default();
                copy::put(db, &made.id, "district", &made.id, &made).await?;
                revision::begin(db, self.store.backend, &made.id).await?;
            }
            Learned::SiteOpened(SiteOpened { site })
            | Learned::SiteUpdated(SiteUpdated { site }) => {
                let site = site.unwrap_or_default();
                copy::put(db, district, "site", &site.id, &site).await?;
            }
            Learned::DepartmentPut(a) => {
                let department = a.department.unwrap_or_default();
                copy::put(db, district, "department", &department.id, &department).await?;
            }
            Learned::ItemPublished(a) => {
                let item = a.item.unwrap_or_default();
                copy::put(
                    db,
                    district,
                    "item",
                    &format!("{}@{}", item.code, item.version),
                    &item,
                )
                .await?;
            }
            Learned::ItemWithdrawn(a) => {
                // The item is withdrawn, not one version of it: an older one does not come back.
                let versions = copy::all::<ItemVersion>(db, district, "item").await?;
                for mut item in versions.into_iter().filter(|i| i.code == a.code) {
                    item.withdrawn_from.clone_from(&a.from);
                    let id = format!("{}@{}", item.code, item.version);
                    copy::put(db, district, "item", &id, &item).await?;
                }
            }
            Learned::CalendarAmended(a) => {
                let mut calendar = copy::get::<Calendar>(db, district, "calendar", "calendar")
                    .await?
                    .unwrap_or_default();
                if let Some(amendment) = a.amendment {
                    let reason = amended(&amendment);
                    revision::changed(db, self.store.backend, Some(district), &reason).await?;
                    calendar
                        .amendments
                        .retain(|known| known.date != amendment.date);
                    calendar.amendments.push(amendment);
                }
                copy::put(db, district, "calendar", "calendar", &calendar).await?;
            }
            Learned::CalendarYearLoaded(a) => {
                copy::put(db, "", "calendar_year", &a.year.to_string(), &a).await?;
                let reason = year_loaded(a.year);
                revision::changed(db, self.store.backend, None, &reason).await?;
            }
            Learned::ClockAdvanced(a) => {
                clock::set_offset(db, self.store.backend, a.offset_seconds).await?
            }
            // What it says of people and staff is not kept here, and nothing of it is learned.
            _ => return Ok(()),
        }
        revision::learned(db, self.store.backend, &about).await
    }

    async fn forget(&self, db: &Transaction) -> Result<(), Error> {
        db.execute_unprepared("DELETE FROM copies").await?;
        // Revisions go on counting: matters were counted by those of calendars, and what is kept in memory is older.
        revision::learned(db, self.store.backend, "").await?;
        Ok(())
    }
}

/// What the national notice of a year says, for the record of what it moves.
#[must_use]
pub fn year_loaded(year: u32) -> String {
    format!("{year}年放假安排已公布")
}

/// What an amendment says, for the record of what it moves.
#[must_use]
pub fn amended(day: &Amendment) -> String {
    let kind = if day.kind() == DayKind::Work {
        "工作日"
    } else {
        "休息日"
    };
    format!("{} {kind} {}（{}）", day.date, day.name, day.citation)
}
