//! Directory declares holidays and make-up days, and sites change when they are open, after days were published: nobody
//! who is booked is stranded (BB-9.2b).

use std::{collections::BTreeMap, time::Duration};

use bangban_calendar::Calendar;
use bangban_proto::bangban::{
    directory::v1::{
        Amendment, ApplicantErased, CalendarAmended, CalendarYearLoaded, DayKind, ItemWithdrawn,
        OpeningHours, Site, SiteUpdated, directory_act::Act as Said,
    },
    scheduling::v1::{BookingState, OtherTimes, scheduling_act::Act},
};
use bangban_store::copy;
use chrono::{Datelike as _, NaiveDate, Weekday};
use sea_orm::Statement;
use tokio::time::{Instant, sleep};

use super::{
    ask::{day, feed, moved, published, put_template},
    double::Directory,
    patience::{PATIENCE, until},
    world::{DISTRICT, SITE, World, database, numbers, reason, slot, template},
};

/// Worlds in which directory has a log, and what follows it is at work.
pub async fn worlds(name: &str) -> Vec<World> {
    let mut worlds = Vec::new();
    for url in std::iter::once("sqlite".to_owned()).chain(database(name).await) {
        let directory = Directory::default().with_log();
        worlds.push(World::open_as(url, String::new(), directory).await);
    }
    worlds
}

/// A day that differs in the district.
pub fn amended(date: NaiveDate, kind: DayKind, name: &str) -> Said {
    Said::CalendarAmended(CalendarAmended {
        amendment: Some(amendment(date, kind, name)),
    })
}

fn amendment(date: NaiveDate, kind: DayKind, name: &str) -> Amendment {
    Amendment {
        date: date.to_string(),
        kind: kind.into(),
        name: name.to_owned(),
        citation: "县政府通告".to_owned(),
        ..Amendment::default()
    }
}

/// Directory has done these.
pub async fn says(world: &World, acts: Vec<Said>) {
    world.served.log.as_ref().expect("a log").says(acts).await;
}

/// How many slots of a day can be had.
async fn open(world: &World, site: &str, date: NaiveDate) -> usize {
    let slots = day(world, site, date).await.expect("a day").slots;
    slots.iter().filter(|slot| !slot.is_closed).count()
}

async fn offered(world: &World, booking: &str) -> Vec<OtherTimes> {
    world.get(booking).await.other_times
}

/// Waits until a slot can be had, of which the gate hears a moment after the day has changed.
async fn bookable(world: &World, slot: &str) {
    let person = world.person(&[]);
    until("it can be booked", async || {
        world.hold(slot, &person).await.is_ok()
    })
    .await;
}

