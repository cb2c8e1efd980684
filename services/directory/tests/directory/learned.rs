//! Who lives on directory's log sees each day as directory does (BX-3).

use bangban_directory::domain::calendar::reason;
use bangban_kit::identity::Caller;
use bangban_learned::{effects::FromDirectory, known::Learned, revision};
use bangban_proto::bangban::{
    directory::v1::{calendar_service_server::CalendarService as _, *},
    events::v1::Act,
};
use bangban_store::{Store, act, consume::Effects as _, tables, write};
use chrono::NaiveDate;
use sea_orm::{EntityTrait as _, QueryOrder as _};
use sea_orm_migration::prelude::*;

use crate::instance::*;

on_both! {
    bx_3_a_notice_that_reaches_into_the_december_before_is_the_same_for_who_lives_on_the_log
}

struct Tables;

impl MigratorTrait for Tables {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Learning)]
    }
}

struct Learning;

impl MigrationName for Learning {
    fn name(&self) -> &'static str {
        "m0001_learning"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Learning {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tables::create_common(manager).await?;
        revision::create(manager).await
    }
}

/// Takes everything in that directory has done.
async fn learns(at: &Instance, learned: &Learned) {
    let acts = act::Entity::find().order_by_asc(act::Column::Position);
    let acts = acts.all(&at.directory.store().db).await.expect("acts");
    let store = learned.store().clone();
    let transaction = write::begin(&store.db).await.expect("begun");
    let effects = FromDirectory { store };
    for model in acts {
        let act = Act {
            district: model.district,
            subject: model.subject,
            payload: model.payload,
            ..Act::default()
        };
        effects.take(&transaction, &act).await.expect("taken");
    }
    transaction.commit().await.expect("committed");
}

/// Every day of the years of the test, as directory lists it.
async fn listed(at: &Instance, district: &str) -> (Vec<CalendarDay>, String) {
    let (mut days, mut version) = (Vec::new(), String::new());
    for year in 2026..=2028 {
        let request = ListDaysRequest {
            district: district.into(),
            from: format!("{year}-01-01"),
            days: 365 + u32::from(year == 2028),
            after: String::new(),
        };
        let answer = at.directory.list_days(by(&Caller::public(), request)).await;
        let answer = answer.expect("listed").into_inner();
        days.extend(answer.days);
        version = answer.calendar_version;
    }
    (days, version)
}

async fn are_the_same(at: &Instance, learned: &Learned, (district, when): (&str, &str)) {
    learns(at, learned).await;
    let known = learned.now(district).await.expect("known");
    let (days, version) = listed(at, district).await;
    for theirs in days {
        let date: NaiveDate = theirs.date.parse().expect("a date");
        let day = known.calendar.day(date).expect("within the calendar");
        let ours = CalendarDay {
            date: date.to_string(),
            is_working: day.is_working,
            is_provisional: day.is_provisional,
            reason: reason(day.reason).to_owned(),
            name: day.name.unwrap_or_default(),
            source: day.source,
        };
        assert_eq!(ours, theirs, "{district}, {when}");
    }
    assert_eq!(known.calendar.version(), version, "{district}, {when}");
}

async fn load(at: &Instance, year: u32, days: &[(&str, DayKind)]) {
    let day = |(date, kind): &(&str, DayKind)| Amendment {
        date: (*date).into(),
        kind: (*kind).into(),
        name: "元旦".into(),
        citation: format!("国办发明电〔{}〕1号（示例）", year - 1),
        amended_at: None,
    };
    let request = LoadCalendarYearRequest {
        request_id: id(),
        year,
        days: days.iter().map(day).collect(),
    };
    let loaded = at.directory.load_calendar_year(by(&operator(), request));
    loaded.await.expect("loaded");
}

async fn bx_3_a_notice_that_reaches_into_the_december_before_is_the_same_for_who_lives_on_the_log(
    at: &Instance,
) {
    use DayKind::{Rest, Work};
    at.found_district().await;
    let store = Store::open::<Tables>("learner", &at.config).await;
    let learned = Learned::new(store.expect("a store"));
    are_the_same(at, &learned, (DISTRICT, "as it ships")).await;
    // The year before ships with the product.
    load(at, 2027, &[("2026-12-27", Work), ("2027-01-01", Rest)]).await;
    are_the_same(at, &learned, (DISTRICT, "2027 is loaded")).await;
    // A year that is not loaded lies between.
    let of_2029 = [("2028-12-30", Rest), ("2029-01-01", Rest)];
    load(at, 2029, &of_2029).await;
    are_the_same(at, &learned, (DISTRICT, "2029 is loaded")).await;
    load(at, 2028, &[("2027-12-31", Rest), ("2028-01-03", Rest)]).await;
    are_the_same(at, &learned, (DISTRICT, "2028 is loaded")).await;
    // Published again, corrected: what it said of the December before goes, what the next one said stays.
    load(at, 2028, &[("2027-12-25", Work), ("2028-01-03", Rest)]).await;
    are_the_same(at, &learned, (DISTRICT, "2028 is corrected")).await;
    load(at, 2027, &[("2026-12-26", Work), ("2027-01-04", Rest)]).await;
    are_the_same(at, &learned, (DISTRICT, "2027 is corrected")).await;
    let flood = AmendCalendarRequest {
        district: DISTRICT.into(),
        request_id: id(),
        amendment: Some(Amendment {
            date: "2027-12-31".into(),
            kind: Work.into(),
            name: "防汛".into(),
            citation: "秭归县人民政府通告（示例）".into(),
            amended_at: None,
        }),
    };
    let amended = at.directory.amend_calendar(by(&operator(), flood));
    amended.await.expect("amended");
    for district in [DISTRICT, "elsewhere"] {
        are_the_same(at, &learned, (district, "one district differs")).await;
    }
}
