//! A process goes by what it remembers of a slot, its district, its rules and a person, as long as that is so: whoever has
//! changed it, the database's word is the last (BB-7.1.1, BB-9.2b).

use bangban_net::client::Channel;
use bangban_proto::bangban::{
    directory::v1::{Applicant, ItemWithdrawn, directory_act::Act as Said},
    scheduling::v1::{self as v1, BookingPolicy, booking_service_client::BookingServiceClient},
};
use bangban_rig::Server;
use chrono::NaiveDate;
use sea_orm::ConnectionTrait as _;
use tonic::Status;

use super::{
    ask::release,
    double::Directory,
    learned,
    patience::{is_not_now, patiently, until},
    server::Served,
    world::{ITEM, LI_NA, OTHER_ITEM, World, database, numbers, reason, slot, worlds},
};

/// A day of which every slot is remembered, because somebody has held a seat of it, and nothing has changed since.
async fn remembered(world: &World) -> NaiveDate {
    world.without_cooling().await;
    let date = world.published(3, 0).await;
    world.rpc.doors_look().await;
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

/// Holds a slot through a process.
async fn holds(
    (world, process): (&World, &Channel),
    slot: &str,
    (person, item): (&str, &str),
) -> Result<v1::Hold, Status> {
    let request = v1::HoldSlotRequest {
        item: item.to_owned(),
        ..World::holding(slot, person)
    };
    let mut client = BookingServiceClient::new(process.clone());
    let answer = client.hold_slot(world.by(&LI_NA, request)).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_who_is_remembered_may_have_what_the_database_says() {
    for world in worlds("remembered_limits").await {
        let date = remembered(&world).await;
        let person = world.person(&[]);
        let here = (&world, &world.served.channel);
        let first = holds(here, &slot(date, 0), (&person, ITEM)).await;
        let first = first.expect("held");
        let second = holds(here, &slot(date, 1), (&person, ITEM)).await;
        assert_eq!(reason(second), "BOOKINGS_TOO_MANY");
        // Given up: memory has one too many, of which nobody is told.
        release(&world, &LI_NA, &first).await.expect("released");
        let second = holds(here, &slot(date, 1), (&person, ITEM)).await;
        second.expect("held");
        let beside = holds(here, &slot(date, 1), (&person, OTHER_ITEM)).await;
        assert_eq!(reason(beside), "BOOKINGS_OVERLAP");
        let third = holds(here, &slot(date, 2), (&person, OTHER_ITEM)).await;
        third.expect("held");
        let fourth = holds(here, &slot(date, 3), (&person, OTHER_ITEM)).await;
        assert_eq!(reason(fourth), "BOOKINGS_TOO_MANY");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_what_somebody_has_through_another_process_counts() {
    for world in worlds("remembered_elsewhere").await {
        let rules = BookingPolicy {
            most_per_item: 5,
            ..BookingPolicy::default()
        };
        world.rules(rules).await;
        let date = world.published(3, 0).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        let (here, there) = ((&world, &world.served.channel), (&world, &other.channel));
        let stranger = world.person(&[]);
        let hold = holds(here, &slot(date, 3), (&stranger, ITEM)).await;
        hold.expect("held");
        let person = world.person(&[]);
        for (process, number) in [(here, 0), (there, 1)] {
            let hold = holds(process, &slot(date, number), (&person, ITEM)).await;
            hold.expect("held");
        }
        let third = holds(here, &slot(date, 3), (&person, ITEM)).await;
        assert_eq!(reason(third), "BOOKINGS_TOO_MANY");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_what_directory_says_anew_counts_for_who_is_remembered() {
    for world in worlds("remembered_people").await {
        let date = remembered(&world).await;
        let person = world.person(&[]);
        let here = (&world, &world.served.channel);
        let first = holds(here, &slot(date, 0), (&person, ITEM)).await;
        first.expect("held");
        world.directory.know(Applicant {
            id: person.clone(),
            is_erased: true,
            ..Applicant::default()
        });
        let sql =
            format!("UPDATE persons SET is_known = 0, version = version + 1 WHERE id = '{person}'");
        written(&world, &sql).await;
        let second = holds(here, &slot(date, 1), (&person, OTHER_ITEM)).await;
        assert_eq!(reason(second), "APPLICANT_ERASED");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_slot_that_was_closed_elsewhere_gives_nothing_and_one_that_is_open_gives_its_seats()
 {
    for world in worlds("remembered_slots").await {
        let date = remembered(&world).await;
        let here = (&world, &world.served.channel);
        // By a process that has heard that something has changed, and by one that has not.
        for (number, has_heard) in [(1, false), (3, true)] {
            let closed = slot(date, number);
            let sql = format!(
                "UPDATE slots SET is_closed = 1, version = version + 1 WHERE id = '{closed}'"
            );
            written(&world, &sql).await;
            // Every change of capacity counts, whoever makes it.
            written(&world, "UPDATE gate SET revision = revision + 1").await;
            if has_heard {
                world.rpc.doors_look().await;
            }
            // One who is not remembered, and one who is.
            let (person, known) = (world.person(&[]), world.person(&[]));
            let hold = holds(here, &slot(date, 2), (&known, ITEM)).await;
            hold.expect("held");
            for somebody in [(&*person, ITEM), (&known, OTHER_ITEM)] {
                assert_eq!(reason(holds(here, &closed, somebody).await), "SLOT_CLOSED");
            }
        }
        world.booked(&slot(date, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_2_an_item_that_directory_withdraws_is_remembered_no_more() {
    for world in learned::worlds("remembered_items").await {
        let date = remembered(&world).await;
        let here = (&world, &world.served.channel);
        let (person, known) = (world.person(&[]), world.person(&[]));
        let hold = holds(here, &slot(date, 2), (&known, ITEM)).await;
        hold.expect("held");
        let withdrawn = ItemWithdrawn {
            code: OTHER_ITEM.to_owned(),
            version: 1,
            from: world.now().await.date_naive().to_string(),
            reason: "已取消".to_owned(),
        };
        let learned = async || {
            let sql = "SELECT CAST(SUM(revision) AS bigint) FROM learned";
            numbers(&world, sql.to_owned(), 1).await
        };
        let before = learned().await;
        let works = world.served.works();
        learned::says(&world, vec![Said::ItemWithdrawn(withdrawn)]).await;
        until("it is heard of", async || learned().await > before).await;
        for somebody in [&person, &known] {
            let hold = holds(here, &slot(date, 3), (somebody, OTHER_ITEM)).await;
            assert_eq!(reason(hold), "ITEM_NOT_PUBLISHED");
        }
        works.cancel();
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

/// The answer to a request by a process whose gate may not have been admitted yet, or not be heard in time.
async fn answered(world: &World, process: &Channel, request: &v1::HoldSlotRequest) -> v1::Hold {
    let answer = patiently(is_not_now, || async {
        let mut client = BookingServiceClient::new(process.clone());
        client.hold_slot(world.by(&LI_NA, request.clone())).await
    });
    answer.await.expect("held").into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_hold_that_is_asked_for_again_through_another_process_is_the_same() {
    let postgres = database("remembered_again").await;
    for url in [Some("sqlite".to_owned()), postgres].into_iter().flatten() {
        let redis = Server::start(&[]);
        let world = World::open_as(url, redis.url(), Directory::default()).await;
        let other = Served::start(&world.config, world.directory.clone()).await;
        let date = world.published(3, 0).await;
        let stranger = World::holding(&slot(date, 0), &world.person(&[]));
        // By which the other remembers the slot.
        answered(&world, &other.channel, &stranger).await;
        let request = World::holding(&slot(date, 0), &world.person(&[]));
        let first = answered(&world, &world.served.channel, &request).await;
        let again = answered(&world, &other.channel, &request).await;
        assert_eq!(again, first, "the same");
    }
}
