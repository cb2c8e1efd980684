//! `refusal_rate`: times in a second that people are told that a slot is sold out, beside the gRPC reference, which is an
//! authenticated call that answers nothing; `refusal_statements`: statements of PostgreSQL that one of these answers costs;
//! `refusal_wrong`: times that somebody is told so of a slot on which a seat is free all the time.

use std::{sync::Arc, time::Duration};

use bangban::{
    client::{Client, answered},
    failure::Failure,
    sample::operator,
    token::Signer,
};
use bangban_kit::refusal;
use bangban_proto::bangban::scheduling::v1::{
    BookingPolicy, CancelBookingRequest, CancelReason, booking_service_client::BookingServiceClient,
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use tokio::time::{Instant, sleep};

use super::{
    clerk::Clerk,
    desk::{Desk, days, hours},
    slots::{Slots, slot},
};
use crate::{
    database::{self, Database},
    empty::{Around, By, Caller, Process},
    figure::{Figure, Goal, median},
    note,
    turn::{Turn, Work, turn},
    world::request_id,
};

/// Clients.
const CLIENTS: usize = 64;

/// Turns of each, alternating.
const ROUNDS: usize = 5;

/// Length of a turn.
const TURN: Duration = Duration::from_secs(8);

/// Length of the turns before, which do not count.
const WARM_UP: Duration = Duration::from_secs(3);

/// Seats of the slot.
const SEATS: u32 = 4;

/// Part of the reference that must be reached.
const GOAL: f64 = 0.5;

/// Statements of a thousandth: what runs unasked is not the same in any two seconds.
const NO_STATEMENT: f64 = 0.001;

/// Connections of PostgreSQL report what they did after so long at the latest.
const REPORTED: Duration = Duration::from_secs(11);

/// How long a freed seat may take to come back.
const PATIENCE: Duration = Duration::from_secs(30);

const DISTRICT: &str = "bench-0";

/// Somebody who asks for a seat again and again, for a person who gets none.
struct Asker {
    clerk: Clerk,
    slot: String,
    applicant: String,
    expected: &'static [&'static str],
    full: usize,
}

impl Work for Asker {
    async fn once(&mut self) -> Result<(), Failure> {
        let Err(status) = self.clerk.hold(&self.slot, &self.applicant).await else {
            return Err(Failure::new(
                "a seat was given where none should be: report this",
            ));
        };
        let reason = refusal::reason(&status);
        self.full += usize::from(reason == "SLOT_FULL");
        if self.expected.contains(&reason.as_str()) {
            return Ok(());
        }
        Err(Failure::refused("a seat was asked for", &status))
    }
}

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let database = Database::create().await?;
    let measured = measure_in(&database).await;
    database.drop().await?;
    measured
}

async fn measure_in(database: &Database) -> Result<Vec<Figure>, Failure> {
    let mut desk = Desk::open(database, 1, CLIENTS).await?;
    let rules = |most_ahead| BookingPolicy {
        most_ahead,
        cooling_seconds: Some(0),
        ..BookingPolicy::default()
    };
    desk.rules(DISTRICT, rules(2)).await?;
    let day = days(2);
    desk.days(DISTRICT, &day[..1], &hours("17:00", 20, SEATS))
        .await?;
    desk.days(DISTRICT, &day[1..], &hours("17:00", 20, 500))
        .await?;
    let sold_out = slot(day[0], 0);
    let nowhere = Arc::new(Slots::Spread(day.clone(), 1));
    let mut askers = Vec::new();
    for agent in desk.world.agents.drain(..) {
        let clerk = Clerk::new(agent, nowhere.clone());
        let applicant = clerk.registered().await?;
        askers.push(Asker {
            applicant,
            clerk,
            slot: sold_out.clone(),
            expected: &["SLOT_FULL"],
            full: 0,
        });
    }
    let mut bookings = Vec::new();
    for asker in askers.iter_mut().take(SEATS as usize) {
        let person = asker.clerk.registered().await?;
        bookings.push(booked(&mut asker.clerk, &sold_out, &person).await?);
    }
    let connection = database::connect(&database.url).await?;
    let before = seats(&connection, &sold_out).await?;
    let mut figures = rates(&desk, &mut askers).await?;
    let counted = statements(&connection, &mut askers).await?;
    // Nothing was freed meanwhile, so that each of these answers was true.
    if seats(&connection, &sold_out).await? != before {
        return Err(Failure::new(
            "the slot that is asked for has changed under the measurement",
        ));
    }
    figures.push(Figure::below(
        NO_STATEMENT,
        "refusal_statements",
        counted,
        "per_refusal",
    ));

    // Who has as many appointments as anybody may gets none: a seat that is free stays free.
    let elsewhere = slot(day[1], 0);
    for asker in &mut askers {
        let person = asker.applicant.clone();
        booked(&mut asker.clerk, &elsewhere, &person).await?;
        asker.expected = &["SLOT_FULL", "SLOT_BUSY", "BOOKINGS_TOO_MANY"];
        asker.full = 0;
    }
    desk.rules(DISTRICT, rules(1)).await?;
    cancel(&askers[0].clerk.client, &bookings[0]).await?;
    is_free(&connection, &sold_out).await?;
    let asked = turn(&mut askers, TURN).await?;
    is_free(&connection, &sold_out).await?;
    let wrong: usize = askers.iter().map(|asker| asker.full).sum();
    note(format!(
        "refusal_wrong: {} answers while a seat was free, {wrong} of them \"full\"",
        asked.count
    ));
    figures.push(Figure::at_most(
        0.0,
        "refusal_wrong",
        wrong as f64,
        "answers",
    ));
    desk.serving.stop().await;
    Ok(figures)
}

