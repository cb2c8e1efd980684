//! A process goes by what it remembers of a slot, its district and its rules, as long as that is so: whoever has changed it,
//! the database's word is the last (BB-7.1.1, BB-9.2b).

use bangban_proto::bangban::scheduling::v1::BookingPolicy;
use chrono::NaiveDate;
use sea_orm::ConnectionTrait as _;

use super::{
    ask::release,
    world::{LI_NA, World, reason, slot, worlds},
};

/// A day of which every slot is remembered, because somebody has held a seat of it.
async fn remembered(world: &World) -> NaiveDate {
    world.without_cooling().await;
    let date = world.published(2, 0).await;
    for number in 0..4 {
        let hold = world.hold(&slot(date, number), &world.person(&[])).await;
        hold.expect("held");
    }
    date
}

/// What another process writes, of which this one hears nothing.
async fn written(world: &World, sql: &str) {
    let done = world.store.db.execute_unprepared(sql).await;
    assert!(done.expect("written").rows_affected() > 0, "{sql}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_slot_that_was_closed_elsewhere_gives_nothing_and_one_that_is_open_gives_its_seats()
 {
    for world in worlds("remembered_slots").await {
        let date = remembered(&world).await;
        let closed = slot(date, 1);
        let sql =
            format!("UPDATE slots SET is_closed = 1, version = version + 1 WHERE id = '{closed}'");
        written(&world, &sql).await;
        let person = world.person(&[]);
        assert_eq!(reason(world.hold(&closed, &person).await), "SLOT_CLOSED");
        world.booked(&slot(date, 2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_who_holds_a_remembered_slot_does_so_by_the_rules_of_today() {
    for world in worlds("remembered_rules").await {
        let date = remembered(&world).await;
        let person = world.person(&[]);
        let hold = world.hold(&slot(date, 0), &person).await.expect("held");
        assert_eq!(hold.extensions_left, 1);
        world
            .rules(BookingPolicy {
                extension_count: 3,
                ..BookingPolicy::default()
            })
            .await;
        let person = world.person(&[]);
        let hold = world.hold(&slot(date, 1), &person).await.expect("held");
        assert_eq!(hold.extensions_left, 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_seat_that_was_used_is_held_again_under_a_higher_epoch() {
    for world in worlds("remembered_seats").await {
        let date = remembered(&world).await;
        let person = world.person(&[]);
        let hold = world.hold(&slot(date, 0), &person).await.expect("held");
        release(&world, &LI_NA, &hold).await.expect("released");
        world.sweep().await;
        let again = world.hold(&slot(date, 0), &person).await.expect("held");
        assert_eq!(again.seat, hold.seat);
        assert!(
            again.epoch > hold.epoch,
            "{} after {}",
            again.epoch,
            hold.epoch
        );
        world.confirm(&again).await.expect("confirmed");
    }
}
