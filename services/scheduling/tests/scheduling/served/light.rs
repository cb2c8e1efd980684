//! What is written most touches no index of PostgreSQL: no index names what a confirmation changes.

use bangban_scheduling::store::capacity;
use sea_orm::Statement;

use super::world::{DISTRICT, slot, worlds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_hold_becomes_an_appointment_beside_its_old_row() {
    for world in worlds("light").await {
        let store = &world.store;
        if !store.is_postgres() {
            continue;
        }
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        let day = slot(date, 0);
        let (day, _) = day.rsplit_once('.').expect("a day");
        let seats = capacity::seats(store, DISTRICT, &day.parse().expect("a day")).await;
        let seats = seats.expect("read");
        assert_eq!(seats[0].booking, booking.id);
        let sql = "SELECT string_agg(indexdef, ';') FROM pg_indexes \
                   WHERE schemaname = current_schema() AND tablename = 'seats'";
        let row = store.row(Statement::from_string(store.backend, sql)).await;
        let row = row.expect("read").expect("a row");
        let indices: String = row.try_get_by_index(0).expect("indices");
        assert!(indices.contains("hold_key"), "{indices}");
        for (name, _) in seats[0].confirmed().columns {
            assert!(!indices.contains(name), "{name}: {indices}");
        }
    }
}
