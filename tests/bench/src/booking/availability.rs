//! What is free in a month of one site, asked at a fixed rate whether the answers come or not.

use std::time::Duration;

use bangban::{
    client::{Channel, Client, answered},
    failure::Failure,
};
use bangban_proto::bangban::scheduling::v1::{
    GetAvailabilityRequest, GetAvailabilityResponse, booking_service_client::BookingServiceClient,
};
use chrono::NaiveDate;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::clerk::Clerk;
use crate::{figure::median, note, world::SITE};

/// Requests in a second.
const RATE: u32 = 500;

/// Rounds; one more before does not count.
const ROUNDS: u32 = 5;

/// Requests of a round.
const REQUESTS: u32 = 8 * RATE;

/// Who asks for a month.
#[derive(Clone)]
pub struct Month {
    client: Client,
    service: BookingServiceClient<Channel>,
    request: GetAvailabilityRequest,
}

impl Month {
    /// As a clerk, on the clerk's connections.
    pub fn of(clerk: &Clerk, days: &[NaiveDate]) -> Self {
        let day = |date: Option<&NaiveDate>| date.map(ToString::to_string).unwrap_or_default();
        Self {
            client: clerk.client.clone(),
            service: clerk.bookings.clone(),
            request: GetAvailabilityRequest {
                district: clerk.district.clone(),
                sites: vec![SITE.to_owned()],
                from: day(days.first()),
                to: day(days.last()),
                ..GetAvailabilityRequest::default()
            },
        }
    }

    async fn ask(&self) -> Result<GetAvailabilityResponse, Failure> {
        let request = self.client.request(self.request.clone());
        let answer = self.service.clone().get_availability(request).await;
        answered("what is free is not answered", answer)
    }

    /// Asks once, and holds the answer against so many days that are known, slots and free seats.
    pub async fn shows(&self, expected: (usize, usize, usize)) -> Result<(), Failure> {
        let days = self.ask().await?.days;
        let known: Vec<_> = days.iter().filter(|day| day.is_known).collect();
        let slots = || known.iter().flat_map(|day| &day.slots);
        let free: u32 = slots().map(|slot| slot.free).sum();
        let shown = (known.len(), slots().count(), free as usize);
        if shown == expected {
            return Ok(());
        }
        Err(Failure::new(format!(
            "days, slots and free seats are {expected:?}, and {shown:?} are shown: report this"
        )))
    }
}

/// Milliseconds within which 99 of 100 requests are answered, from the instant at which each was due; of several rounds
/// the middle one. Those who ask take turns.
pub async fn p99(months: &[Month]) -> Result<f64, Failure> {
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let mut asking = JoinSet::new();
        let began = Instant::now();
        for (number, month) in (0..REQUESTS).zip(months.iter().cycle()) {
            let due = began + Duration::from_secs(1) * number / RATE;
            sleep_until(due).await;
            let month = month.clone();
            asking.spawn(async move { month.ask().await.map(|_| due.elapsed()) });
        }
        let mut took = Vec::new();
        while let Some(asked) = asking.join_next().await {
            let asked = asked.map_err(|e| Failure::of("a client broke off", &e))?;
            took.push(asked?.as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        let (middle, most) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        note(format!(
            "availability_p99: round {round} of {ROUNDS}: half within {middle:.2} ms, 99 of 100 within {most:.2} ms"
        ));
        if round > 0 {
            rounds.push(most);
        }
    }
    Ok(median(&rounds).unwrap_or(f64::NAN))
}
