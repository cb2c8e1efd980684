//! `booking_spread` and `booking_hot`: appointments that are confirmed in a second, from the hold on, by 64 clients that each
//! make one after the other; on 1,000 slots, or all on one until it is sold out. Beside them the five statements of
//! `reference.sql`, and the way most systems book (`row-lock-spread.sql`, `row-lock-hot.sql`), on the same server in turn.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use bangban::failure::Failure;
use bangban_proto::bangban::scheduling::v1::BookingPolicy;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};

use super::{
    clerk::{Clerk, EACH},
    desk::{Desk, days, hours},
    slots::{Slots, slot},
};
use crate::{
    agent::Agent,
    database::Database,
    figure::{Figure, Goal, median},
    note, reference,
    server::own,
    turn::turn,
};

/// Clients.
const CLIENTS: usize = 64;

/// Turns of each, alternating.
const ROUNDS: usize = 5;

/// Length of a turn.
const TURN: Duration = Duration::from_secs(10);

/// Length of the turns before, which do not count.
const WARM_UP: Duration = Duration::from_secs(5);

/// Appointments of each client for which there are people before the first turn; afterwards twice as many as the fastest
/// turn took.
const FIRST: usize = 900;

/// Slots of a day, of twenty minutes.
const OF_DAY: usize = 25;

/// Seats of each slot: the most that a slot can have.
const SEATS: u32 = 500;

/// Days of each of the districts among which 1,000 slots are spread.
const DAYS: usize = 5;

/// Districts of these.
const DISTRICTS: usize = 8;

/// Days of the one district whose slots everybody wants, one after the other.
const HOT_DAYS: usize = 20;

struct Kind {
    name: &'static str,
    row_lock: &'static str,
    script: &'static str,
    goal: f64,
}

/// Measures on 1,000 slots.
pub async fn measure_spread() -> Result<Vec<Figure>, Failure> {
    let kind = Kind {
        name: "booking_spread",
        row_lock: "booking_row_lock_spread",
        script: "row-lock-spread.sql",
        goal: 0.5,
    };
    let days = days(DAYS);
    let slots = Slots::Spread(days.clone(), OF_DAY);
    measure(&kind, DISTRICTS, &days, slots).await
}

/// Measures on one slot.
pub async fn measure_hot() -> Result<Vec<Figure>, Failure> {
    let kind = Kind {
        name: "booking_hot",
        row_lock: "booking_row_lock_hot",
        script: "row-lock-hot.sql",
        goal: 1.0 / 3.0,
    };
    let days = days(HOT_DAYS);
    // One day after the other, so that nobody has two appointments at a time.
    let numbers = 0..OF_DAY;
    let slots = numbers.flat_map(|number| days.iter().map(move |date| slot(*date, number)));
    let slots = Slots::Hot(slots.collect(), AtomicUsize::default());
    measure(&kind, 1, &days, slots).await
}

async fn measure(
    kind: &Kind,
    districts: usize,
    days: &[chrono::NaiveDate],
    slots: Slots,
) -> Result<Vec<Figure>, Failure> {
    let database = Database::create().await?;
    let measured = measure_in(&database, kind, districts, days, slots).await;
    database.drop().await?;
    measured
}

