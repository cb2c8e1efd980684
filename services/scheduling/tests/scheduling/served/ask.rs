//! What people ask in these tests, each in one line.

use std::time::Instant;

use bangban_kit::{identity::Caller, refusal};
use bangban_proto::bangban::{
    events::v1::{TailRequest, event_feed_client::EventFeedClient},
    scheduling::v1::{
        self as v1, CancelReason, Exception, ExceptionKind, LinkPurpose, SchedulingAct, Template,
    },
    types::v1::Channel,
};
use chrono::NaiveDate;
use prost::Message as _;
use sea_orm::Statement;
use tonic::Status;
use uuid::Uuid;

use super::{
    patience::{PATIENCE, is_broken_off, patiently},
    world::{ADMIN, DISTRICT, GROUP, ITEM, LI_NA, SITE, Who, World, changed, reason, template},
};

pub fn id() -> String {
    Uuid::now_v7().to_string()
}

pub async fn check_in(world: &World, booking: &str) -> Result<v1::Booking, tonic::Status> {
    let request = v1::CheckInRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: booking.to_owned(),
        channel: Channel::Window.into(),
        ..v1::CheckInRequest::default()
    };
    changed(world.booking().check_in(world.by(&LI_NA, request)).await)
}

pub async fn start(world: &World, booking: &str) -> Result<v1::Booking, tonic::Status> {
    let request = v1::StartServiceRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: booking.to_owned(),
        ..v1::StartServiceRequest::default()
    };
    changed(
        world
            .booking()
            .start_service(world.by(&LI_NA, request))
            .await,
    )
}

pub async fn complete(world: &World, booking: &str) -> Result<v1::Booking, tonic::Status> {
    let request = v1::CompleteServiceRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: booking.to_owned(),
        ..v1::CompleteServiceRequest::default()
    };
    changed(
        world
            .booking()
            .complete_service(world.by(&LI_NA, request))
            .await,
    )
}

pub async fn cancel(world: &World, booking: &str) -> Result<v1::Booking, tonic::Status> {
    let request = v1::CancelBookingRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: booking.to_owned(),
        reason: CancelReason::Applicant.into(),
        ..v1::CancelBookingRequest::default()
    };
    changed(
        world
            .booking()
            .cancel_booking(world.by(&LI_NA, request))
            .await,
    )
}

pub async fn moved(world: &World, booking: &str, to: &str) -> Result<v1::Booking, tonic::Status> {
    let request = v1::MoveBookingRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: booking.to_owned(),
        slot: to.to_owned(),
        ..v1::MoveBookingRequest::default()
    };
    changed(
        world
            .booking()
            .move_booking(world.by(&LI_NA, request))
            .await,
    )
}

pub async fn joined(world: &World, person: &str, day: &str) -> v1::Waiting {
    let request = v1::JoinWaitingListRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        site: SITE.to_owned(),
        group: GROUP.to_owned(),
        item: ITEM.to_owned(),
        applicant: person.to_owned(),
        from: day.to_owned(),
        to: day.to_owned(),
        channel: Channel::Phone.into(),
        ..v1::JoinWaitingListRequest::default()
    };
    let again = v1::JoinWaitingListRequest {
        request_id: id(),
        ..request.clone()
    };
    let done = world
        .booking()
        .join_waiting_list(world.by(&LI_NA, request))
        .await;
    let twice = world
        .booking()
        .join_waiting_list(world.by(&LI_NA, again))
        .await;
    assert_eq!(reason(twice), "WAITING_ALREADY");
    done.expect("joined").into_inner().waiting.expect("a place")
}

pub async fn seen(world: &World, place: &str) -> v1::GetWaitingResponse {
    let request = v1::GetWaitingRequest {
        district: DISTRICT.to_owned(),
        waiting: place.to_owned(),
        after: String::new(),
    };
    let answer = world.booking().get_waiting(world.by(&LI_NA, request)).await;
    answer.expect("a place").into_inner()
}

pub async fn link(world: &World, booking: &str, purpose: LinkPurpose) -> String {
    let request = v1::CreateLinkRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: booking.to_owned(),
        purpose: purpose.into(),
        ..v1::CreateLinkRequest::default()
    };
    let answer = world.booking().create_link(world.by(&LI_NA, request)).await;
    answer.expect("a link").into_inner().link
}

