//! What an older release has written, after an upgrade.

use bangban_proto::bangban::scheduling::v1::{Booking, BookingPolicy};
use bangban_scheduling::store::Migrator;
use bangban_store::{Store, query};
use prost::Message as _;
use sea_orm::{ConnectionTrait as _, Statement};

use super::world::{World, slot, worlds};

/// The row of a booking as it was before bookings said what is due next, and new rules were followed.
async fn is_of_before(world: &World, booking: &Booking) {
    let store = &world.store;
    let sql = "SELECT body FROM bookings WHERE id = $1";
    let values = [booking.id.clone().into()];
    let row = store.row(Statement::from_sql_and_values(store.backend, sql, values));
    let row = row.await.expect("read").expect("a row");
    let body: Option<Booking> = query::decode(&row, 0).expect("a booking");
    let mut body = body.expect("a body");
    assert!(body.next_due_at.take().is_some(), "{body:?}");
    let sql = "UPDATE bookings SET body = $1, ruled_by = 0 WHERE id = $2";
    let values = [body.encode_to_vec().into(), booking.id.clone().into()];
    let done = Statement::from_sql_and_values(store.backend, sql, values);
    let done = store.db.execute_raw(done).await.expect("written");
    assert_eq!(done.rows_affected(), 1);
    let sql = "DELETE FROM rule_changes";
    store.db.execute_unprepared(sql).await.expect("done");
}

/// The database is brought up to date by the release that lets bookings say it.
async fn upgraded(world: &World) {
    let sql = "DELETE FROM seaql_migrations WHERE version = 'm0004_unruled'";
    let done = world.store.db.execute_unprepared(sql).await.expect("done");
    assert_eq!(done.rows_affected(), 1);
    let opened = Store::open::<Migrator>("scheduling", &world.config).await;
    opened.expect("up to date");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_bookings_of_an_older_release_say_what_is_due_next_after_the_next_sweep() {
    for world in worlds("unruled").await {
        world.template(3, 0).await;
        let date = world.working_day(6).await;
        world.publish(date).await;
        // By the rules that hold where a district has put none down, then by its own.
        for number in 0..2 {
            let booking = world.booked(&slot(date, number)).await;
            world.sweep().await;
            is_of_before(&world, &booking).await;
            assert_eq!(world.sweep().await, 0, "nothing tells that it is old");
            upgraded(&world).await;
            assert_eq!(world.get(&booking.id).await.next_due_at, None);
            let counted = world.sweep().await;
            assert!(counted > 0, "counted anew");
            assert_eq!(world.get(&booking.id).await, booking, "and nothing else");
            assert_eq!(world.sweep().await, 0, "once");
            let policy = BookingPolicy {
                reminder_minutes: vec![2880, 60],
                ..BookingPolicy::default()
            };
            world.rules(policy).await;
        }
    }
}
