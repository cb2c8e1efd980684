//! I9: seats are given up all at once, two processes sweep, and those who wait accept, decline, or let their offers pass.

use std::time::{Duration, Instant};

use bangban_proto::bangban::{
    scheduling::v1::{self as v1, Waiting, WaitingState},
    types::v1::Channel,
};

use super::{
    calls::{Answer, id},
    crowd::{rush, somebody},
    redis::Redis,
    stage::Stage,
};
use crate::served::{
    double::is_special,
    world::{DISTRICT, GROUP, ITEM, SITE},
};

/// How many wait.
const PEOPLE: usize = 12;

/// Of whom so many, who join last, belong to a special group.
const SPECIAL: usize = 2;

async fn joins(stage: &Stage, special: bool) -> Waiting {
    let applicant = std::iter::repeat_with(somebody).find(|it| is_special(it) == special);
    let caller = stage.caller(0);
    let request = v1::JoinWaitingListRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        site: SITE.to_owned(),
        group: GROUP.to_owned(),
        item: ITEM.to_owned(),
        applicant: applicant.expect("one of them"),
        from: stage.days[0].to_string(),
        to: stage.days[0].to_string(),
        earliest: "09:00".to_owned(),
        latest: "09:30".to_owned(),
        channel: Channel::Phone.into(),
        ..v1::JoinWaitingListRequest::default()
    };
    let asked = caller
        .client()
        .join_waiting_list(caller.request(request))
        .await;
    asked
        .expect("joined")
        .into_inner()
        .waiting
        .expect("a place")
}

async fn now(stage: &Stage, place: &str) -> Waiting {
    let caller = stage.caller(0);
    let request = v1::GetWaitingRequest {
        district: DISTRICT.to_owned(),
        waiting: place.to_owned(),
        after: String::new(),
    };
    let asked = caller.client().get_waiting(caller.request(request)).await;
    asked.expect("read").into_inner().waiting.expect("a place")
}

/// What one who waits does with an offer: accepts it and gives the seat up, declines it, or lets it pass.
async fn answers(stage: &Stage, place: &Waiting, number: usize) {
    let (caller, district) = (stage.caller(number), DISTRICT.to_owned());
    let waiting = place.id.clone();
    let until = Instant::now() + Duration::from_secs(40);
    loop {
        let place = now(stage, &waiting).await;
        match (place.state(), number % 3) {
            (WaitingState::Offered, 0) => {
                let request = v1::AcceptOfferRequest {
                    district: district.clone(),
                    request_id: id(),
                    waiting: waiting.clone(),
                    ..v1::AcceptOfferRequest::default()
                };
                let asked = caller.client().accept_offer(caller.request(request)).await;
                let booking = asked.expect("accepted").into_inner().booking;
                let gone = caller.cancel(&booking.expect("a booking").id).await;
                assert_eq!(gone, Answer::GivenUp);
                return;
            }
            (WaitingState::Offered, 1) => {
                let request = v1::DeclineOfferRequest {
                    district: district.clone(),
                    request_id: id(),
                    waiting: waiting.clone(),
                    ..v1::DeclineOfferRequest::default()
                };
                let asked = caller.client().decline_offer(caller.request(request)).await;
                asked.expect("declined");
                return;
            }
            (WaitingState::Waiting, 2) if !place.offers.is_empty() => return,
            _ => assert!(Instant::now() < until, "no offer comes: {place:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_seats_that_are_given_up_go_to_those_who_wait_in_order_and_to_nobody_else() {
    in_order(Redis::one()).await;
}

pub async fn in_order(redis: Redis) {
    let Some(stage) = Stage::on(&redis, "waiting", (3, 0), 2).await else {
        return;
    };
    let rushed = rush(&stage, 0, 10).await;
    assert_eq!(rushed.counts(), (3, 7));
    let mut places = Vec::new();
    for number in 0..PEOPLE {
        places.push(joins(&stage, number >= PEOPLE - SPECIAL).await);
    }
    let all = places.iter().enumerate();
    let all = all.map(|(number, place)| answers(&stage, place, number));
    tokio::join!(rushed.leave(&stage), futures::future::join_all(all));
    // Who waits yet has let one go: the seats come back for everybody.
    stage.clears().await;
    assert_eq!(rush(&stage, 0, 10).await.counts(), (3, 7));
    let seen = stage.judged().await;
    seen.has_enough(6, 14, (0, 0));
    assert_eq!(seen.offers, PEOPLE, "each was offered one: {seen}");
}
