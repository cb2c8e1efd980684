//! What who has a link can do without a login: find another time, and move there (BB-9.2b).

use bangban_proto::bangban::scheduling::v1::{
    self as v1, ExceptionKind, LinkPurpose, LinkedBooking, SlotAvailability,
};
use chrono::NaiveDate;
use tonic::Status;

use super::{
    ask::{beside, exception, link, put_exception, put_template},
    world::{World, reason, slot, worlds},
};

async fn look(world: &World, link: &str) -> Result<LinkedBooking, Status> {
    let link = link.to_owned();
    let request = v1::GetLinkedBookingRequest { link };
    let answer = world.booking().get_linked_booking(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn move_to(world: &World, link: &str, to: &str) -> Result<LinkedBooking, Status> {
    let request = v1::MoveByLinkRequest {
        link: link.to_owned(),
        slot: to.to_owned(),
    };
    let answer = world.booking().move_by_link(request).await;
    answer.map(tonic::Response::into_inner)
}

/// The slots that are shown of a day.
fn of(shown: &LinkedBooking, date: NaiveDate) -> &[SlotAvailability] {
    let mut days = shown.days.iter();
    let day = days.find(|day| day.date == date.to_string());
    &day.expect("the day").slots
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_who_has_a_link_finds_another_time_by_it_moves_there_and_once_more() {
    for world in worlds("finds").await {
        world.without_cooling().await;
        put_template(&world, beside(1)).await;
        let date = world.published(1, 0).await;
        let next = world.working_day(2).await;
        world.publish(next).await;
        // The group of the appointment has the places 0, 2, 4 and 5, the one beside it 1 and 3.
        let booking = world.booked(&slot(date, 0)).await;
        world.booked(&slot(date, 2)).await;
        let moves = link(&world, &booking.id, LinkPurpose::Move).await;
        let shown = look(&world, &moves).await.expect("shown");
        assert_eq!(shown.other_times, None);
        assert_eq!(shown.days.len(), 2, "what is published: {:?}", shown.days);
        let free = |shown: &LinkedBooking, date| -> Vec<(String, u32)> {
            let slots = of(shown, date).iter();
            slots.map(|s| (s.slot.clone(), s.free)).collect()
        };
        let others = [(2, 0), (4, 1), (5, 1)].map(|(n, free)| (slot(date, n), free));
        assert_eq!(free(&shown, date), others, "without its own");

        let to = &of(&shown, next)[1];
        let moved = move_to(&world, &moves, &to.slot).await.expect("moved");
        assert_eq!((moved.starts_at, moved.ends_at), (to.starts_at, to.ends_at));
        assert_eq!(moved.next_link_expires_at, to.starts_at);
        assert_eq!(reason(look(&world, &moves).await), "LINK_USED");
        let again = move_to(&world, &moves, &slot(date, 4)).await;
        assert_eq!(reason(again), "LINK_USED");

        world.sweep().await;
        let shown = look(&world, &moved.next_link).await.expect("shown");
        assert_eq!(shown.starts_at, to.starts_at);
        let back = &of(&shown, date)[0];
        assert_eq!((back.slot.as_str(), back.free), (slot(date, 0).as_str(), 1));
        let moved = move_to(&world, &moved.next_link, &back.slot).await;
        assert_eq!(moved.expect("moved").starts_at, booking.starts_at);

        let cancels = link(&world, &booking.id, LinkPurpose::Cancel).await;
        let shown = look(&world, &cancels).await.expect("shown");
        assert_eq!((shown.days.len(), shown.next_link.as_str()), (0, ""));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_who_has_a_link_sees_the_other_times_that_the_site_offers_and_takes_one() {
    for world in worlds("takes").await {
        let date = world.published(1, 0).await;
        let next = world.working_day(2).await;
        world.publish(next).await;
        let booking = world.booked(&slot(date, 0)).await;
        put_exception(&world, exception("rest", date, ExceptionKind::Holiday)).await;
        world.sweep().await;
        let moves = link(&world, &booking.id, LinkPurpose::Move).await;
        let shown = look(&world, &moves).await.expect("shown");
        let offered = shown.other_times.clone().expect("other times");
        assert_eq!(offered.slots.len(), 4, "{offered:?}");
        assert!(of(&shown, date).is_empty(), "closed");
        let known = of(&shown, next);
        let to = known.iter().find(|s| s.slot == offered.slots[0]);
        let to = to.expect("shown with its time");
        assert_eq!(to.free, 1);
        let moved = move_to(&world, &moves, &to.slot).await.expect("moved");
        assert_eq!(moved.starts_at, to.starts_at);
        let shown = look(&world, &moved.next_link).await.expect("shown");
        assert_eq!(shown.other_times, None, "those were for the time before");
    }
}

async fn cancel(world: &World, link: &str) -> Result<LinkedBooking, Status> {
    let link = link.to_owned();
    let request = v1::CancelByLinkRequest { link };
    let answer = world.booking().cancel_by_link(request).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_who_lost_the_answer_to_a_link_has_it_by_the_same_request_again() {
    for world in worlds("lost_answer").await {
        let date = world.published(2, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        let moves = link(&world, &booking.id, LinkPurpose::Move).await;
        let to = slot(date, 1);
        let (one, two) = tokio::join!(move_to(&world, &moves, &to), move_to(&world, &moves, &to));
        let first = one.expect("moved");
        assert_eq!(two.expect("moved"), first, "sent twice at once");
        let again = move_to(&world, &moves, &to).await;
        assert_eq!(again.expect("repeated"), first);
        assert_eq!(world.get(&booking.id).await.sequence, 1, "moved once");
        assert_eq!(reason(look(&world, &moves).await), "LINK_USED");

        let back = move_to(&world, &first.next_link, &booking.slot).await;
        let back = back.expect("by the link that was lost");
        let again = move_to(&world, &moves, &to).await;
        assert_eq!(again.expect("repeated"), first);
        let late = move_to(&world, &first.next_link, &to).await;
        assert_eq!(reason(late), "LINK_USED");
        assert_eq!(world.get(&booking.id).await.sequence, 2);

        let cancels = link(&world, &booking.id, LinkPurpose::Cancel).await;
        let first = cancel(&world, &cancels).await.expect("cancelled");
        let again = cancel(&world, &cancels).await;
        assert_eq!(again.expect("repeated"), first);
        assert_eq!(world.get(&booking.id).await.sequence, 3, "cancelled once");
        let late = move_to(&world, &back.next_link, &to).await;
        assert_eq!(reason(late), "LINK_USED");
    }
}
