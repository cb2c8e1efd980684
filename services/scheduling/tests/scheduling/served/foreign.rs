//! What lies outside the region of who calls does not exist for them (BB-1): nothing of it is done, and nothing is written.

use bangban_proto::bangban::{
    scheduling::v1::{self, CancelReason, LinkPurpose},
    types::v1::Channel,
};
use tonic::Status;

use super::{
    ask::{cancel, check_in, id, joined},
    world::{
        CHEN_JUN, DISTRICT, ELSEWHERE, GROUP, ITEM, LI_NA, World, at, reason, slot, worlds, written,
    },
};

/// What somebody of another region hears who asks these.
macro_rules! asked {
    ($world:ident, $client:ident: $($method:ident($request:ident)),+) => {
        vec![$({
            let answer = $client.$method($world.by(&CHEN_JUN, $request)).await;
            (stringify!($method), answer.map(drop).expect_err(concat!(stringify!($method), " is refused")))
        }),+]
    };
}

/// Everything that can be done to an appointment.
async fn with_booking(world: &World, booking: &str, to: &str) -> Vec<(&'static str, Status)> {
    let (district, booking) = (DISTRICT.to_owned(), booking.to_owned());
    let get = v1::GetBookingRequest {
        district: district.clone(),
        booking: booking.clone(),
        ..v1::GetBookingRequest::default()
    };
    let entry = v1::GetCalendarEntryRequest {
        district: district.clone(),
        booking: booking.clone(),
        ..v1::GetCalendarEntryRequest::default()
    };
    let cancel = v1::CancelBookingRequest {
        district: district.clone(),
        request_id: id(),
        booking: booking.clone(),
        reason: CancelReason::Applicant.into(),
        ..v1::CancelBookingRequest::default()
    };
    let moves = v1::MoveBookingRequest {
        district: district.clone(),
        request_id: id(),
        booking: booking.clone(),
        slot: to.to_owned(),
        ..v1::MoveBookingRequest::default()
    };
    let check_in = v1::CheckInRequest {
        district: district.clone(),
        request_id: id(),
        booking: booking.clone(),
        channel: Channel::Window.into(),
        ..v1::CheckInRequest::default()
    };
    let start = v1::StartServiceRequest {
        district: district.clone(),
        request_id: id(),
        booking: booking.clone(),
        ..v1::StartServiceRequest::default()
    };
    let complete = v1::CompleteServiceRequest {
        district: district.clone(),
        request_id: id(),
        booking: booking.clone(),
        ..v1::CompleteServiceRequest::default()
    };
    let link = v1::CreateLinkRequest {
        district,
        request_id: id(),
        booking,
        purpose: LinkPurpose::Cancel.into(),
        ..v1::CreateLinkRequest::default()
    };
    let mut client = world.booking();
    asked! {
        world, client:
        get_booking(get), get_calendar_entry(entry), cancel_booking(cancel), move_booking(moves),
        check_in(check_in), start_service(start), complete_service(complete), create_link(link)
    }
}

/// Everything that can be done to a place in the waiting list.
async fn with_place(world: &World, place: &str) -> Vec<(&'static str, Status)> {
    let (district, waiting) = (DISTRICT.to_owned(), place.to_owned());
    let get = v1::GetWaitingRequest {
        district: district.clone(),
        waiting: waiting.clone(),
        ..v1::GetWaitingRequest::default()
    };
    let accept = v1::AcceptOfferRequest {
        district: district.clone(),
        request_id: id(),
        waiting: waiting.clone(),
        ..v1::AcceptOfferRequest::default()
    };
    let decline = v1::DeclineOfferRequest {
        district: district.clone(),
        request_id: id(),
        waiting: waiting.clone(),
        ..v1::DeclineOfferRequest::default()
    };
    let leave = v1::LeaveWaitingListRequest {
        district,
        request_id: id(),
        waiting,
        ..v1::LeaveWaitingListRequest::default()
    };
    let mut client = world.booking();
    asked! {
        world, client:
        get_waiting(get), accept_offer(accept), decline_offer(decline), leave_waiting_list(leave)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_1_nobody_touches_an_appointment_or_a_place_of_another_region() {
    for world in worlds("of_another_region").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let given_up = world.booked(&slot(date, 0)).await;
        let kept = world.booked(&slot(date, 1)).await;
        let place = joined(&world, &world.person(&[]), &date.to_string()).await;
        cancel(&world, &given_up.id).await.expect("cancelled");
        // Offered by now; and the appointment may be begun.
        world.sweep().await;
        world.advance_to(at(date, 9, 31)).await;
        let before = written(&world).await;
        for (what, refused) in with_booking(&world, &kept.id, &slot(date, 2)).await {
            assert_eq!(reason::<()>(Err(refused)), "BOOKING_UNKNOWN", "{what}");
        }
        for (what, refused) in with_place(&world, &place.id).await {
            assert_eq!(reason::<()>(Err(refused)), "WAITING_UNKNOWN", "{what}");
        }
        assert_eq!(written(&world).await, before);
        // The same by who serves there.
        check_in(&world, &kept.id).await.expect("checked in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_1_a_site_that_is_not_there_has_no_waiting_list() {
    for world in worlds("no_site").await {
        let date = world.published(1, 0).await;
        let before = written(&world).await;
        for site in ["nowhere", ELSEWHERE] {
            let request = v1::JoinWaitingListRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                site: site.to_owned(),
                group: GROUP.to_owned(),
                item: ITEM.to_owned(),
                applicant: world.person(&[]),
                from: date.to_string(),
                to: date.to_string(),
                channel: Channel::Phone.into(),
                ..v1::JoinWaitingListRequest::default()
            };
            let joined = world
                .booking()
                .join_waiting_list(world.by(&LI_NA, request))
                .await;
            if site == ELSEWHERE {
                joined.expect("a site of the district");
            } else {
                assert_eq!(reason(joined), "SITE_UNKNOWN");
                assert_eq!(written(&world).await, before);
            }
        }
    }
}
