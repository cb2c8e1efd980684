//! I9: seats are given up all at once, two processes sweep, and those who wait accept, decline, or let their offers pass.

use std::{future::Future, time::Duration};

use bangban_kit::refusal;
use bangban_proto::bangban::{
    scheduling::v1::{self as v1, Waiting, WaitingState},
    types::v1::Channel,
};
use bangban_rig::{Looks, PATIENCE};
use tonic::{Code, Response, Status};

use super::{
    calls::{Answer, ONE_CALL, id},
    crowd::{rush, somebody},
    redis::Redis,
    stage::{self, Stage},
};
use crate::served::{
    double::is_special,
    world::{DISTRICT, GROUP, ITEM, SITE},
};

/// How many wait.
const PEOPLE: usize = 12;

/// Of whom so many, who join last, belong to a special group.
const SPECIAL: usize = 2;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The answer, once it is not to try again.
async fn answered<T, F: Future<Output = Result<Response<T>, Status>>>(
    ask: impl Fn() -> F,
) -> Result<T, Status> {
    let mut looks = Looks::within(PATIENCE, PAUSE);
    loop {
        let answer = tokio::time::timeout(ONE_CALL, ask()).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")));
        let code = answer.as_ref().err().map(Status::code);
        let is_not_now = matches!(
            code,
            Some(Code::Unavailable | Code::Aborted | Code::DeadlineExceeded)
        );
        if !is_not_now || !looks.goes_on().await {
            return answer.map(Response::into_inner);
        }
    }
}

/// The answer to who answers an offer; none where it had passed, because the machine stood still.
fn in_time<T>(answer: Result<T, Status>) -> Option<T> {
    let status = match answer {
        Ok(answer) => return Some(answer),
        Err(status) => status,
    };
    let reason = refusal::reason(&status);
    let has_passed = matches!(reason.as_str(), "HOLD_EXPIRED" | "OFFER_UNKNOWN");
    assert!(has_passed, "{status:?}");
    None
}

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
    let joined = answered(|| async {
        let request = caller.request(request.clone());
        caller.client().join_waiting_list(request).await
    });
    joined.await.expect("joined").waiting.expect("a place")
}

async fn now(stage: &Stage, place: &str) -> Waiting {
    let caller = stage.caller(0);
    let request = v1::GetWaitingRequest {
        district: DISTRICT.to_owned(),
        waiting: place.to_owned(),
        after: String::new(),
    };
    let read = answered(|| async {
        let request = caller.request(request.clone());
        caller.client().get_waiting(request).await
    });
    read.await.expect("read").waiting.expect("a place")
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Accepted,
    Declined,
    Passed,
}

/// What one who waits does with an offer: accepts it and gives the seat up, declines it, or lets it pass, as does who is too
/// late.
async fn answers(stage: &Stage, place: &Waiting, number: usize) -> Became {
    let (caller, district) = (stage.caller(number), DISTRICT.to_owned());
    let waiting = place.id.clone();
    let mut looks = Looks::within(Duration::from_secs(40), PAUSE);
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
                let accepted = answered(|| async {
                    let request = caller.request(request.clone());
                    caller.client().accept_offer(request).await
                });
                if let Some(change) = in_time(accepted.await) {
                    let gone = caller.cancel(&change.booking.expect("a booking").id).await;
                    assert_eq!(gone, Answer::GivenUp);
                    return Became::Accepted;
                }
            }
            (WaitingState::Offered, 1) => {
                let request = v1::DeclineOfferRequest {
                    district: district.clone(),
                    request_id: id(),
                    waiting: waiting.clone(),
                    ..v1::DeclineOfferRequest::default()
                };
                let declined = answered(|| async {
                    let request = caller.request(request.clone());
                    caller.client().decline_offer(request).await
                });
                if in_time(declined.await).is_some() {
                    return Became::Declined;
                }
            }
            (WaitingState::Waiting, _) if !place.offers.is_empty() => return Became::Passed,
            _ => {}
        }
        assert!(looks.goes_on().await, "no offer comes: {place:?}");
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
    // Offers pass here, and no hold expires, however slow the machine is.
    stage.world.rules(stage::rules(60)).await;
    let rushed = rush(&stage, 0, 10).await;
    assert_eq!(rushed.counts(), (3, 7));
    let mut places = Vec::new();
    for number in 0..PEOPLE {
        places.push(joins(&stage, number >= PEOPLE - SPECIAL).await);
    }
    let all = places.iter().enumerate();
    let all = all.map(|(number, place)| answers(&stage, place, number));
    let all = futures::future::join_all(all);
    let ((), became) = tokio::join!(rushed.leave(&stage), all);
    for what in [Became::Accepted, Became::Declined, Became::Passed] {
        assert!(became.contains(&what), "{what:?}: {became:?}");
    }
    // Who waits yet has let one go: the seats come back for everybody.
    stage.clears().await;
    assert_eq!(rush(&stage, 0, 10).await.counts(), (3, 7));
    let seen = stage.judged().await;
    seen.has_enough(6, 14, (0, 0));
    assert_eq!(seen.offers, PEOPLE, "each was offered one: {seen}");
}