/// Services that started within their slot, of a day.
pub async fn rates(world: &World, date: NaiveDate) -> v1::GetBookingRatesResponse {
    let request = v1::GetBookingRatesRequest {
        district: DISTRICT.to_owned(),
        from: date.to_string(),
        to: date.to_string(),
        after: String::new(),
    };
    let request = world.by(&LI_NA, request);
    let answer = world.booking().get_booking_rates(request).await;
    answer.expect("rates").into_inner()
}

/// Accepts what is offered.
pub async fn accept(world: &World, waiting: &str) -> Result<v1::Booking, Status> {
    let request = v1::AcceptOfferRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        waiting: waiting.to_owned(),
        ..v1::AcceptOfferRequest::default()
    };
    let request = world.by(&LI_NA, request);
    changed(world.booking().accept_offer(request).await)
}

fn place_of(
    answer: Result<tonic::Response<v1::WaitingChange>, Status>,
) -> Result<v1::Waiting, Status> {
    answer.map(|a| a.into_inner().waiting.expect("a place"))
}

/// Declines what is offered, by a request with this id.
pub async fn decline(world: &World, waiting: &str, request: &str) -> Result<v1::Waiting, Status> {
    let request = v1::DeclineOfferRequest {
        district: DISTRICT.to_owned(),
        request_id: request.to_owned(),
        waiting: waiting.to_owned(),
        ..v1::DeclineOfferRequest::default()
    };
    let request = world.by(&LI_NA, request);
    place_of(world.booking().decline_offer(request).await)
}

/// Leaves the waiting list.
pub async fn leave(world: &World, waiting: &str) -> Result<v1::Waiting, Status> {
    let request = v1::LeaveWaitingListRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        waiting: waiting.to_owned(),
        ..v1::LeaveWaitingListRequest::default()
    };
    let request = world.by(&LI_NA, request);
    place_of(world.booking().leave_waiting_list(request).await)
}

/// Extends a hold.
pub async fn extend(world: &World, who: &Who, hold: &v1::Hold) -> Result<v1::Hold, Status> {
    let request = v1::ExtendHoldRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: hold.booking.clone(),
        slot: hold.slot.clone(),
        seat: hold.seat,
        epoch: hold.epoch,
        ..v1::ExtendHoldRequest::default()
    };
    let answer = world.booking().extend_hold(world.by(who, request)).await;
    answer.map(tonic::Response::into_inner)
}

/// Gives a hold up.
pub async fn release(world: &World, who: &Who, hold: &v1::Hold) -> Result<v1::Hold, Status> {
    let request = v1::ReleaseHoldRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        booking: hold.booking.clone(),
        slot: hold.slot.clone(),
        seat: hold.seat,
        epoch: hold.epoch,
        ..v1::ReleaseHoldRequest::default()
    };
    let answer = world.booking().release_hold(world.by(who, request)).await;
    answer.map(tonic::Response::into_inner)
}

/// How a person has kept appointments.
pub async fn standing(world: &World, person: &str) -> v1::Standing {
    let request = v1::GetStandingRequest {
        district: DISTRICT.to_owned(),
        applicant: person.to_owned(),
        after: String::new(),
    };
    let request = world.by(&LI_NA, request);
    let answer = world.booking().get_standing(request).await;
    answer.expect("a standing").into_inner()
}

/// The day as it is published.
pub async fn day(world: &World, site: &str, date: NaiveDate) -> Result<v1::Day, Status> {
    let request = v1::GetDayRequest {
        district: DISTRICT.to_owned(),
        site: site.to_owned(),
        date: date.to_string(),
        after: String::new(),
    };
    let request = world.by(&LI_NA, request);
    let answer = world.capacity().get_day(request).await;
    answer.map(tonic::Response::into_inner)
}

/// An exception of a day, of this kind.
pub fn exception(id: &str, date: NaiveDate, kind: ExceptionKind) -> Exception {
    Exception {
        id: id.to_owned(),
        site: SITE.to_owned(),
        date: date.to_string(),
        kind: kind.into(),
        reason: "停电检修".to_owned(),
        ..Exception::default()
    }
}