/// Why published days were changed, by day.
async fn reasons(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (subject, act) in feed(world, &["day.changed"]).await {
        let Some(Act::DayChanged(changed)) = act.act else {
            panic!("another kind of act: {act:?}");
        };
        reasons.entry(subject).or_default().push(changed.reason);
    }
    reasons
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_holiday_after_publication_closes_the_day_and_offers_other_times_until_it_is_lifted()
 {
    for world in worlds("holiday").await {
        let date = world.published(1, 0).await;
        let next = world.working_day(2).await;
        world.publish(next).await;
        let stranded = world.booked(&slot(date, 0)).await;
        let other = world.booked(&slot(next, 0)).await;
        let works = world.served.works();
        let rest = amended(date, DayKind::Rest, "暴雨停工");
        says(&world, vec![rest]).await;
        until("the day is closed", async || {
            open(&world, SITE, date).await == 0
        })
        .await;
        until("other times are offered", async || {
            !offered(&world, &stranded.id).await.is_empty()
        })
        .await;
        let booking = world.get(&stranded.id).await;
        assert_eq!(booking.state(), BookingState::Confirmed, "kept meanwhile");
        let times = &booking.other_times[0].slots;
        assert!(!times.is_empty() && times.iter().all(|s| s.contains(&next.to_string())));
        let late = world.person(&[]);
        let refused = world.hold(&slot(date, 1), &late).await;
        assert_eq!(reason(refused), "SLOT_CLOSED");
        let there = moved(&world, &stranded.id, &times[0]).await;
        there.expect("one of the times that are offered");
        assert_eq!(open(&world, SITE, next).await, 4, "no day of the holiday");
        assert!(offered(&world, &other.id).await.is_empty());
        let why = reasons(&world).await;
        let of_day = &why[&format!("days/{SITE}.{date}")];
        assert_eq!((why.len(), of_day.len()), (1, 1), "{why:?}");
        assert!(of_day[0].contains("暴雨停工") && of_day[0].contains("县政府通告"));
        let work = amended(date, DayKind::Work, "恢复办公");
        says(&world, vec![work]).await;
        until("the day is open again", async || {
            open(&world, SITE, date).await == 4
        })
        .await;
        bookable(&world, &slot(date, 1)).await;
        works.cancel();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_make_up_day_after_publication_gives_times_and_what_was_closed_by_hand_stays_so()
{
    for world in worlds("madeup").await {
        let date = world.published(1, 0).await;
        let calendar = Calendar::national();
        let mut days = date.iter_days();
        let saturday = days
            .find(|d| d.weekday() == Weekday::Sat && !calendar.is_working(*d).expect("known"))
            .expect("one that rests");
        world.publish(saturday).await;
        assert_eq!(open(&world, SITE, saturday).await, 0);
        super::ask::close(&world, &slot(date, 2)).await;
        let works = world.served.works();
        let acts = vec![
            amended(saturday, DayKind::Work, "补班"),
            amended(date, DayKind::Work, "照常办公"),
        ];
        says(&world, acts).await;
        until("the make-up day is open", async || {
            open(&world, SITE, saturday).await == 4
        })
        .await;
        bookable(&world, &slot(saturday, 0)).await;
        assert_eq!(open(&world, SITE, date).await, 3, "as before");
        works.cancel();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_shorter_opening_hours_after_publication_strand_nobody() {
    for world in worlds("shorter").await {
        let date = world.published(1, 0).await;
        let (early, late) = (slot(date, 0), slot(date, 3));
        let (early, late) = (world.booked(&early).await, world.booked(&late).await);
        let works = world.served.works();
        let hours = |weekday| OpeningHours {
            weekday,
            opens: "08:30".to_owned(),
            closes: "10:00".to_owned(),
        };
        let site = Site {
            id: SITE.to_owned(),
            name: "屈原镇便民服务中心".to_owned(),
            region: "420527100".to_owned(),
            opening_hours: (1..=5).map(hours).collect(),
            ..Site::default()
        };
        let update = Said::SiteUpdated(SiteUpdated { site: Some(site) });
        says(&world, vec![update]).await;
        until("other times are offered", async || {
            !offered(&world, &late.id).await.is_empty()
        })
        .await;
        assert_eq!(open(&world, SITE, date).await, 2, "nine and half past");
        assert!(offered(&world, &early.id).await.is_empty());
        let why = reasons(&world).await;
        let of_day = &why[&format!("days/{SITE}.{date}")];
        assert!(of_day.len() == 1 && of_day[0].contains("屈原镇便民服务中心"));
        works.cancel();
    }
}

async fn changed_days(world: &World) -> i64 {
    let sql = "SELECT CAST(count(*) AS bigint) FROM acts WHERE kind = 'day.changed'";
    let statement = Statement::from_string(world.store.backend, sql);
    let row = world.store.row(statement).await.expect("counted");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

/// More sites than are planned at once.
const SITES: i64 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_holiday_of_the_whole_country_reaches_every_site_once_across_a_restart() {
    for world in worlds("country").await {
        let date = world.working_day(1).await;
        let known: Site = copy::get(&world.store.db, DISTRICT, "site", SITE)
            .await
            .expect("read")
            .expect("a site");
        let name = |n: i64| format!("village-{n:02}");
        for n in 0..SITES {
            let site = Site {
                id: name(n),
                ..known.clone()
            };
            let put = copy::put(&world.store.db, DISTRICT, "site", &site.id, &site);
            put.await.expect("a site");
        }
        let db = &world.store.db;
        let learned = bangban_learned::revision::learned(db, world.store.backend, DISTRICT);
        learned.await.expect("a revision");
        for n in 0..SITES {
            let mut template = template(1, 0);
            (template.id, template.site) = (name(n), name(n));
            put_template(&world, template).await;
            published(&world, &name(n), (date, date)).await;
        }
        let first = world.booked(&format!("{}.{date}.0", name(0))).await;
        let last = world.booked(&format!("{}.{date}.0", name(SITES - 1))).await;
        let notice = Said::CalendarYearLoaded(CalendarYearLoaded {
            year: u32::try_from(date.year()).expect("a year"),
            days: vec![amendment(date, DayKind::Rest, "临时放假")],
        });
        says(&world, vec![notice]).await;
        // A process that dies in the midst of it: on PostgreSQL the last site waits for that.
        let last_site = format!("capacity WHERE id = '{}'", name(SITES - 1));
        let locked = match world.store.is_postgres() {
            true => Some(world.locked(&last_site).await),
            false => None,
        };
        let dies = world.served.begins();
        let began = Instant::now();
        while changed_days(&world).await == 0 {
            assert!(began.elapsed() < PATIENCE, "none is planned anew");
            sleep(Duration::from_millis(1)).await;
        }
        for task in dies {
            task.abort();
            _ = task.await;
        }
        let done = changed_days(&world).await;
        match locked {
            Some(locked) => {
                assert!(done < SITES, "all were done before it died");
                locked.rollback().await.expect("unlocked");
            }
            None if done == SITES => eprintln!("all were done before it died"),
            None => {}
        }
        let works = world.served.works();
        until("all are planned anew", async || {
            changed_days(&world).await == SITES
        })
        .await;
        for booking in [&first, &last] {
            until("other times are offered", async || {
                !offered(&world, &booking.id).await.is_empty()
            })
            .await;
        }
        world.sweep().await;
        assert_eq!(changed_days(&world).await, SITES, "each once");
        for n in 0..SITES {
            assert_eq!(open(&world, &name(n), date).await, 0, "{}", name(n));
        }
        works.cancel();
    }
}

/// What is known of a district is read anew for what is learned of it, and not for each person who is registered there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_directory_says_of_people_is_nothing_that_is_learned_of_a_district() {
    for world in worlds("of_people").await {
        let works = world.served.works();
        let learned = async || {
            let sql = "SELECT CAST(SUM(revision) AS bigint) FROM learned";
            numbers(&world, sql.to_owned(), 1).await[0]
        };
        let before = learned().await;
        let mut acts = vec![Said::ApplicantErased(ApplicantErased::default()); 3];
        acts.push(Said::ItemWithdrawn(ItemWithdrawn {
            code: "unknown".to_owned(),
            ..ItemWithdrawn::default()
        }));
        says(&world, acts).await;
        until("the last is heard of", async || learned().await > before).await;
        assert_eq!(learned().await, before + 1);
        works.cancel();
    }
}
