//! Without Redis (BB-9.2b): nobody is given a seat and everybody hears when to try again, all else works, health says so
//! under a name of its own, and nobody has to help when Redis is back.

use std::time::{Duration, Instant};

use bangban_kit::refusal::{reason as reason_of, requirement};
use bangban_proto::bangban::scheduling::v1::{
    self as v1, BookingState, CancelReason, ExceptionKind, LinkPurpose, WaitingState,
};
use bangban_scheduling::GATE;
use chrono::{NaiveDate, TimeDelta};
use tonic::{Code, Status, Streaming};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::{
    ask::{
        cancel, check_in, complete, exception, extend, joined, link, moved, put_exception, release,
        seen, start,
    },
    patience::{is_not_now, patiently},
    world::{
        ADMIN, DISTRICT, LI_NA, SITE, World, at, changed, reason, slot, worlds_with_redis, written,
    },
};

/// Within which health tells of a change: a check of the gate and a look of the server's.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// Within which everything is well after Redis is back: it is admitted, the day is rebuilt, seats are released.
const WELL_WITHIN: Duration = Duration::from_secs(60);

fn named(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

async fn health(world: &World, service: &str) -> ServingStatus {
    let mut client = HealthClient::new(world.served.channel.clone());
    let answer = client.check(named(service)).await;
    answer.expect("a name of health").into_inner().status()
}

/// The process and its services serve, whatever becomes of the gate.
async fn serves(world: &World) {
    for name in [
        "",
        "bangban.scheduling.v1.BookingService",
        "bangban.scheduling.v1.CapacityService",
    ] {
        assert_eq!(health(world, name).await, ServingStatus::Serving, "{name}");
    }
}

/// Until who watches the gate's health hears this.
async fn hears(
    watched: &mut Streaming<HealthCheckResponse>,
    status: ServingStatus,
    within: Duration,
) {
    let heard = async {
        while let Some(told) = watched.message().await.expect("it goes on") {
            if told.status() == status {
                return;
            }
        }
        panic!("health has ended");
    };
    let heard = tokio::time::timeout(within, heard).await;
    assert!(heard.is_ok(), "not within {within:?}: {status:?}");
}

/// A seat is refused at once, with the requirement and when to try again.
async fn unavailable<T, F>(ask: impl Fn() -> F)
where
    T: std::fmt::Debug,
    F: Future<Output = Result<T, Status>>,
{
    let mut took = Vec::new();
    // A machine that stands still says nothing of how long an answer takes.
    while took.len() < 5 {
        let asked = Instant::now();
        let answer = ask().await;
        took.push(asked.elapsed());
        let status = answer.expect_err("no seat without the gate");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert_eq!(reason_of(&status), "GATE_UNAVAILABLE");
        assert_eq!(requirement(&status), "BB-9.2b");
        let hint = status.get_details_retry_info().expect("a hint");
        let after = hint.retry_delay.expect("when to try again");
        assert!(
            !after.is_zero() && after < Duration::from_secs(5),
            "{after:?}"
        );
        reason(Err::<T, _>(status));
        if took.last() < Some(&Duration::from_secs(1)) {
            return;
        }
    }
    panic!("{took:?}");
}

async fn available(world: &World, date: NaiveDate) -> v1::DayAvailability {
    let request = v1::GetAvailabilityRequest {
        district: DISTRICT.to_owned(),
        sites: vec![SITE.to_owned()],
        from: date.to_string(),
        to: date.to_string(),
        ..v1::GetAvailabilityRequest::default()
    };
    let request = world.by(&LI_NA, request);
    let answer = world.booking().get_availability(request).await;
    answer.expect("answered").into_inner().days.remove(0)
}

/// Asks until it is so.
async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let began = Instant::now();
    while !ask().await {
        assert!(began.elapsed() < WELL_WITHIN, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Nobody gets a seat, whatever they ask by, and nothing is written by it.
async fn seats_are_refused(world: &World, date: NaiveDate, booking: &str) {
    let person = world.person(&[]);
    let by_link = v1::MoveByLinkRequest {
        link: link(world, booking, LinkPurpose::Move).await,
        slot: slot(date, 3),
    };
    world.sweep().await;
    let before = written(world).await;
    unavailable(|| async { world.hold(&slot(date, 1), &person).await }).await;
    unavailable(|| async { moved(world, booking, &slot(date, 3)).await }).await;
    unavailable(|| async { world.booking().move_by_link(by_link.clone()).await }).await;
    assert_eq!(written(world).await, before, "nothing is half done");
}

/// What is published is shown, and what is free is not known.
async fn reading_works(world: &World, date: NaiveDate, booking: &v1::Booking) {
    let day = available(world, date).await;
    assert!(day.is_published && !day.is_known, "{day:?}");
    assert_eq!(day.slots.len(), 4);
    assert!(day.slots.iter().all(|s| s.free + s.reserved_free == 0));
    assert_eq!(&world.get(&booking.id).await, booking);
    let request = v1::ListBookingsRequest {
        district: DISTRICT.to_owned(),
        site: SITE.to_owned(),
        from: date.to_string(),
        to: date.to_string(),
        ..v1::ListBookingsRequest::default()
    };
    let request = world.by(&LI_NA, request);
    let list = world.booking().list_bookings(request).await;
    let list = list.expect("a list").into_inner().bookings;
    assert!(list.iter().any(|b| b.id == booking.id), "{list:?}");
    let request = v1::GetDayRequest {
        district: DISTRICT.to_owned(),
        site: SITE.to_owned(),
        date: date.to_string(),
        ..v1::GetDayRequest::default()
    };
    let day = world.capacity().get_day(world.by(&ADMIN, request)).await;
    assert_eq!(day.expect("a day").into_inner().slots.len(), 4);
}

/// A seat that comes back goes to the one who waits, who accepts it.
async fn a_freed_seat_goes_to_who_waits(world: &World, date: NaiveDate, given_up: &str) {
    let place = joined(world, &world.person(&[]), &date.to_string()).await;
    let cancelled = cancel(world, given_up).await.expect("cancelled");
    assert_eq!(cancelled.cancel_reason(), CancelReason::Applicant);
    until("the seat is offered", || async {
        let place = seen(world, &place.id).await.waiting.expect("a place");
        place.state() == WaitingState::Offered
    })
    .await;
    let accept = v1::AcceptOfferRequest {
        district: DISTRICT.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        waiting: place.id,
        ..v1::AcceptOfferRequest::default()
    };
    let request = world.by(&LI_NA, accept);
    let accepted = world.booking().accept_offer(request).await;
    assert_eq!(changed(accepted).expect("accepted").slot, slot(date, 1));
}

/// Every slot of the day gains a seat, one of them another, and another day is published.
async fn capacity_changes(world: &World, date: NaiveDate) {
    world.template(4, 0).await;
    let more = v1::ChangeSlotRequest {
        district: DISTRICT.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        slot: slot(date, 3),
        capacity: 5,
        reason: "增开窗口".to_owned(),
        ..v1::ChangeSlotRequest::default()
    };
    let request = world.by(&ADMIN, more);
    let day = world.capacity().change_slot(request).await;
    day.expect("changed");
    world.publish(world.working_day(3).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_without_redis_seats_are_refused_all_else_works_and_health_says_degraded() {
    for (world, mut redis) in worlds_with_redis("degraded").await {
        world.served.works_unasked();
        world.without_cooling().await;
        let mut client = HealthClient::new(world.served.channel.clone());
        let watched = client.watch(named(GATE)).await.expect("watched");
        let mut watched = watched.into_inner();
        hears(&mut watched, ServingStatus::Serving, WELL_WITHIN).await;
        let date = world.published(3, 0).await;
        world.advance_to(at(date, 8, 50)).await;
        let coming = world.booked(&slot(date, 0)).await;
        let given_up = world.booked(&slot(date, 1)).await;
        let moving = world.booked(&slot(date, 2)).await;
        let kept = world.held(&slot(date, 1), &world.person(&[])).await;
        let dropped = world.held(&slot(date, 2), &world.person(&[])).await;

        redis.kill();
        hears(&mut watched, ServingStatus::NotServing, TOLD_WITHIN).await;
        assert_eq!(health(&world, GATE).await, ServingStatus::NotServing);
        serves(&world).await;
        seats_are_refused(&world, date, &moving.id).await;
        reading_works(&world, date, &moving).await;
        let kept = world.confirm(&kept).await.expect("a live hold confirms");
        assert_eq!(kept.state(), BookingState::Confirmed);
        a_freed_seat_goes_to_who_waits(&world, date, &given_up.id).await;
        let dropped = extend(&world, &LI_NA, &dropped).await.expect("extended");
        release(&world, &LI_NA, &dropped).await.expect("released");
        capacity_changes(&world, date).await;
        check_in(&world, &coming.id).await.expect("there");
        world.advance_to(at(date, 9, 1)).await;
        start(&world, &coming.id).await.expect("started");
        let served = complete(&world, &coming.id).await.expect("completed");
        assert_eq!(served.state(), BookingState::Completed);
        world.sweep().await;
        assert!(!available(&world, date).await.is_known);
        serves(&world).await;

        redis.run();
        hears(&mut watched, ServingStatus::Serving, WELL_WITHIN).await;
        until("every seat comes back", || async {
            let slots = available(&world, date).await.slots;
            slots.iter().map(|s| s.free).eq([2, 3, 5])
        })
        .await;
        let there = slot(date, 3);
        let there = patiently(is_not_now, || moved(&world, &moving.id, &there)).await;
        there.expect("moved");
        world.booked(&slot(date, 1)).await;
        until("the seat that was left comes back", || async {
            let slots = available(&world, date).await.slots;
            slots.iter().map(|s| s.free).eq([1, 4, 4])
        })
        .await;
        serves(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_other_times_are_offered_when_redis_is_back_to_who_lost_theirs_meanwhile() {
    for (world, mut redis) in worlds_with_redis("degraded_offers").await {
        world.served.works_unasked();
        let date = world.published(1, 0).await;
        let next = world.working_day(2).await;
        world.publish(next).await;
        let booking = world.booked(&slot(date, 0)).await;
        redis.kill();
        until("what is free is not known", || async {
            !available(&world, next).await.is_known
        })
        .await;
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        // Also behind the hour for which a day is looked after at the least.
        for seconds in [0, 3500, 3500] {
            let now = world.now().await;
            world.advance_to(now + TimeDelta::seconds(seconds)).await;
            world.sweep().await;
            let told = world.get(&booking.id).await.other_times;
            assert_eq!(told, [], "nobody can say what is free");
        }
        redis.run();
        until("other times are offered", || async {
            !world.get(&booking.id).await.other_times.is_empty()
        })
        .await;
        let told = world.get(&booking.id).await.other_times;
        assert_eq!(told.len(), 1, "{told:?}");
        let slots: Vec<String> = (0..4).map(|number| slot(next, number)).collect();
        assert_eq!(told[0].slots, slots);
        let there = patiently(is_not_now, || moved(&world, &booking.id, &slots[1])).await;
        assert_eq!(there.expect("moved").slot, slots[1]);
    }
}