async fn booked(clerk: &mut Clerk, slot: &str, person: &str) -> Result<String, Failure> {
    let hold = clerk.hold(slot, person).await;
    let hold = hold.map_err(|status| Failure::refused("a seat cannot be held", &status))?;
    clerk.confirm(&hold).await.map(|booking| booking.id)
}

async fn cancel(client: &Client, booking: &str) -> Result<(), Failure> {
    let request = CancelBookingRequest {
        district: DISTRICT.to_owned(),
        request_id: request_id(),
        booking: booking.to_owned(),
        reason: CancelReason::Applicant.into(),
        ..CancelBookingRequest::default()
    };
    let mut service = BookingServiceClient::new(client.channel());
    let answer = service.cancel_booking(client.request(request)).await;
    answered("an appointment cannot be given up", answer).map(|_| ())
}

/// Refusals in a second, beside calls in a second that answer nothing.
async fn rates(desk: &Desk, askers: &mut Vec<Asker>) -> Result<Vec<Figure>, Failure> {
    let config = &desk.installation.config;
    let empty = Process::start(Around::Ours, By::Folder(&config.data)).await?;
    let token = Signer::open(config)?.token(&operator(), 1)?;
    let mut callers = Vec::new();
    for _ in askers.iter() {
        let address = empty.address.to_string();
        let client = Client::connect(config, Some(&address))?.with(&token)?;
        callers.push(Caller::over(&client, client.channel()));
    }
    turn(askers, WARM_UP).await?;
    turn(&mut callers, WARM_UP).await?;
    let (mut ours, mut references) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let refused = turn(askers, TURN).await?;
        let called = turn(&mut callers, TURN).await?;
        note(format!(
            "refusal_rate: round {round} of {ROUNDS}: {:.0} a second, half within {:.1} ms, 99 of 100 within {:.1} ms, \
             reference {:.0}",
            refused.rate, refused.middle, refused.most, called.rate
        ));
        ours.push(refused.rate);
        references.push(called.rate);
    }
    Ok(vec![Figure {
        name: "refusal_rate".to_owned(),
        value: median(&ours).unwrap_or(f64::NAN),
        unit: "per_second",
        reference: median(&references),
        goal: Goal::RatioFrom(GOAL),
    }])
}

/// Statements of PostgreSQL that a refusal costs beyond those that run unasked in the same time.
async fn statements(
    connection: &DatabaseConnection,
    askers: &mut Vec<Asker>,
) -> Result<f64, Failure> {
    let quiet = during(connection, async {
        sleep(TURN).await;
        Ok(None::<Turn>)
    })
    .await?;
    let asked = during(connection, async { turn(askers, TURN).await.map(Some) }).await?;
    let count = asked.2.map_or(0, |turn| turn.count);
    // What runs unasked, in as long a time.
    let unasked = quiet.0 as f64 / quiet.1.as_secs_f64() * asked.1.as_secs_f64();
    note(format!(
        "refusal_statements: {} transactions beside {count} refusals, {unasked:.0} in as long a time without any",
        asked.0
    ));
    Ok((asked.0 as f64 - unasked).max(0.0) / count as f64)
}

/// Transactions of the database while something is done, and how long that took until all were reported.
async fn during<T>(
    connection: &DatabaseConnection,
    done: impl Future<Output = Result<T, Failure>>,
) -> Result<(i64, Duration, T), Failure> {
    sleep(REPORTED).await;
    let (before, began) = (transactions(connection).await?, Instant::now());
    let done = done.await?;
    sleep(REPORTED).await;
    let after = transactions(connection).await?;
    Ok((after - before, began.elapsed(), done))
}

async fn number(connection: &DatabaseConnection, sql: &str) -> Result<i64, Failure> {
    let failed = |e| Failure::of("PostgreSQL cannot be asked", &e);
    let row = connection
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .map_err(failed)?
        .ok_or_else(|| Failure::new("PostgreSQL does not answer"))?;
    row.try_get_by_index(0).map_err(failed)
}

async fn transactions(connection: &DatabaseConnection) -> Result<i64, Failure> {
    let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    number(connection, sql).await
}

/// States and versions of a slot's seats, as one number.
async fn seats(connection: &DatabaseConnection, slot: &str) -> Result<i64, Failure> {
    let sql = format!(
        "SELECT COALESCE(sum(state * 1000 + version), 0)::bigint FROM scheduling.seats WHERE id LIKE '{slot}/%'"
    );
    number(connection, &sql).await
}

/// Waits until one of a slot's seats is free.
async fn is_free(connection: &DatabaseConnection, slot: &str) -> Result<(), Failure> {
    let sql =
        format!("SELECT count(*) FROM scheduling.seats WHERE id LIKE '{slot}/%' AND state = 4");
    let began = Instant::now();
    while number(connection, &sql).await? != 1 {
        if began.elapsed() > PATIENCE {
            return Err(Failure::new("a seat that was given up does not come back"));
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
