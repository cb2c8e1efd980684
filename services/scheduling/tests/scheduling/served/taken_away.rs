//! Whose time the site takes away owes nothing for it: what becomes of it is the institution's (BB-9.2b).

use bangban_proto::bangban::scheduling::v1::{
    self as v1, Booking, BookingPolicy, BookingState, CancelReason, ExceptionKind, LinkPurpose,
};

use super::{
    ask::{cancel, exception, link, put_exception, rates, standing},
    world::{World, at, slot, worlds},
};

/// Nothing stands against who booked it.
async fn is_spared(world: &World, booking: &Booking) {
    let standing = standing(world, &booking.applicant).await;
    assert_eq!(standing.marks, [], "{booking:?}");
    assert_eq!((standing.warned_at, standing.rests_until), (None, None));
}

/// It has ended as the site's breach.
async fn is_broken(world: &World, booking: &Booking) {
    let ended = world.get(&booking.id).await;
    assert_eq!(ended.state(), BookingState::Cancelled, "{ended:?}");
    assert_eq!(ended.cancel_reason(), CancelReason::Site);
    assert!(!ended.is_late_cancellation && ended.no_show_at.is_none());
    let [breach] = &ended.breaches[..] else {
        panic!("one breach: {ended:?}");
    };
    assert_eq!(
        (&breach.subject, breach.requirement.as_str()),
        (&ended.site, "BB-9.2b")
    );
    assert_eq!(ended.other_times.len(), 1, "told before: {ended:?}");
    is_spared(world, &ended).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_whose_time_is_taken_away_neither_misses_it_nor_gives_it_up_too_late() {
    for world in worlds("taken_away").await {
        let strict = BookingPolicy {
            most_cancellations: 1,
            ..BookingPolicy::default()
        };
        world.rules(strict).await;
        let date = world.published(4, 0).await;
        world.publish(world.working_day(2).await).await;
        let mut booked = Vec::new();
        for _ in 0..4 {
            booked.push(world.booked(&slot(date, 0)).await);
        }
        let [waits, at_once, by_link, late] = &booked[..] else {
            panic!("four are booked");
        };
        // So late that it counts.
        world.advance_to(at(date, 8, 50)).await;
        cancel(&world, &late.id).await.expect("cancelled");
        assert_eq!(standing(&world, &late.applicant).await.marks.len(), 1);

        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        world.advance_to(at(date, 8, 51)).await;
        // Before the sweep has told anybody, and behind it.
        let given_up = cancel(&world, &at_once.id).await.expect("cancelled");
        assert!(!given_up.is_late_cancellation, "{given_up:?}");
        is_spared(&world, at_once).await;
        world.sweep().await;
        let request = v1::CancelByLinkRequest {
            link: link(&world, &by_link.id, LinkPurpose::Cancel).await,
        };
        let answer = world.booking().cancel_by_link(request).await;
        answer.expect("cancelled");
        let given_up = world.get(&by_link.id).await;
        assert_eq!(given_up.cancel_reason(), CancelReason::Applicant);
        assert!(!given_up.is_late_cancellation, "{given_up:?}");
        is_spared(&world, by_link).await;

        world.advance_to(at(date, 9, 30)).await;
        world.sweep().await;
        is_broken(&world, waits).await;
        let rates = rates(&world, date).await;
        assert_eq!((rates.started_count, rates.on_time_count), (1, 0));
        assert_eq!((rates.no_show_count, rates.cancelled_count), (0, 3));
        assert!(
            rates.on_time_rate.abs() < f64::EPSILON,
            "not kept: {rates:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_whose_time_is_taken_away_misses_nothing_while_the_service_is_away() {
    for world in worlds("taken_away_later").await {
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        world.advance_to(at(date, 8, 50)).await;
        let rest = exception("rest", date, ExceptionKind::Holiday);
        put_exception(&world, rest).await;
        // Nothing is looked after until the time is over.
        world.advance_to(at(date, 10, 0)).await;
        world.sweep().await;
        is_broken(&world, &booking).await;
        assert_eq!(rates(&world, date).await.no_show_count, 0);
    }
}
