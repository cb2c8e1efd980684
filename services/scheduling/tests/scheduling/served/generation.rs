//! Who speaks to a gate of another generation lifts nothing (docs/decisions/0009-the-gate.md).

use std::time::{Duration, Instant};

use bangban_proto::bangban::scheduling::v1::Hold;
use bangban_rig::Server;
use bangban_scheduling::store::capacity;
use chrono::NaiveDate;

use super::{
    ask::{day, release},
    double::Directory,
    patience::until,
    world::{LI_NA, SITE, World, at, database, reason, slot, worlds, written},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_reservation_is_lifted_only_under_the_generation_in_which_the_gate_was_told() {
    for world in worlds("generation").await {
        let date = world.published(1, 1).await;
        let slots = day(&world, SITE, date).await.expect("a day").slots;
        assert_eq!(slots[0].reserved, 1);
        let until = slots[0].reserved_until.as_ref().expect("an end").seconds;
        assert_eq!(until, at(date, 8, 0).timestamp(), "says until when");
        // Another process has found another Redis: what is told to the gate of this one, nobody else hears.
        let own = capacity::generation(&world.store).await.expect("a number");
        let others = capacity::replace_generation(&world.store, own, own + 1).await;
        assert_eq!(others.expect("replaced"), own + 1);
        world.advance_to(at(date, 8, 1)).await;
        let before = written(&world).await;
        assert_eq!(world.sweep().await, 0);
        assert_eq!(written(&world).await, before, "nothing half done");
        let slots = day(&world, SITE, date).await.expect("a day").slots;
        assert_eq!(slots[0].reserved, 1);
        // Believed again, it lifts.
        let again = capacity::replace_generation(&world.store, own + 1, own).await;
        assert_eq!(again.expect("replaced"), own);
        world.sweep().await;
        let slots = day(&world, SITE, date).await.expect("a day").slots;
        assert_eq!((slots[0].reserved, slots[0].reserved_until), (0, None));
        assert_eq!(slots[1].reserved, 1, "not due yet");
        world.booked(&slot(date, 0)).await;
        let late = world.person(&[]);
        assert_eq!(reason(world.hold(&slot(date, 1), &late).await), "SLOT_FULL");
    }
}

/// A hold of the day's last slot, as soon as Redis is found.
async fn held(world: &World, date: NaiveDate) -> Hold {
    let person = world.person(&[]);
    let mut held = None;
    until("no seat is given", async || {
        held = world.hold(&slot(date, 3), &person).await.ok();
        if held.is_none() {
            world.reads_anew(date).await;
        }
        held.is_some()
    })
    .await;
    held.expect("held")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_process_whose_redis_is_no_longer_believed_lifts_none_until_it_is_again() {
    for url in [Some("sqlite".to_owned()), database("unbelieved").await] {
        let Some(url) = url else { continue };
        let redis = Server::start(&[]);
        let world = World::open_as(url, redis.url(), Directory::default()).await;
        world.without_cooling().await;
        let date = world.published(2, 1).await;
        // Seats come back: it is believed, and has been for long enough to free something.
        let hold = held(&world, date).await;
        release(&world, &LI_NA, &hold).await.expect("released");
        until("no seat comes back", async || {
            world.sweep().await;
            let is_back = world.free(date).await[3] == (1, 1);
            if !is_back {
                world.reads_anew(date).await;
            }
            is_back
        })
        .await;
        world.advance_to(at(date, 8, 1)).await;
        let before = written(&world).await;
        let believed = capacity::generation(&world.store).await.expect("a number");
        let other = believed + 1;
        let began = Instant::now();
        let replaced = capacity::replace_generation(&world.store, believed, other).await;
        assert_eq!(replaced.expect("replaced"), other);
        world.sweep().await;
        // A second later it may be believed again.
        let is_unchanged = written(&world).await == before;
        let is_late = began.elapsed() > Duration::from_secs(1);
        assert!(is_unchanged || is_late, "lifted in a Redis of old");
        until("the reservation stays", async || {
            world.sweep().await;
            let slots = day(&world, SITE, date).await.expect("a day").slots;
            slots[0].reserved == 0
        })
        .await;
        let now = capacity::generation(&world.store).await.expect("a number");
        assert!(now != believed && now != other, "admitted anew");
    }
}