async fn measure_in(
    database: &Database,
    kind: &Kind,
    districts: usize,
    days: &[chrono::NaiveDate],
    slots: Slots,
) -> Result<Vec<Figure>, Failure> {
    let mut desk = Desk::open(database, districts, CLIENTS / districts).await?;
    for number in 0..districts {
        let district = format!("bench-{number}");
        let each = u32::try_from(EACH).unwrap_or_default();
        let policy = BookingPolicy {
            most_ahead: each,
            most_per_item: each,
            most_per_day: each,
            ..BookingPolicy::default()
        };
        desk.rules(&district, policy).await?;
        let hours = hours("17:00", 20, SEATS);
        desk.days(&district, days, &hours).await?;
    }
    let slots = Arc::new(slots);
    let agents: Vec<Agent> = desk.world.agents.drain(..).collect();
    let agents = agents.into_iter();
    let mut clerks: Vec<Clerk> = agents
        .map(|agent| Clerk::new(agent, slots.clone()))
        .collect();
    let url = &database.url;
    let connection = reference::prepare(url, include_str!("../../reference-tables.sql")).await?;
    reference::prepare(url, include_str!("../../row-lock-tables.sql")).await?;
    stock(&mut clerks, FIRST).await?;
    reference::statements(url, CLIENTS, WARM_UP).await?;
    reference::pgbench(url, kind.script, CLIENTS, WARM_UP).await?;
    let warm = turn(&mut clerks, WARM_UP).await?;
    reference::analyse(&connection).await?;
    let mut rate = warm.rate;
    let (mut ours, mut references, mut row_locks) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        // Twice as many as the fastest turn took, and what one may be ahead of others.
        let wanted = rate * TURN.as_secs_f64() * 2.0 / CLIENTS as f64;
        stock(&mut clerks, wanted as usize + 2 * EACH + 10).await?;
        let used = || desk.serving.processor().unwrap_or(f64::NAN);
        let before = (used(), own());
        let turn = turn(&mut clerks, TURN).await?;
        let after = (used(), own());
        let reference = reference::statements(url, CLIENTS, TURN).await?;
        let row_lock = reference::pgbench(url, kind.script, CLIENTS, TURN).await?;
        note(format!(
            "{}: round {round} of {ROUNDS}: {:.0} a second, half within {:.1} ms, 99 of 100 within {:.1} ms, reference \
             {reference:.0}, row lock {row_lock:.0}; processor time for each: server {:.3} ms, clients {:.3} ms",
            kind.name,
            turn.rate,
            turn.middle,
            turn.most,
            (after.0 - before.0) * 1e3 / turn.count as f64,
            (after.1 - before.1) * 1e3 / turn.count as f64,
        ));
        rate = rate.max(turn.rate);
        ours.push(turn.rate);
        references.push(reference);
        row_locks.push(row_lock);
    }
    let waited: usize = clerks.iter().map(|clerk| clerk.waited).sum();
    let confirmed: usize = clerks.iter().map(|clerk| clerk.confirmed).sum();
    note(format!(
        "{}: {confirmed} appointments; {waited} times clients were told to try again",
        kind.name
    ));
    kept(&connection, confirmed).await?;
    desk.serving.stop().await;
    let figure = Figure {
        name: kind.name.to_owned(),
        value: median(&ours).unwrap_or(f64::NAN),
        unit: "per_second",
        reference: median(&references),
        goal: Goal::RatioFrom(kind.goal),
    };
    let row_lock = median(&row_locks).unwrap_or(f64::NAN);
    Ok(vec![
        figure,
        Figure::stated(kind.row_lock, row_lock, "per_second"),
    ])
}

/// People for so many appointments more of each clerk.
pub async fn stock(clerks: &mut [Clerk], appointments: usize) -> Result<(), Failure> {
    let each = clerks.iter_mut().map(|clerk| clerk.stock(appointments));
    futures::future::try_join_all(each).await.map(|_| ())
}

/// The database has every appointment that was confirmed, each on a seat of its own.
async fn kept(connection: &DatabaseConnection, confirmed: usize) -> Result<(), Failure> {
    let sql = "SELECT (SELECT count(*) FROM scheduling.bookings), count(*) FROM scheduling.seats s \
               JOIN scheduling.bookings b ON b.district = s.district AND b.id = s.booking AND b.seat_id = s.id \
               WHERE s.state = 2";
    let wrong = |e| Failure::of("the appointments cannot be counted", &e);
    let row = connection
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .map_err(wrong)?
        .ok_or_else(|| Failure::new("the appointments cannot be counted"))?;
    let bookings: i64 = row.try_get_by_index(0).map_err(wrong)?;
    let seats: i64 = row.try_get_by_index(1).map_err(wrong)?;
    let confirmed = i64::try_from(confirmed).unwrap_or(i64::MAX);
    if (bookings, seats) == (confirmed, confirmed) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{confirmed} appointments were confirmed, and the database has {bookings} on {seats} seats: report this"
    )))
}
