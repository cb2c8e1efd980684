//! A request that is sent again before it was answered has one answer, however shortly the first was done before (I7).

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use bangban_proto::bangban::scheduling::v1::{self, booking_service_client::BookingServiceClient};
use tonic::Status;

use super::{
    ask::{cancel, day, id, joined, release},
    patience::{PATIENCE, is_not_now},
    server::Served,
    world::{ADMIN, DISTRICT, LI_NA, SITE, World, reason, slot, worlds},
};

/// How often each is tried: whether one comes between what another reads is chance.
const ROUNDS: u32 = 12;

/// Sends it six times, one a little after the other.
async fn sent<T: Debug + PartialEq>(
    send: impl AsyncFn() -> Result<tonic::Response<T>, Status>,
) -> T {
    let after = async |us: u64| {
        tokio::time::sleep(Duration::from_micros(us)).await;
        let until = Instant::now() + PATIENCE;
        loop {
            let began = Instant::now();
            match send().await {
                // Where the first takes long to be written, nobody can say yet what becomes of it: after a second of waiting.
                Err(status) if is_not_now(&status) && Instant::now() < until => {
                    assert!(began.elapsed() >= Duration::from_secs(1), "{status:?}");
                }
                answer => return answer.map(tonic::Response::into_inner),
            }
        }
    };
    let step = rand::random_range(100..1_500);
    let (a, b, c, d, e, f) = tokio::join!(
        after(0),
        after(step),
        after(2 * step),
        after(3 * step),
        after(4 * step),
        after(5 * step),
    );
    let first = a.expect("done");
    for other in [b, c, d, e, f] {
        assert_eq!(other.expect("one request has one answer"), first);
    }
    first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_an_offer_that_is_accepted_or_left_twice_at_once_is_answered_once() {
    for world in worlds("twice_offered").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let mut has_it = world.booked(&slot(date, 0)).await.id;
        for round in 0..ROUNDS {
            let place = joined(&world, &world.person(&[]), &date.to_string()).await;
            cancel(&world, &has_it).await.expect("cancelled");
            world.sweep().await;
            has_it = match round % 2 {
                0 => accepted(&world, &place.id).await,
                _ => {
                    left(&world, &place.id).await;
                    world.sweep().await;
                    world.booked(&slot(date, 0)).await.id
                }
            };
        }
    }
}

async fn accepted(world: &World, place: &str) -> String {
    let request = v1::AcceptOfferRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        waiting: place.to_owned(),
        ..v1::AcceptOfferRequest::default()
    };
    let accept = async || {
        let request = world.by(&LI_NA, request.clone());
        world.booking().accept_offer(request).await
    };
    sent(accept).await.booking.expect("an appointment").id
}

async fn left(world: &World, place: &str) {
    let request = v1::LeaveWaitingListRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        waiting: place.to_owned(),
        ..v1::LeaveWaitingListRequest::default()
    };
    sent(async || {
        let request = world.by(&LI_NA, request.clone());
        world.booking().leave_waiting_list(request).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_nobody_is_told_full_of_the_seat_that_the_same_request_is_being_given() {
    for world in worlds("twice_held").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        for _ in 0..ROUNDS {
            let person = world.person(&[]);
            let request = World::holding(&slot(date, 0), &person);
            let hold = sent(async || {
                let request = world.by(&LI_NA, request.clone());
                world.booking().hold_slot(request).await
            })
            .await;
            release(&world, &LI_NA, &hold).await.expect("released");
            world.sweep().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_hold_whose_answer_was_lost_is_found_through_another_process_of_a_full_slot() {
    for world in worlds("twice_lost").await {
        let date = world.published(1, 0).await;
        let request = World::holding(&slot(date, 0), &world.person(&[]));
        let asked = world.by(&LI_NA, request.clone());
        let held = world.booking().hold_slot(asked).await;
        let held = held.expect("held").into_inner();
        let other = Served::start(&world.config, world.directory.clone()).await;
        let mut client = BookingServiceClient::new(other.channel.clone());
        let late = world.by(&LI_NA, World::holding(&slot(date, 0), &world.person(&[])));
        assert_eq!(reason(client.hold_slot(late).await), "SLOT_FULL");
        let mut again = world.by(&LI_NA, request);
        let count = "1".parse().expect("a header");
        again
            .metadata_mut()
            .insert("grpc-previous-rpc-attempts", count);
        let found = client.hold_slot(again).await;
        assert_eq!(found.expect("it has the seat").into_inner(), held);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_capacity_that_is_changed_twice_at_once_is_answered_once() {
    for world in worlds("twice_changed").await {
        let date = world.published(1, 0).await;
        for round in 0..ROUNDS {
            let read = day(&world, SITE, date).await.expect("a day").slots;
            let request = v1::ChangeSlotRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                etag: read[0].etag.clone(),
                slot: read[0].id.clone(),
                capacity: 2 + round,
                reason: "窗口调整".to_owned(),
                ..v1::ChangeSlotRequest::default()
            };
            sent(async || {
                let request = world.by(&ADMIN, request.clone());
                world.capacity().change_slot(request).await
            })
            .await;
        }
    }
}
