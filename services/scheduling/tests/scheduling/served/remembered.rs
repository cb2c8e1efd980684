//! A process that has booked for somebody goes by what it remembers of them, of the slot and of the rules, as long as that
//! is so: whoever has changed it, the database's word is the last (BB-7.1.1, BB-9.2b).

use bangban_proto::bangban::{
    directory::v1::Applicant,
    scheduling::v1::{self as v1, BookingPolicy},
};
use sea_orm::ConnectionTrait as _;

use super::{
    ask::release,
    world::{LI_NA, OTHER_ITEM, World, reason, slot, worlds},
};

/// One more item, so that the limit for one does not say first what is asked about.
const ITEMS: [&str; 2] = [super::world::ITEM, OTHER_ITEM];

/// Holds a slot for one of [`ITEMS`].
async fn holds(
    world: &World,
    slot: &str,
    person: &str,
    item: usize,
) -> Result<v1::Hold, tonic::Status> {
    let request = v1::HoldSlotRequest {
        item: ITEMS[item].to_owned(),
        ..World::holding(slot, person)
    };
    let answer = world.booking().hold_slot(world.by(&LI_NA, request)).await;
    answer.map(tonic::Response::into_inner)
}

/// What another process writes, of which this one hears nothing.
async fn written(world: &World, sql: &str) {
    let done = world.store.db.execute_unprepared(sql).await;
    assert!(done.expect("written").rows_affected() > 0, "{sql}");
}

/// A world with a day of three seats a slot, and somebody who has held one, whom it remembers.
async fn remembering(world: &World) -> (chrono::NaiveDate, String, v1::Hold) {
    world.without_cooling().await;
    let date = world.published(3, 0).await;
    // Of each slot and of the district, so that nothing else is wanting.
    for number in 0..4 {
        holds(world, &slot(date, number), &world.person(&[]), 0)
            .await
            .expect("held");
    }
    let person = world.person(&[]);
    let hold = holds(world, &slot(date, 0), &person, 0)
        .await
        .expect("held");
    (date, person, hold)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_who_is_remembered_may_have_what_the_database_says() {
    for world in worlds("remembered_limits").await {
        let (date, person, hold) = remembering(&world).await;
        let again = holds(&world, &slot(date, 1), &person, 0).await;
        assert_eq!(reason(again), "BOOKINGS_TOO_MANY");
        // Given up: memory has one too many, of which nobody is told.
        release(&world, &LI_NA, &hold).await.expect("released");
        holds(&world, &slot(date, 1), &person, 0)
            .await
            .expect("held");
        let other = holds(&world, &slot(date, 1), &person, 1).await;
        assert_eq!(reason(other), "BOOKINGS_OVERLAP");
        holds(&world, &slot(date, 2), &person, 1)
            .await
            .expect("held");
        let third = holds(&world, &slot(date, 3), &person, 1).await;
        assert_eq!(reason(third), "BOOKINGS_TOO_MANY");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_what_directory_says_anew_of_somebody_counts_for_who_is_remembered() {
    for world in worlds("remembered_people").await {
        let (date, person, _) = remembering(&world).await;
        let asked = world.directory.asked();
        holds(&world, &slot(date, 1), &person, 1)
            .await
            .expect("held");
        assert_eq!(world.directory.asked(), asked, "known");
        world.directory.know(Applicant {
            id: person.clone(),
            is_erased: true,
            ..Applicant::default()
        });
        let changed =
            format!("UPDATE persons SET is_known = 0, version = version + 1 WHERE id = '{person}'");
        written(&world, &changed).await;
        let erased = holds(&world, &slot(date, 2), &person, 1).await;
        assert_eq!(reason(erased), "APPLICANT_ERASED");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_remembered_slot_that_was_closed_gives_nothing() {
    for world in worlds("remembered_slots").await {
        let (date, person, _) = remembering(&world).await;
        let slot = slot(date, 1);
        let closed =
            format!("UPDATE slots SET is_closed = 1, version = version + 1 WHERE id = '{slot}'");
        written(&world, &closed).await;
        for who in [person, world.person(&[])] {
            assert_eq!(reason(holds(&world, &slot, &who, 1).await), "SLOT_CLOSED");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_who_is_remembered_books_by_the_rules_of_today() {
    for world in worlds("remembered_rules").await {
        let (date, person, _) = remembering(&world).await;
        world
            .rules(BookingPolicy {
                most_per_day: 1,
                ..BookingPolicy::default()
            })
            .await;
        let second = holds(&world, &slot(date, 1), &person, 1).await;
        assert_eq!(reason(second), "BOOKINGS_TOO_MANY");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_seat_that_was_used_is_held_by_who_is_remembered_under_a_higher_epoch() {
    for world in worlds("remembered_seats").await {
        let (date, person, hold) = remembering(&world).await;
        release(&world, &LI_NA, &hold).await.expect("released");
        world.sweep().await;
        let again = holds(&world, &slot(date, 0), &person, 0)
            .await
            .expect("held");
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
