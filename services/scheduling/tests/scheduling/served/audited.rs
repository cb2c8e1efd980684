//! What the gate has wrong is set right: on days in use within seconds, however many days there are, and on all others when
//! the round comes to them (BB-9.2b, docs/decisions/0009-the-gate.md).

use std::time::{Duration, Instant};

use bangban_ledger::START;
use bangban_proto::bangban::scheduling::v1::{
    Day, GetAvailabilityRequest, booking_service_client::BookingServiceClient,
};
use bangban_rig::Server;
use bangban_scheduling::{
    Doorkeeper,
    store::{DayKey, capacity},
    tasks,
};
use chrono::{Days, NaiveDate};
use tokio_util::sync::CancellationToken;

use super::{
    ask::published,
    double::Directory,
    patience::{PATIENCE, is_not_now, patiently},
    server::Served,
    world::{DISTRICT, LI_NA, SITE, World, database, reason, slot},
};

/// Days of other sites, which the round comes to before those of the tests: it takes half a second for each hundred.
const OTHERS: usize = 3_000;

/// The round does not come to those of the tests sooner.
const ROUND: Duration = Duration::from_secs(12);

/// How long a day may stay wrong at the most, where the machine stands still meanwhile.
const WITHIN: Duration = Duration::from_secs(90);

/// How long a day in use may stay wrong, unless the machine stands still.
const SOON: Duration = Duration::from_secs(10);

/// How often it is tried whether days in use come before the round.
const TRIES: u16 = 3;

/// In the gate.
const FREE: &str = "\0\0";
const TAKEN: &str = "\u{1}\u{1}";

/// One seat as the gate has it: of days with four slots of one seat each.
struct Seat<'a> {
    redis: &'a Server,
    day: String,
    at: usize,
}

impl<'a> Seat<'a> {
    fn of(redis: &'a Server, date: NaiveDate, slot: usize) -> Self {
        let site = SITE.to_owned();
        let day = Doorkeeper::day(DISTRICT, &DayKey { site, date }).expect("a name");
        let day = day.key().to_owned();
        let at = redis.ask::<usize>(&["STRLEN", &day]) - 2 * (4 - slot);
        Self { redis, day, at }
    }

    fn is(&self, mark: &str) -> bool {
        let (from, to) = (self.at.to_string(), (self.at + 1).to_string());
        self.redis
            .ask::<String>(&["GETRANGE", &self.day, &from, &to])
            == mark
    }

    fn becomes(&self, right: &str, wrong: &str) {
        assert!(self.is(right));
        let at = self.at.to_string();
        self.redis
            .ask::<usize>(&["SETRANGE", &self.day, &at, wrong]);
    }

