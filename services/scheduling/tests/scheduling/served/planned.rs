//! When a site serves: published at a set time of day, exceptions over templates, shown over days and sites (BB-9.2b).

use bangban_calendar::Calendar;
use bangban_learned::revision;
use bangban_proto::bangban::{
    directory::v1::Site,
    scheduling::v1::{self as v1, ExceptionKind, Hours, Span},
};
use bangban_store::copy;
use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use sea_orm::ConnectionTrait as _;

use super::{
    ask::{day, exception, id, published, put_exception, put_template},
    world::{
        ADMIN, CHEN_JUN, DISTRICT, ELSEWHERE, GROUP, LI_NA, SITE, World, at, reason, template,
        worlds,
    },
};

async fn published_until(world: &World) -> String {
    let request = v1::GetPublicationRequest {
        district: DISTRICT.to_owned(),
        site: SITE.to_owned(),
        after: String::new(),
    };
    let request = world.by(&LI_NA, request);
    let answer = world.capacity().get_publication(request).await;
    answer.expect("a publication").into_inner().published_until
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_day_is_published_two_weeks_ahead_at_eight_and_not_a_minute_before() {
    for world in worlds("published").await {
        world.template(1, 0).await;
        let request = v1::PutPublicationRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            publication: Some(v1::Publication {
                site: SITE.to_owned(),
                weeks_ahead: 2,
                at: "08:00".to_owned(),
                ..v1::Publication::default()
            }),
            ..v1::PutPublicationRequest::default()
        };
        let request = world.by(&ADMIN, request);
        let put = world.capacity().put_publication(request).await;
        put.expect("put");
        // A working day two weeks before a working day.
        let calendar = Calendar::national();
        let mut today = world.working_day(0).await;
        while !calendar.is_working(today + Days::new(14)).expect("known") {
            today = today + Days::new(1);
        }
        let date = today + Days::new(14);
        world.advance_to(at(today, 7, 59)).await;
        world.sweep().await;
        assert_eq!(
            published_until(&world).await,
            (date - Days::new(1)).to_string()
        );
        let early = day(&world, SITE, date).await;
        assert_eq!(reason(early), "DAY_UNPUBLISHED");
        world.advance_to(at(today, 8, 0)).await;
        world.sweep().await;
        assert_eq!(published_until(&world).await, date.to_string());
        let published = day(&world, SITE, date).await.expect("published");
        assert_eq!(published.slots.len(), 4);
        let published_at = published.published_at.expect("an instant").seconds;
        assert!((0..60).contains(&(published_at - at(today, 8, 0).timestamp())));
        let next = day(&world, SITE, date + Days::new(1)).await;
        assert_eq!(reason(next), "DAY_UNPUBLISHED");
    }
}

async fn put_publication(world: &World, site: &str) {
    let request = v1::PutPublicationRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        publication: Some(v1::Publication {
            site: site.to_owned(),
            weeks_ahead: 2,
            at: "00:00".to_owned(),
            ..v1::Publication::default()
        }),
        ..v1::PutPublicationRequest::default()
    };
    let request = world.by(&ADMIN, request);
    let put = world.capacity().put_publication(request).await;
    put.expect("put");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_site_that_is_unknown_for_a_while_stops_no_other_and_publishes_when_it_is_known()
{
    for world in worlds("unknown").await {
        let date = world.working_day(1).await;
        world.template(1, 0).await;
        let mut elsewhere = template(1, 0);
        (elsewhere.id, elsewhere.site) = ("elsewhere".to_owned(), ELSEWHERE.to_owned());
        put_template(&world, elsewhere).await;
        // The one that is looked at first is the one that is unknown.
        for site in [ELSEWHERE, SITE] {
            put_publication(&world, site).await;
        }
        let (db, backend) = (&world.store.db, world.store.backend);
        let known: Site = copy::get(db, DISTRICT, "site", ELSEWHERE)
            .await
            .expect("read")
            .expect("a site");
        let sql = format!("DELETE FROM copies WHERE kind = 'site' AND id = '{ELSEWHERE}'");
        db.execute_unprepared(&sql).await.expect("deleted");
        let learned = async || {
            let learned = revision::learned(db, backend, DISTRICT).await;
            learned.expect("a revision");
        };
        learned().await;
        let tomorrow = world.now().await.date_naive() + Days::new(1);
        world.advance_to(at(tomorrow, 0, 1)).await;
        world.sweep().await;
        let published = day(&world, SITE, date).await.expect("published");
        assert_eq!(published.slots.len(), 4);
        assert_eq!(world.sweep().await, 0, "nothing is left to do");
        let put = copy::put(db, DISTRICT, "site", ELSEWHERE, &known);
        put.await.expect("a site");
        learned().await;
        world.advance_to(at(tomorrow, 0, 7)).await;
        world.sweep().await;
        let request = v1::GetDayRequest {
            district: DISTRICT.to_owned(),
            site: ELSEWHERE.to_owned(),
            date: date.to_string(),
            after: String::new(),
        };
        let request = world.by(&ADMIN, request);
        let published = world.capacity().get_day(request).await;
        assert_eq!(published.expect("published").into_inner().slots.len(), 4);
    }
}