/// Puts an exception down, whatever appointments it touches.
pub async fn put_exception(world: &World, exception: Exception) -> v1::ExceptionChange {
    let request = v1::PutExceptionRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        exception: Some(exception),
        affects_bookings: true,
        ..v1::PutExceptionRequest::default()
    };
    let answer = patiently(is_broken_off, || async {
        let request = world.by(&ADMIN, request.clone());
        world.capacity().put_exception(request).await
    });
    answer.await.expect("an exception").into_inner()
}

/// The position of the last act that was written. It can be read when no older transaction of the server is running.
async fn last(world: &World) -> String {
    let sql = "SELECT tx, position FROM acts ORDER BY tx DESC, position DESC LIMIT 1";
    let store = &world.store;
    let row = store.row(Statement::from_string(store.backend, sql)).await;
    let row = row.expect("read").expect("an act");
    let number = |at| row.try_get_by_index(at).expect("a number");
    store.position(number(0), number(1)).to_string()
}

/// The acts of these kinds, from the first to the last there is, as another service reads them in the feed. Who is held up,
/// as by a transaction of any other test on the server, goes on where that was.
pub async fn feed(world: &World, types: &[&str]) -> Vec<(String, SchedulingAct)> {
    let peer = &world.served.peer;
    let mut feed = EventFeedClient::new(world.served.channel.clone());
    let (mut acts, mut from) = (Vec::new(), String::new());
    let began = Instant::now();
    // Whoever is at work meanwhile may write another.
    while from != last(world).await {
        assert!(began.elapsed() < PATIENCE, "no end behind {from:?}");
        let request = TailRequest {
            log: "scheduling".to_owned(),
            from: from.clone(),
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            until_caught_up: true,
        };
        let request = peer.request(&Caller::system("casework"), None, request);
        let answer = feed.tail(request.expect("a context")).await;
        let mut stream = answer.expect("a feed").into_inner();
        loop {
            let batch = match stream.message().await {
                Err(status) if refusal::reason(&status) == "FEED_HELD_UP" => break,
                told => told.expect("acts"),
            };
            let Some(batch) = batch else { break };
            from = batch.position;
            acts.extend(batch.acts.into_iter().map(|act| {
                let said = SchedulingAct::decode(act.payload.as_slice());
                (act.subject, said.expect("an act of scheduling"))
            }));
        }
    }
    acts
}

/// The slots of another group, a quarter of an hour later than those of the tests.
pub fn beside(capacity: u32) -> Template {
    let mut template = template(capacity, 0);
    template.id = "beside".to_owned();
    template.group = "licences".to_owned();
    for weekly in &mut template.weekly {
        let hours = weekly.hours.as_mut().expect("hours");
        (hours.from, hours.to) = ("09:15".to_owned(), "10:15".to_owned());
    }
    template
}

/// Puts a template down, whatever appointments it touches.
pub async fn put_template(world: &World, template: Template) {
    let request = v1::PutTemplateRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        template: Some(template),
        affects_bookings: true,
        ..v1::PutTemplateRequest::default()
    };
    let put = patiently(is_broken_off, || async {
        let request = world.by(&ADMIN, request.clone());
        world.capacity().put_template(request).await
    });
    put.await.expect("a template");
}

/// Closes a slot by hand, whatever appointments it touches.
pub async fn close(world: &World, slot: &str) {
    let request = v1::ChangeSlotRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        slot: slot.to_owned(),
        is_closed: true,
        reason: "窗口停用".to_owned(),
        affects_bookings: true,
        ..v1::ChangeSlotRequest::default()
    };
    let closed = patiently(is_broken_off, || async {
        let request = world.by(&ADMIN, request.clone());
        world.capacity().change_slot(request).await
    });
    closed.await.expect("closed");
}

/// Publishes days of a site; answers which.
pub async fn published(
    world: &World,
    site: &str,
    (from, to): (NaiveDate, NaiveDate),
) -> Vec<String> {
    let request = v1::PublishDaysRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        site: site.to_owned(),
        from: from.to_string(),
        to: to.to_string(),
        ..v1::PublishDaysRequest::default()
    };
    let published = patiently(is_broken_off, || async {
        let request = world.by(&ADMIN, request.clone());
        world.capacity().publish_days(request).await
    });
    published.await.expect("published").into_inner().days
}
