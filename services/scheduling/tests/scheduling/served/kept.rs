//! Services that start outside their slot are the institution's breach, and a rate (BB-9.2b).

use bangban_proto::bangban::scheduling::v1::BookingState;

use super::{
    ask::{check_in, rates, start},
    world::{at, slot, worlds},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_what_starts_before_its_slot_after_it_or_never_lowers_the_rate() {
    for world in worlds("rate").await {
        let date = world.published(5, 0).await;
        let mut bookings = Vec::new();
        for _ in 0..5 {
            bookings.push(world.booked(&slot(date, 0)).await.id);
        }
        let [early, in_time, late, never, absent] = &bookings[..] else {
            panic!("five are booked");
        };
        world.advance_to(at(date, 8, 50)).await;
        for there in [early, in_time, late, never] {
            check_in(&world, there).await.expect("there");
        }
        let breaches = start(&world, early).await.expect("started").breaches;
        assert_eq!(breaches.len(), 1, "before the slot");
        world.advance_to(at(date, 9, 5)).await;
        let started = start(&world, in_time).await.expect("started");
        assert_eq!(started.breaches, []);
        world.advance_to(at(date, 9, 30)).await;
        let breaches = start(&world, late).await.expect("started").breaches;
        assert_eq!(breaches.len(), 1, "after the slot");
        world.sweep().await;
        let waits = world.get(never).await;
        assert_eq!(waits.state(), BookingState::CheckedIn);
        assert_eq!(waits.breaches.len(), 1, "found unasked");
        assert_eq!(waits.breaches[0].subject, waits.site, "the site's");
        // Served at last: it stays the one breach that it is.
        let breaches = start(&world, never).await.expect("started").breaches;
        assert_eq!(breaches.len(), 1);
        assert_eq!(world.get(absent).await.state(), BookingState::NoShow);
        let rates = rates(&world, date).await;
        assert_eq!((rates.started_count, rates.on_time_count), (4, 1));
        assert_eq!(rates.no_show_count, 1, "nobody's breach");
        assert!((rates.on_time_rate - 0.25).abs() < f64::EPSILON);
    }
}
