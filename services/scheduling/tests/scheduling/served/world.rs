//! A served scheduling on one database, with people who may call it.

use std::{
    collections::BTreeSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use bangban_calendar::{Calendar, SHANGHAI};
use bangban_kit::{
    config::Config,
    identity::{Issuer, Person},
    refusal,
};
use bangban_learned::revision;
use bangban_net::client::Channel;
use bangban_proto::bangban::{
    directory::v1::{Applicant, District, ItemVersion, OpeningHours, Site},
    scheduling::v1::{
        self as v1, Booking, BookingPolicy, Hold, Hours, Template, WeeklyHours,
        booking_service_client::BookingServiceClient,
        capacity_service_client::CapacityServiceClient,
    },
    types::v1::{Channel as Through, SpecialGroup},
};
use bangban_rig::Server;
use bangban_scheduling::{rpc::Rpc, tasks};
use bangban_slots::Day;
use bangban_store::{Store, clock, copy};
use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, Utc};
use sea_orm::{
    ConnectionTrait as _, Database, DatabaseTransaction, Statement, TransactionTrait as _,
};
use tonic::{Request, Status};
use uuid::Uuid;

use super::{
    double::Directory,
    patience::{PATIENCE, is_broken_off, is_not_now, patiently, told, until},
    server::Served,
};

pub const DISTRICT: &str = "zigui";
pub const SITE: &str = "town-centre";
pub const ELSEWHERE: &str = "other-town";
pub const GROUP: &str = "benefits";
pub const ITEM: &str = "old-age-allowance";
pub const OTHER_ITEM: &str = "food-licence";

pub struct World {
    pub store: Store,
    pub rpc: Rpc,
    pub directory: Directory,
    pub served: Served,
    pub config: Config,
    channel: Channel,
    issuer: Issuer,
    _folder: tempfile::TempDir,
}

/// Names of tests that have a database.
static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A database of its own for each test: the demonstration clock is the whole database's.
///
/// # Panics
/// When another test has one of this name, which it would lose.
pub async fn database(name: &str) -> Option<String> {
    let is_new = NAMES.lock().expect("names").insert(name.to_owned());
    assert!(
        is_new,
        "two tests name their database {name:?}: choose another"
    );
    let url = std::env::var("DATABASE_URL").ok()?;
    let db = sea_orm::Database::connect(&url).await.expect("postgresql");
    let own = format!("bangban_scheduling_test_{name}");
    for sql in [
        format!("DROP DATABASE IF EXISTS {own} WITH (FORCE)"),
        format!("CREATE DATABASE {own}"),
    ] {
        db.execute_unprepared(&sql).await.expect("a database");
    }
    db.close().await.expect("closed");
    let (server, _) = url.rsplit_once('/').expect("a database in the URL");
    Some(format!("{server}/{own}"))
}

/// A world on each database there is; `name` is the test's.
pub async fn worlds(name: &str) -> Vec<World> {
    let mut worlds = vec![World::open("sqlite".to_owned()).await];
    match database(name).await {
        Some(url) => worlds.push(World::open(url).await),
        None => eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it"),
    }
    worlds
}

/// The same, whose processes have a Redis.
pub async fn worlds_with_redis(name: &str) -> Vec<(World, Server)> {
    let mut worlds = Vec::new();
    let postgres = database(name).await;
    for url in [Some("sqlite".to_owned()), postgres].into_iter().flatten() {
        let redis = Server::start(&[]);
        let world = World::open_as(url, redis.url(), Directory::default()).await;
        worlds.push((world, redis));
    }
    worlds
}

impl World {
    async fn open(url: String) -> Self {
        Self::open_as(url, String::new(), Directory::default()).await
    }

