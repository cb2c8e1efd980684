//! What the database did: triggers that the tests add write down every change of a seat, and of a place in the waiting
//! list, with the time at which it was made.

use std::collections::{BTreeMap, HashMap};

use bangban_store::Store;
use sea_orm::{ConnectionTrait as _, Statement};

/// States of a seat, as rows have them.
pub const HELD: i32 = 1;
pub const CONFIRMED: i32 = 2;
pub const COOLING: i32 = 3;
pub const FREE: i32 = 4;

/// A row of a seat as a transaction wrote it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    pub slot: String,
    pub seat: u32,
    pub version: i64,
    pub state: i32,
    pub booking: String,
    pub applicant: String,
    pub waiting: String,
    pub starts_us: i64,
    pub ends_us: i64,
    pub due_us: i64,
    /// The transaction, and when the row was written in it: before its commit.
    pub tx: i64,
    pub at: i64,
}

/// A row of the waiting list as a transaction wrote it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Place {
    pub id: String,
    pub state: i32,
    pub applicant: String,
    /// Its place among all changes, of seats as well.
    pub order: i64,
}

/// An appointment as it is in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub state: i32,
    /// The seat's name: `SLOT/NUMBER`.
    pub seat: String,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// In the order in which they were written: of one seat, the order of commits.
    pub changes: Vec<Change>,
    pub places: Vec<Place>,
    /// By id.
    pub bookings: HashMap<String, Kept>,
    /// The order of each change among all.
    pub orders: Vec<i64>,
}

const RECORDER: &str = "
CREATE SEQUENCE history_order;
CREATE TABLE seat_history (n bigint PRIMARY KEY, id text, version bigint, state int, booking text, applicant text,
    waiting text, starts_us bigint, ends_us bigint, due_us bigint, tx bigint, at_us bigint);
CREATE TABLE waiting_history (n bigint PRIMARY KEY, id text, state int, applicant text);
CREATE FUNCTION record_seat() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO seat_history VALUES (nextval('history_order'), NEW.id, NEW.version, NEW.state, NEW.booking,
        NEW.applicant, NEW.waiting, NEW.starts_us, NEW.ends_us, COALESCE(NEW.free_us, NEW.due_us, 0), txid_current(),
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    RETURN NULL; END $$;
CREATE FUNCTION record_waiting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO waiting_history VALUES (nextval('history_order'), NEW.id, NEW.state, NEW.applicant);
    RETURN NULL; END $$;
CREATE TRIGGER record AFTER INSERT OR UPDATE ON seats FOR EACH ROW EXECUTE FUNCTION record_seat();
CREATE TRIGGER record AFTER INSERT OR UPDATE ON waiting FOR EACH ROW EXECUTE FUNCTION record_waiting();
";

/// From now on all changes are written down.
pub async fn record(store: &Store) {
    let added = store.db.execute_unprepared(RECORDER).await;
    added.expect("triggers");
}

async fn rows(store: &Store, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(store.backend, sql);
    store.db.query_all_raw(statement).await.expect("rows")
}

/// Splits the name of a seat.
pub fn seat(name: &str) -> (String, u32) {
    let (slot, seat) = name.split_once('/').expect("a seat's name");
    (slot.to_owned(), seat.parse().expect("a number"))
}

impl Truth {
    pub async fn read(store: &Store) -> Self {
        let mut truth = Self::default();
        let sql = "SELECT id, version, state, booking, applicant, waiting, starts_us, ends_us, due_us, tx, at_us, n \
                   FROM seat_history ORDER BY n";
        for row in rows(store, sql).await {
            let long = |n: usize| row.try_get_by_index::<i64>(n).expect("a number");
            let text = |n: usize| row.try_get_by_index::<String>(n).expect("a text");
            let (slot, seat) = seat(&text(0));
            truth.changes.push(Change {
                slot,
                seat,
                version: long(1),
                state: row.try_get_by_index(2).expect("a state"),
                booking: text(3),
                applicant: text(4),
                waiting: text(5),
                starts_us: long(6),
                ends_us: long(7),
                due_us: long(8),
                tx: long(9),
                at: long(10),
            });
            truth.orders.push(long(11));
        }
        let sql = "SELECT id, state, applicant, n FROM waiting_history ORDER BY n";
        for row in rows(store, sql).await {
            truth.places.push(Place {
                id: row.try_get_by_index(0).expect("an id"),
                state: row.try_get_by_index(1).expect("a state"),
                applicant: row.try_get_by_index(2).expect("an applicant"),
                order: row.try_get_by_index(3).expect("an order"),
            });
        }
        for row in rows(store, "SELECT id, state, seat_id FROM bookings").await {
            let kept = Kept {
                state: row.try_get_by_index(1).expect("a state"),
                seat: row.try_get_by_index(2).expect("a seat"),
            };
            let id = row.try_get_by_index(0).expect("an id");
            truth.bookings.insert(id, kept);
        }
        truth
    }

    /// The last change of each seat, by slot and number.
    pub fn last(&self) -> BTreeMap<(&str, u32), &Change> {
        let last = self.changes.iter();
        last.map(|c| ((c.slot.as_str(), c.seat), c)).collect()
    }

    /// Changes of each seat, in order.
    pub fn by_seat(&self) -> BTreeMap<(&str, u32), Vec<&Change>> {
        let mut seats: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for change in &self.changes {
            let seat = (change.slot.as_str(), change.seat);
            seats.entry(seat).or_default().push(change);
        }
        seats
    }
}

/// How many seats of a slot were free from when on.
#[derive(Debug, Default)]
pub struct Timeline(Vec<(i64, u32)>);

impl Timeline {
    /// Of the slot's seats from `first` on.
    ///
    /// A seat counts as taken from when its row was written on, which is before anybody else can know, and as free from
    /// when the row that frees it was written on, which is before anybody can have it: whoever says "full" must not rely
    /// on a seat whose release has begun.
    pub fn new(truth: &Truth, slot: &str, first: u32, capacity: u32) -> Self {
        let mut free = capacity - first;
        let mut line = vec![(i64::MIN, free)];
        let mut is_taken = vec![false; capacity as usize];
        let changes = truth.changes.iter();
        let mut changes: Vec<_> = changes
            .filter(|c| c.slot == slot && (first..capacity).contains(&c.seat))
            .collect();
        changes.sort_by_key(|c| c.at);
        for change in changes {
            let was = &mut is_taken[change.seat as usize];
            let is = change.state != FREE;
            if is != *was {
                free = if is { free - 1 } else { free + 1 };
                *was = is;
                line.push((change.at, free));
            }
        }
        Self(line)
    }

    /// Whether there was a moment without a free seat between the two.
    pub fn was_full(&self, from: i64, to: i64) -> bool {
        let first = self.0.partition_point(|(at, _)| *at <= from);
        let within = &self.0[first.saturating_sub(1)..];
        let mut within = within.iter().take_while(|(at, _)| *at <= to);
        within.any(|(_, free)| *free == 0)
    }
}
