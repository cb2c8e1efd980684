//! A month of one site: `availability_p99`, what is free on its thirty days, asked 500 times a second whether the answers
//! come or not; `redis_bytes_per_site_day`, what a day of 32 slots with 4 seats takes in Redis; `rebuild_site_month`, how
//! long somebody waits who asks for all of it when Redis has lost everything.

use std::sync::Arc;

use bangban::failure::Failure;
use bangban_proto::bangban::scheduling::v1::BookingPolicy;
use bangban_slots::Day;
use chrono::NaiveDate;
use redis::{Client as Redis, aio::MultiplexedConnection};
use tokio::time::Instant;

use super::{
    availability::{Month, p99},
    clerk::{Clerk, EACH},
    desk::{Desk, days, hours},
    rate::stock,
    slots::Slots,
};
use crate::{
    database::Database,
    figure::{Figure, median},
    note,
    turn::Work as _,
    world::SITE,
};

const DISTRICT: &str = "bench-0";

/// Days of the month.
const DAYS: usize = 30;

/// Slots of a day.
const OF_DAY: usize = 32;

/// Seats of a slot.
const SEATS: u32 = 4;

/// Clients.
const CLIENTS: usize = 16;

/// Appointments that are there: half of the seats.
const BOOKED: usize = DAYS * OF_DAY * SEATS as usize / 2;

/// Days that are put into Redis to see what each takes.
const COPIES: u32 = 20_000;

/// Times that Redis loses everything.
const LOSSES: usize = 21;

/// What a site's day may take at most: 44,000 sites for thirty days have to fit into 1 GB.
const BYTES: f64 = 1e9 / (44_000.0 * 30.0);

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let database = Database::create().await?;
    let measured = measure_in(&database).await;
    database.drop().await?;
    measured
}

async fn measure_in(database: &Database) -> Result<Vec<Figure>, Failure> {
    let mut desk = Desk::open(database, 1, CLIENTS).await?;
    let policy = BookingPolicy {
        most_per_item: u32::try_from(EACH).unwrap_or_default(),
        ..BookingPolicy::default()
    };
    desk.rules(DISTRICT, policy).await?;
    let month = days(DAYS);
    desk.days(DISTRICT, &month, &hours("16:30", 15, SEATS))
        .await?;
    let slots = Arc::new(Slots::Spread(month.clone(), OF_DAY));
    let agents = desk.world.agents.drain(..);
    let mut clerks: Vec<Clerk> = agents.map(|a| Clerk::new(a, slots.clone())).collect();
    stock(&mut clerks, BOOKED.div_ceil(CLIENTS)).await?;
    let booked = clerks.iter_mut().map(|clerk| async {
        for _ in 0..BOOKED.div_ceil(CLIENTS) {
            clerk.once().await?;
        }
        Ok::<_, Failure>(())
    });
    futures::future::try_join_all(booked).await?;

    let months: Vec<Month> = clerks
        .iter()
        .map(|clerk| Month::of(clerk, &month))
        .collect();
    let expected = (DAYS, DAYS * OF_DAY, DAYS * OF_DAY * SEATS as usize - BOOKED);
    for of in &months {
        of.shows(expected).await?;
    }
    let p99 = p99(&months).await?;
    let mut redis = connect(&desk).await?;
    let bytes = bytes(&mut redis, &month).await?;
    let rebuilt = rebuilt(&mut redis, &months[0], expected).await?;
    desk.serving.stop().await;
    Ok(vec![
        Figure::below(5.0, "availability_p99", p99, "ms"),
        Figure::below(BYTES, "redis_bytes_per_site_day", bytes, "bytes"),
        Figure::below(100.0, "rebuild_site_month", rebuilt, "ms"),
    ])
}

fn failed(error: redis::RedisError) -> Failure {
    Failure::of("Redis cannot be asked", &error)
}

async fn connect(desk: &Desk) -> Result<MultiplexedConnection, Failure> {
    let url = desk.installation.config.redis.url.as_str();
    let client = Redis::open(url).map_err(failed)?;
    let connection = client.get_multiplexed_async_connection().await;
    connection.map_err(failed)
}

/// Bytes that Redis has in use.
async fn used(redis: &mut MultiplexedConnection) -> Result<f64, Failure> {
    let asked = redis::cmd("INFO").arg("memory").query_async(redis).await;
    let told: String = asked.map_err(failed)?;
    let line = told.lines().find_map(|l| l.strip_prefix("used_memory:"));
    line.and_then(|bytes| bytes.trim().parse().ok())
        .ok_or_else(|| Failure::new("Redis does not say what it uses"))
}

/// Bytes that each of many days takes, with all that Redis needs for a key: copies of one of the month's, under names of
/// the same length, set as the gate sets them.
async fn bytes(redis: &mut MultiplexedConnection, month: &[NaiveDate]) -> Result<f64, Failure> {
    let day = Day::new(DISTRICT, SITE, month[0]).map_err(|e| Failure::new(e.to_string()))?;
    let copy = "local day, name = redis.call('GET', KEYS[1]), string.sub(KEYS[1], 1, -10) \
                for n = 1, tonumber(ARGV[1]) do \
                  redis.call('SET', string.format('%s%08d}', name, n), day, 'EX', 3000000) \
                end \
                return #day";
    let before = used(redis).await?;
    let mut copied = redis::cmd("EVAL");
    copied.arg(copy).arg(1).arg(day.key()).arg(COPIES);
    let length: u32 = copied.query_async(redis).await.map_err(failed)?;
    let each = (used(redis).await? - before) / f64::from(COPIES);
    note(format!(
        "redis_bytes_per_site_day: {each:.0} bytes, of which the day itself is {length}"
    ));
    Ok(each)
}

/// Milliseconds that asking for the month takes when Redis has just lost everything; the middle of many.
async fn rebuilt(
    redis: &mut MultiplexedConnection,
    month: &Month,
    expected: (usize, usize, usize),
) -> Result<f64, Failure> {
    let mut took = Vec::new();
    for _ in 0..LOSSES {
        let flushed = redis::cmd("FLUSHALL").query_async::<()>(redis).await;
        flushed.map_err(failed)?;
        let began = Instant::now();
        month.shows(expected).await?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let most = took.iter().copied().fold(0.0, f64::max);
    note(format!(
        "rebuild_site_month: {LOSSES} times, the slowest {most:.1} ms"
    ));
    Ok(median(&took).unwrap_or(f64::NAN))
}