    async fn is_set_right(&self, mark: &str) {
        let began = Instant::now();
        while !self.is(mark) {
            assert!(began.elapsed() < WITHIN, "wrong for {WITHIN:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Days of sites that come before those of the tests, and that nobody asks for.
async fn others(world: &World) {
    let date = world.working_day(1).await.to_string();
    let rows = (0..OTHERS).map(|n| {
        let day = Day {
            site: format!("a-{n:05}"),
            date: date.clone(),
            ..Day::default()
        };
        capacity::day_row(DISTRICT, &day, 0, (1, &START), None)
    });
    let rows: Vec<_> = rows.collect();
    world.store.write_rows(rows).await.expect("published");
}

/// The gate learns days by way of a process that ends: to those that go on, nobody has used them.
async fn seen_elsewhere(world: &World, first: NaiveDate, last: NaiveDate) {
    let other = Served::start(&world.config, world.directory.clone()).await;
    let request = GetAvailabilityRequest {
        district: DISTRICT.to_owned(),
        sites: vec![SITE.to_owned()],
        from: first.to_string(),
        to: last.to_string(),
        ..GetAvailabilityRequest::default()
    };
    let mut client = BookingServiceClient::new(other.channel.clone());
    let began = Instant::now();
    loop {
        let answer = client.get_availability(world.by(&LI_NA, request.clone()));
        let days = answer.await.expect("answered").into_inner().days;
        if days.iter().all(|d| d.is_published == d.is_known) {
            return;
        }
        // Its gate may not have been admitted yet.
        assert!(began.elapsed() < PATIENCE, "{days:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_what_is_wrong_on_a_day_in_use_is_set_right_within_seconds_however_many_there_are()
{
    let redis = Server::start(&[]);
    let url = database("audited").await;
    let url = url.unwrap_or_else(|| "sqlite".to_owned());
    let world = World::open_as(url, redis.url(), Directory::default()).await;
    others(&world).await;
    world.template(1, 0).await;
    let first = world.working_day(1).await;
    let days = published(&world, SITE, (first, first + Days::new(9))).await;
    let days: Vec<NaiveDate> = days.iter().map(|d| d.parse().expect("a date")).collect();
    let [shown, refused, picked, unused, ..] = days[..] else {
        panic!("{days:?}");
    };
    // Gone with the process that gave it.
    let booked = Served::start(&world.config, world.directory.clone()).await;
    let gave = world.person(&[]);
    let mut client = BookingServiceClient::new(booked.channel.clone());
    let request = World::holding(&slot(picked, 0), &gave);
    let began = Instant::now();
    // Its gate may not have been admitted yet, or not be heard in time.
    while let Err(status) = client.hold_slot(world.by(&LI_NA, request.clone())).await {
        assert!(began.elapsed() < PATIENCE, "{status}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.reads_anew(picked).await;
    }
    drop((client, booked));
    world.reads_anew(picked).await;
    seen_elsewhere(&world, first, unused).await;

    let seat = |date, number| Seat::of(&redis, date, number);
    let seat_shown = seat(shown, 0);
    let seat_refused = seat(refused, 0);
    let seat_picked = seat(picked, 0);
    let seat_unused = seat(unused, 0);
    let mut tries = 1;
    let began = loop {
        seat_shown.becomes(FREE, TAKEN);
        seat_refused.becomes(FREE, TAKEN);
        seat_picked.becomes(TAKEN, FREE);
        seat_unused.becomes(FREE, TAKEN);

        // One looks what is free, another hears "full", a third takes a seat of another time.
        assert_eq!(world.free(shown).await[0], (0, 0));
        let (person, wanted) = (world.person(&[]), slot(refused, 0));
        let full = patiently(is_not_now, || world.hold(&wanted, &person)).await;
        assert_eq!(reason(full), "SLOT_FULL");
        let stop = CancellationToken::new();
        let audit = tokio::spawn(tasks::audit(world.rpc.clone(), stop.clone()));
        let began = Instant::now();
        world.held(&slot(picked, tries), &person).await;
        seat_refused.is_set_right(FREE).await;
        seat_shown.is_set_right(FREE).await;
        seat_picked.is_set_right(TAKEN).await;
        let is_left = seat_unused.is(TAKEN);
        let took = began.elapsed();
        eprintln!("days in use were set right after {took:?}");
        if is_left {
            break began;
        }
        // Where that took long, the round may have come meanwhile, which shows nothing.
        assert!(took > ROUND, "nobody uses it");
        stop.cancel();
        audit.await.expect("ended");
        tries += 1;
        assert!(tries <= TRIES, "days in use wait for the round");
    };
    assert_eq!(world.free(shown).await[0], (1, 0));
    let person = world.person(&[]);
    world.held(&slot(refused, 0), &person).await;

    // Used all the time, it may go wrong again at once.
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        world.free(shown).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut again = 0_u64;
    loop {
        let began = Instant::now();
        seat_shown.becomes(FREE, TAKEN);
        world.free(shown).await;
        seat_shown.is_set_right(FREE).await;
        again += 1;
        if began.elapsed() < SOON {
            break;
        }
        assert!(again < u64::from(TRIES), "it is left wrong for {SOON:?}");
    }

    // The round comes to the other, however busy the machine has been since.
    seat_unused.is_set_right(FREE).await;
    eprintln!("the round came after {:?}", began.elapsed());
    let counts = world.served.service.gate().counts();
    assert_eq!(counts.drift_found, counts.drift_repaired);
    // Of one whose answer came too late nobody knows.
    let wrong = 4 * u64::from(tries) + again;
    assert!(
        (wrong - 1..=wrong).contains(&counts.drift_found),
        "{counts:?}"
    );
}
