//! The waiting list, links, and capacity that changes under appointments (BB-7.1.1, BB-9.2b).

use bangban_proto::bangban::{
    scheduling::v1::{
        self as v1, BookingState, CancelReason, Exception, ExceptionKind, LinkPurpose, WaitingState,
    },
    types::v1::SpecialGroup,
};

use super::{
    ask::{id, joined, link, seen},
    world::{ADMIN, DISTRICT, LI_NA, SITE, changed, reason, slot, template, worlds},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_freed_seat_is_offered_to_the_first_alone_special_groups_before_others() {
    for world in worlds("waiting").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let day = date.to_string();
        let given_up = world.booked(&slot(date, 0)).await;
        let early = joined(&world, &world.person(&[]), &day).await;
        let elderly = joined(&world, &world.person(&[SpecialGroup::Elderly]), &day).await;
        assert_eq!(seen(&world, &early.id).await.ahead_count, 1);
        let request = v1::CancelBookingRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            booking: given_up.id.clone(),
            reason: CancelReason::Settled.into(),
            ..v1::CancelBookingRequest::default()
        };
        let done = world
            .booking()
            .cancel_booking(world.by(&LI_NA, request))
            .await;
        changed(done).expect("cancelled");
        world.sweep().await;
        let place = seen(&world, &elderly.id).await.waiting.expect("a place");
        assert_eq!(place.state(), WaitingState::Offered);
        let other = seen(&world, &early.id).await.waiting.expect("a place");
        assert_eq!(other.state(), WaitingState::Waiting);
        assert_eq!(world.free(date).await[0], (0, 0), "it is theirs alone");
        let late = world.person(&[]);
        assert_eq!(reason(world.hold(&slot(date, 0), &late).await), "SLOT_FULL");
        let accept = |waiting: &str| v1::AcceptOfferRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            waiting: waiting.to_owned(),
            ..v1::AcceptOfferRequest::default()
        };
        let theirs = world
            .booking()
            .accept_offer(world.by(&LI_NA, accept(&early.id)))
            .await;
        assert_eq!(reason(theirs), "OFFER_UNKNOWN");
        // Nobody accepts in time: the next has it.
        let now = world.now().await;
        world
            .advance_to(now + chrono::TimeDelta::seconds(1801))
            .await;
        world.sweep().await;
        let place = seen(&world, &elderly.id).await.waiting.expect("a place");
        assert_eq!(place.state(), WaitingState::Waiting);
        let accepted = world
            .booking()
            .accept_offer(world.by(&LI_NA, accept(&early.id)))
            .await;
        let booking = changed(accepted).expect("accepted");
        assert_eq!(
            (booking.slot, booking.waiting),
            (slot(date, 0), early.id.clone())
        );
        let place = seen(&world, &early.id).await.waiting.expect("a place");
        assert_eq!(place.state(), WaitingState::Booked);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_link_moves_or_cancels_once_and_a_forged_one_never() {
    for world in worlds("links").await {
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        let moves = link(&world, &booking.id, LinkPurpose::Move).await;
        let cancels = link(&world, &booking.id, LinkPurpose::Cancel).await;
        let to = |link: &str| v1::MoveByLinkRequest {
            link: link.to_owned(),
            slot: slot(date, 1),
        };
        let mut client = world.booking();
        assert_eq!(
            reason(client.move_by_link(to(&cancels)).await),
            "LINK_INVALID"
        );
        let mut forged = moves.clone();
        let at = forged.len() - 4..forged.len() - 3;
        let other = if &forged[at.clone()] == "A" { "B" } else { "A" };
        forged.replace_range(at, other);
        assert_eq!(
            reason(client.move_by_link(to(&forged)).await),
            "LINK_INVALID"
        );
        let moved = client
            .move_by_link(to(&moves))
            .await
            .expect("moved")
            .into_inner();
        assert!(moved.calendar.contains("SEQUENCE:1"), "{}", moved.calendar);
        let again = v1::MoveByLinkRequest {
            slot: slot(date, 2),
            ..to(&moves)
        };
        assert_eq!(reason(client.move_by_link(again).await), "LINK_USED");
        let cancel = v1::CancelByLinkRequest { link: cancels };
        assert_eq!(reason(client.cancel_by_link(cancel).await), "LINK_USED");
        let cancel = v1::CancelByLinkRequest {
            link: link(&world, &booking.id, LinkPurpose::Cancel).await,
        };
        let cancelled = client
            .cancel_by_link(cancel)
            .await
            .expect("cancelled")
            .into_inner();
        assert!(
            cancelled.calendar.contains("METHOD:CANCEL"),
            "{}",
            cancelled.calendar
        );
        assert_eq!(
            world.get(&booking.id).await.state(),
            BookingState::Cancelled
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_day_that_closes_strands_nobody() {
    for world in worlds("closing").await {
        let date = world.published(2, 0).await;
        let other = world.working_day(2).await;
        world.publish(other).await;
        let booking = world.booked(&slot(date, 0)).await;
        let closing = |affects_bookings| v1::PutExceptionRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            exception: Some(Exception {
                id: "stock-taking".to_owned(),
                site: SITE.to_owned(),
                date: date.to_string(),
                kind: ExceptionKind::Holiday.into(),
                reason: "停电检修".to_owned(),
                ..Exception::default()
            }),
            affects_bookings,
            ..v1::PutExceptionRequest::default()
        };
        let mut client = world.capacity();
        let put = client.put_exception(world.by(&ADMIN, closing(false))).await;
        assert_eq!(reason(put), "CHANGE_AFFECTS_BOOKINGS");
        assert_eq!(world.free(date).await[0], (1, 0), "nothing half done");
        let put = client.put_exception(world.by(&ADMIN, closing(true))).await;
        let put = put.expect("closed").into_inner();
        assert_eq!((put.affected.len(), put.affected[0].is_kept), (1, false));
        let late = world.person(&[]);
        assert_eq!(
            reason(world.hold(&slot(date, 1), &late).await),
            "SLOT_CLOSED"
        );
        world.sweep().await;
        let told = world.get(&booking.id).await;
        assert_eq!(told.state(), BookingState::Confirmed);
        assert!(!told.other_times[0].slots.is_empty(), "{told:?}");
        assert_eq!(world.sweep().await, 0, "told once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_more_seats_are_given_and_fewer_keep_who_has_one() {
    for world in worlds("seats").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        world.booked(&slot(date, 0)).await;
        world.template(2, 0).await;
        world.sweep().await;
        assert_eq!(world.free(date).await, [(1, 0), (2, 0), (2, 0), (2, 0)]);
        world.booked(&slot(date, 0)).await;
        let fewer = v1::PutTemplateRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            template: Some(template(1, 0)),
            affects_bookings: true,
            ..v1::PutTemplateRequest::default()
        };
        let done = world.capacity().put_template(world.by(&ADMIN, fewer)).await;
        assert_eq!(done.expect("put").into_inner().affected.len(), 1);
        assert_eq!(world.free(date).await[0], (0, 0));
        let mut overlaps = template(1, 0);
        overlaps.weekly.push(overlaps.weekly[0].clone());
        let overlaps = v1::PutTemplateRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            template: Some(overlaps),
            ..v1::PutTemplateRequest::default()
        };
        let refused = world
            .capacity()
            .put_template(world.by(&ADMIN, overlaps))
            .await;
        assert_eq!(reason(refused), "TEMPLATE_OVERLAPS");
    }
}