    /// On a database, with the gate in the Redis of this address, or in memory.
    pub async fn open_as(url: String, redis: String, directory: Directory) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.database.url = url;
        config.redis.url = redis;
        config.database.max_connections = 8;
        config.database.acquire_seconds = 60;
        config.server.drain_notice_seconds = 0;
        config.server.drain_seconds = 1;
        config.server.listen = ([127, 0, 0, 1], 0).into();
        let identity = config.identity.clone();
        let issuer = Issuer::open_or_create(
            &folder.path().join("issuer.key"),
            &config.jwks(),
            &identity.issuer,
            &identity.audience,
        )
        .expect("an issuer");
        let served = Served::start(&config, directory.clone()).await;
        let world = Self {
            store: served.service.store(),
            rpc: served.service.rpc(),
            channel: served.channel.clone(),
            directory,
            served,
            config,
            issuer,
            _folder: folder,
        };
        world.furnish().await;
        world
    }

    /// What is learned from directory's feed.
    async fn furnish(&self) {
        let db = &self.store.db;
        let district = District {
            id: DISTRICT.to_owned(),
            region: "420527".to_owned(),
            ..District::default()
        };
        let put = copy::put(db, DISTRICT, "district", DISTRICT, &district);
        put.await.expect("a district");
        revision::begin(db, self.store.backend, DISTRICT)
            .await
            .expect("a revision");
        for (id, region) in [(SITE, "420527100"), (ELSEWHERE, "420527200")] {
            let hours = |weekday| OpeningHours {
                weekday,
                opens: "08:30".to_owned(),
                closes: "17:00".to_owned(),
            };
            let site = Site {
                id: id.to_owned(),
                name: id.to_owned(),
                region: region.to_owned(),
                address: "楚王路1号".to_owned(),
                telephone: "0717-1234567".to_owned(),
                opening_hours: (1..=5).map(hours).collect(),
                ..Site::default()
            };
            let put = copy::put(db, DISTRICT, "site", id, &site);
            put.await.expect("a site");
        }
        for code in [ITEM, OTHER_ITEM] {
            let item = ItemVersion {
                code: code.to_owned(),
                version: 1,
                effective_from: "2020-01-01".to_owned(),
                ..ItemVersion::default()
            };
            let id = format!("{code}@1");
            let put = copy::put(db, DISTRICT, "item", &id, &item);
            put.await.expect("an item");
        }
        revision::learned(db, self.store.backend, DISTRICT)
            .await
            .expect("a revision");
    }

    /// Directory loses its log, while the service is down, and begins another.
    pub async fn loses_the_log(&mut self) {
        let log = self.served.log.take().expect("a log");
        log.is_lost().await;
        self.served = Served::start(&self.config, self.directory.clone()).await;
        self.store = self.served.service.store();
        self.rpc = self.served.service.rpc();
        self.channel = self.served.channel.clone();
    }

    /// A new applicant, with these groups.
    pub fn person(&self, groups: &[SpecialGroup]) -> String {
        let id = Uuid::now_v7().to_string();
        self.directory.know(Applicant {
            id: id.clone(),
            name_mask: "林*娥".to_owned(),
            telephone_mask: "138****8000".to_owned(),
            groups: groups.iter().map(|g| i32::from(*g)).collect(),
            ..Applicant::default()
        });
        id
    }

    /// A request of somebody.
    pub fn by<T>(&self, who: &Who, body: T) -> Request<T> {
        let mut request = Request::new(body);
        let bearer = self.token(who).parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    /// What somebody shows.
    pub fn token(&self, who: &Who) -> String {
        let person = Person {
            subject: who.subject.to_owned(),
            roles: vec![who.role.to_owned()],
            region: who.region.to_owned(),
            site: who.site.to_owned(),
            department: String::new(),
            case: String::new(),
        };
        let ttl = Duration::from_secs(600);
        let token = self.issuer.token(&self.config.jwks(), &person, ttl);
        format!("Bearer {}", token.expect("a token"))
    }

    pub fn capacity(&self) -> CapacityServiceClient<Channel> {
        CapacityServiceClient::new(self.channel.clone())
    }

    pub fn booking(&self) -> BookingServiceClient<Channel> {
        BookingServiceClient::new(self.channel.clone())
    }

    /// Now, by the clock that rules are judged by.
    pub async fn now(&self) -> DateTime<FixedOffset> {
        self.store.now().await.expect("the time").local()
    }

    /// Moves the demonstration clock forward to an instant.
    pub async fn advance_to(&self, at: DateTime<FixedOffset>) {
        let seconds = (at.with_timezone(&Utc) - Utc::now()).num_seconds() + 1;
        clock::set_offset(&self.store.db, self.store.backend, seconds)
            .await
            .expect("advanced");
        self.rpc.doors_look().await;
    }

    /// Sets the demonstration clock to an instant, also back, as nobody can who only advances it: the database's own clock
    /// may jump.
    pub async fn set_to(&self, at: DateTime<FixedOffset>) {
        let seconds = (at.with_timezone(&Utc) - Utc::now()).num_seconds() + 1;
        let sql = format!("UPDATE clock SET offset_seconds = {seconds} WHERE id = 1");
        let set = self.store.db.execute_unprepared(&sql).await;
        assert_eq!(set.expect("set").rows_affected(), 1);
        self.rpc.doors_look().await;
    }

    /// When a hold ends.
    pub fn end_of(hold: &Hold) -> DateTime<FixedOffset> {
        let ends = hold.expires_at.expect("an end");
        let ends = DateTime::from_timestamp(ends.seconds, ends.nanos.unsigned_abs());
        ends.expect("an instant").fixed_offset()
    }

    /// A moment behind an instant.
    pub async fn behind(&self, instant: DateTime<FixedOffset>) {
        let left = instant - self.now().await;
        let left = left.to_std().unwrap_or_default();
        tokio::time::sleep(left + Duration::from_millis(50)).await;
    }

    /// From now on these rows that there are can be written by nobody, until this is rolled back: on PostgreSQL.
    pub async fn locked(&self, rows: &str) -> DatabaseTransaction {
        let db = Database::connect(&self.config.database.url).await;
        let locked = db.expect("postgresql").begin().await.expect("begun");
        let lock = format!("SELECT FROM scheduling.{rows} FOR UPDATE");
        locked.execute_unprepared(&lock).await.expect("locked");
        locked
    }

    /// Until somebody waits for what is locked.
    pub async fn somebody_waits(&self) {
        let sql = "SELECT CAST(count(*) AS bigint) FROM pg_stat_activity \
                   WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";
        until("somebody waits for what is locked", async || {
            numbers(self, sql.to_owned(), 1).await != [0]
        })
        .await;
    }

    /// The working day that follows so many working days behind tomorrow.
    pub async fn working_day(&self, behind: u32) -> NaiveDate {
        let tomorrow = self.now().await.date_naive() + Days::new(1);
        let calendar = Calendar::national();
        let day = calendar.add_working_days(tomorrow, behind + 1);
        day.expect("within the calendar")
    }

    /// Nothing cools, so that no test waits.
    pub async fn without_cooling(&self) {
        let policy = BookingPolicy {
            cooling_seconds: Some(0),
            ..BookingPolicy::default()
        };
        self.rules(policy).await;
    }

    pub async fn rules(&self, policy: BookingPolicy) {
        let request = v1::PutBookingPolicyRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            policy: Some(policy),
            ..v1::PutBookingPolicyRequest::default()
        };
        let done = patiently(is_broken_off, || async {
            let mut client = self.capacity();
            let request = self.by(&ADMIN, request.clone());
            client.put_booking_policy(request).await
        });
        done.await.expect("a policy");
    }

    /// A template with slots of half an hour from nine to eleven on every working day.
    pub async fn template(&self, capacity: u32, reserved: u32) {
        let request = v1::PutTemplateRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            template: Some(template(capacity, reserved)),
            ..v1::PutTemplateRequest::default()
        };
        let done = patiently(is_broken_off, || async {
            let mut client = self.capacity();
            client.put_template(self.by(&ADMIN, request.clone())).await
        });
        done.await.expect("a template");
    }

    /// Publishes a day.
    pub async fn publish(&self, date: NaiveDate) {
        let request = v1::PublishDaysRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            site: SITE.to_owned(),
            from: date.to_string(),
            to: date.to_string(),
            ..v1::PublishDaysRequest::default()
        };
        let done = patiently(is_broken_off, || async {
            let mut client = self.capacity();
            client.publish_days(self.by(&ADMIN, request.clone())).await
        });
        let days = done.await.expect("published").into_inner().days;
        assert_eq!(days, [date.to_string()]);
    }

    /// A day that is published, with so many seats in each of its four slots.
    pub async fn published(&self, capacity: u32, reserved: u32) -> NaiveDate {
        self.template(capacity, reserved).await;
        let date = self.working_day(1).await;
        self.publish(date).await;
        date
    }

    /// What is free on a day, by slot: for anybody, and for special groups beside. A gate that is not heard in time is asked
    /// again.
    pub async fn free(&self, date: NaiveDate) -> Vec<(u32, u32)> {
        let request = v1::GetAvailabilityRequest {
            district: DISTRICT.to_owned(),
            sites: vec![SITE.to_owned()],
            from: date.to_string(),
            to: date.to_string(),
            ..v1::GetAvailabilityRequest::default()
        };
        let (mut client, began) = (self.booking(), Instant::now());
        loop {
            let request = self.by(&LI_NA, request.clone());
            let answer = client.get_availability(request).await;
            let days = answer.expect("answered").into_inner().days;
            assert!(days[0].is_published, "{days:?}");
            if days[0].is_known {
                let slots = days[0].slots.iter();
                return slots.map(|s| (s.free, s.reserved_free)).collect();
            }
            assert!(began.elapsed() < PATIENCE, "{days:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The gate reads a day anew: what it was told last may have been lost, where it was not heard in time.
    pub async fn reads_anew(&self, date: NaiveDate) {
        let day = Day::new(DISTRICT, SITE, date).expect("a day");
        _ = self.served.service.gate().forget(&day).await;
    }

    pub fn holding(slot: &str, applicant: &str) -> v1::HoldSlotRequest {
        v1::HoldSlotRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            slot: slot.to_owned(),
            applicant: applicant.to_owned(),
            item: ITEM.to_owned(),
            ..v1::HoldSlotRequest::default()
        }
    }

    pub async fn hold(&self, slot: &str, applicant: &str) -> Result<Hold, Status> {
        let request = self.by(&LI_NA, Self::holding(slot, applicant));
        let answer = self.booking().hold_slot(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// A hold that must be had; who is told "not now" asks again.
    pub async fn held(&self, slot: &str, applicant: &str) -> Hold {
        let request = Self::holding(slot, applicant);
        let held = patiently(is_not_now, || async {
            let mut client = self.booking();
            client.hold_slot(self.by(&LI_NA, request.clone())).await
        });
        held.await.expect("held").into_inner()
    }

    pub fn confirming(hold: &Hold) -> v1::ConfirmBookingRequest {
        v1::ConfirmBookingRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            booking: hold.booking.clone(),
            slot: hold.slot.clone(),
            seat: hold.seat,
            epoch: hold.epoch,
            channel: Through::Window.into(),
            ..v1::ConfirmBookingRequest::default()
        }
    }

    pub async fn confirm(&self, hold: &Hold) -> Result<Booking, Status> {
        let request = self.by(&LI_NA, Self::confirming(hold));
        changed(self.booking().confirm_booking(request).await)
    }

    /// An appointment for a new person.
    pub async fn booked(&self, slot: &str) -> Booking {
        let person = self.person(&[]);
        let hold = self.held(slot, &person).await;
        self.confirm(&hold).await.expect("confirmed")
    }

    /// Takes every step that is due.
    pub async fn sweep(&self) -> usize {
        let swept = patiently(is_broken_off, || async {
            tasks::once(&self.rpc).await.map_err(told)
        });
        swept.await.expect("swept")
    }

    pub async fn get(&self, booking: &str) -> Booking {
        let request = v1::GetBookingRequest {
            district: DISTRICT.to_owned(),
            booking: booking.to_owned(),
            after: String::new(),
        };
        let mut client = self.booking();
        let answer = client.get_booking(self.by(&LI_NA, request)).await;
        answer.expect("a booking").into_inner()
    }
}

/// How much was ever written: acts, and rows with how often each was changed. What is refused leaves it as it was.
pub async fn written(world: &World) -> Vec<i64> {
    let mut written = Vec::new();
    for table in [
        "days", "slots", "seats", "persons", "bookings", "waiting", "capacity",
    ] {
        let sql = format!(
            "SELECT CAST(count(*) AS bigint), CAST(COALESCE(sum(version), 0) AS bigint) FROM {table}"
        );
        written.extend(numbers(world, sql, 2).await);
    }
    let acts = "SELECT CAST(count(*) AS bigint) FROM acts".to_owned();
    written.extend(numbers(world, acts, 1).await);
    written
}

/// The first so many numbers of the one row that a question has.
pub async fn numbers(world: &World, sql: String, width: usize) -> Vec<i64> {
    let statement = Statement::from_string(world.store.backend, sql);
    let row = world.store.row(statement).await.expect("counted");
    let row = row.expect("a row");
    let number = |n| row.try_get_by_index(n).expect("a number");
    (0..width).map(number).collect()
}

/// The template of the tests.
pub fn template(capacity: u32, reserved: u32) -> Template {
    let hours = |weekday| WeeklyHours {
        weekday,
        hours: Some(Hours {
            from: "09:00".to_owned(),
            to: "11:00".to_owned(),
            slot_minutes: 30,
            capacity,
            reserved,
            reserved_until_minutes: 60,
        }),
    };
    Template {
        id: "mornings".to_owned(),
        site: SITE.to_owned(),
        group: GROUP.to_owned(),
        weekly: (1..=5).map(hours).collect(),
        valid_from: "2020-01-01".to_owned(),
        ..Template::default()
    }
}

/// A slot of a day at the site.
pub fn slot(date: NaiveDate, number: u16) -> String {
    format!("{SITE}.{date}.{number}")
}

/// A time of a day.
pub fn at(date: NaiveDate, hour: u32, minute: u32) -> DateTime<FixedOffset> {
    let time = NaiveTime::from_hms_opt(hour, minute, 0).expect("a time");
    let at = date.and_time(time).and_local_timezone(SHANGHAI);
    at.single().expect("an instant")
}

/// Who calls.
pub struct Who {
    pub subject: &'static str,
    pub role: &'static str,
    pub region: &'static str,
    pub site: &'static str,
}

pub const LI_NA: Who = Who {
    subject: "li-na",
    role: "agent",
    region: "420527100",
    site: SITE,
};
/// Serves in the town beside.
pub const CHEN_JUN: Who = Who {
    subject: "chen-jun",
    role: "agent",
    region: "420527200",
    site: ELSEWHERE,
};
pub const ADMIN: Who = Who {
    subject: "zhao",
    role: "administrator",
    region: "420527",
    site: "",
};

/// Decides about appeals.
pub const SUPERVISOR: Who = Who {
    subject: "sun-wei",
    role: "supervisor",
    region: "420527",
    site: "",
};

pub fn changed(
    answer: Result<tonic::Response<v1::BookingChange>, Status>,
) -> Result<Booking, Status> {
    answer.map(|a| a.into_inner().booking.expect("a booking"))
}

/// The reason of a refusal, which speaks both languages and cites its requirement.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let status = answer.expect_err("a refusal");
    assert!(
        !refusal::sentence(&status, "zh-CN").is_ascii(),
        "{status:?}"
    );
    assert!(refusal::sentence(&status, "en").is_ascii(), "{status:?}");
    refusal::reason(&status)
}