/// The times at which slots of a day can be had, as `09:00`.
pub async fn open(world: &World, date: NaiveDate) -> Vec<String> {
    let slots = day(world, SITE, date).await.expect("a day").slots;
    let open = slots.iter().filter(|slot| !slot.is_closed);
    let starts = open.map(|slot| slot.starts_at.as_ref().expect("a start").seconds);
    let mut starts: Vec<i64> = starts.collect();
    starts.sort_unstable();
    let midnight = at(date, 0, 0).timestamp();
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    starts
        .iter()
        .map(|at| clock((at - midnight) / 60))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_closures_extra_hours_holidays_and_make_up_days_change_days_and_give_them_back() {
    for world in worlds("exceptions").await {
        let date = world.published(1, 0).await;
        let usual = ["09:00", "09:30", "10:00", "10:30"];
        assert_eq!(open(&world, date).await, usual);
        let mut closure = exception("closure", date, ExceptionKind::Closure);
        closure.closed = vec![Span {
            from: "09:30".to_owned(),
            to: "10:15".to_owned(),
        }];
        let put = put_exception(&world, closure).await;
        assert_eq!(put.changed_days, [date.to_string()]);
        assert_eq!(open(&world, date).await, ["09:00", "10:30"]);
        let mut extra = exception("extra", date, ExceptionKind::ExtraHours);
        extra.group = GROUP.to_owned();
        extra.hours = vec![Hours {
            from: "17:30".to_owned(),
            to: "18:30".to_owned(),
            slot_minutes: 30,
            capacity: 1,
            ..Hours::default()
        }];
        put_exception(&world, extra).await;
        let with_extra = ["09:00", "10:30", "17:30", "18:00"];
        assert_eq!(open(&world, date).await, with_extra);
        let holiday = exception("holiday", date, ExceptionKind::Holiday);
        put_exception(&world, holiday).await;
        assert_eq!(open(&world, date).await, [""; 0]);
        for (exception, then) in [
            ("holiday", &with_extra[..]),
            (
                "closure",
                &["09:00", "09:30", "10:00", "10:30", "17:30", "18:00"],
            ),
            ("extra", &usual),
        ] {
            let request = v1::RemoveExceptionRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                exception: exception.to_owned(),
                ..v1::RemoveExceptionRequest::default()
            };
            let request = world.by(&ADMIN, request);
            let removed = world.capacity().remove_exception(request).await;
            removed.expect("removed");
            assert_eq!(open(&world, date).await, then, "without {exception}");
        }
        // A Saturday that rests by the calendar is worked on by the hours of a Monday.
        let calendar = Calendar::national();
        let rests = |day: &NaiveDate| !calendar.is_working(*day).expect("known");
        let days = date.iter_days();
        let mut saturdays = days.filter(|day| day.weekday() == Weekday::Sat);
        let saturday = saturdays.find(rests).expect("one that rests");
        let mut make_up = exception("make-up", saturday, ExceptionKind::MakeUpDay);
        make_up.follows_weekday = 1;
        put_exception(&world, make_up).await;
        world.publish(saturday).await;
        assert_eq!(open(&world, saturday).await, usual);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_what_is_free_over_days_and_sites_is_one_answer() {
    for world in worlds("overall").await {
        let date = world.published(2, 1).await;
        let next = world.working_day(2).await;
        world.publish(next).await;
        let mut elsewhere = template(3, 0);
        (elsewhere.id, elsewhere.site) = ("elsewhere".to_owned(), ELSEWHERE.to_owned());
        put_template(&world, elsewhere).await;
        let days = published(&world, ELSEWHERE, (next, next)).await;
        assert_eq!(days, [next.to_string()]);
        world.booked(&format!("{ELSEWHERE}.{next}.0")).await;
        let request = v1::GetAvailabilityRequest {
            district: DISTRICT.to_owned(),
            sites: vec![SITE.to_owned(), ELSEWHERE.to_owned()],
            from: date.to_string(),
            to: next.to_string(),
            ..v1::GetAvailabilityRequest::default()
        };
        let request = world.by(&CHEN_JUN, request);
        let answer = world.booking().get_availability(request).await;
        let days = answer.expect("answered").into_inner().days;
        let span = usize::try_from((next - date).num_days() + 1).expect("a few");
        assert_eq!(days.len(), 2 * span, "every day of both");
        let told = |site: &str, date: NaiveDate| {
            let mut days = days.iter();
            let day = days.find(|day| day.site == site && day.date == date.to_string());
            let day = day.expect("the day");
            let slots = day.slots.iter().map(|slot| (slot.free, slot.reserved_free));
            (day.is_published, slots.collect::<Vec<_>>())
        };
        assert_eq!(told(SITE, date), (true, vec![(1, 1); 4]));
        assert_eq!(told(SITE, next), (true, vec![(1, 1); 4]));
        assert_eq!(told(ELSEWHERE, date), (false, vec![]));
        let given = vec![(2, 0), (3, 0), (3, 0), (3, 0)];
        assert_eq!(told(ELSEWHERE, next), (true, given));
    }
}
