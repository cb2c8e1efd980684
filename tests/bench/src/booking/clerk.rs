//! An agent who books appointments for people, one after the other: a seat is held, then confirmed.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bangban::{
    booking::{confirming, holding},
    client::{Channel as Connection, Client, answered},
    failure::Failure,
};
use bangban_kit::refusal;
use bangban_proto::bangban::{
    directory::v1::{
        DocumentKind, RegisterApplicantRequest, applicant_service_client::ApplicantServiceClient,
    },
    scheduling::v1::{
        Booking, ConfirmBookingRequest, Hold, HoldSlotRequest,
        booking_service_client::BookingServiceClient,
    },
};
use tonic::Status;

use super::slots::Slots;
use crate::{
    agent::Agent,
    turn::Work,
    world::{ITEM, request_id},
};

/// Appointments that each person gets.
pub const EACH: usize = 3;

/// Before directory is asked again that has too much to do.
const PAUSE: Duration = Duration::from_millis(200);

struct Person {
    id: String,
    number: usize,
    /// The slots of her appointments.
    has: Vec<String>,
}

/// The clerk.
pub struct Clerk {
    /// Bears the token.
    pub client: Client,
    /// The service, on a connection of the clerk's own.
    pub bookings: BookingServiceClient<Connection>,
    /// The district.
    pub district: String,
    slots: Arc<Slots>,
    people: VecDeque<Person>,
    known: usize,
    /// Appointments that were confirmed.
    pub confirmed: usize,
    /// Times that the clerk was told to try again.
    pub waited: usize,
}

impl Clerk {
    /// An agent who books these slots.
    pub fn new(agent: Agent, slots: Arc<Slots>) -> Self {
        Self {
            bookings: BookingServiceClient::new(agent.client.channel()),
            client: agent.client,
            district: agent.district,
            slots,
            people: VecDeque::new(),
            known: 0,
            confirmed: 0,
            waited: 0,
        }
    }

    /// Registers somebody in directory; asks again as long as more is asked of it than it can answer, because this is no
    /// part of what is measured.
    pub async fn registered(&self) -> Result<String, Failure> {
        let request = RegisterApplicantRequest {
            district: self.district.clone(),
            request_id: request_id(),
            name: "示例".to_owned(),
            document_kind: DocumentKind::NotShown.into(),
            telephone: "13800138000".to_owned(),
            ..RegisterApplicantRequest::default()
        };
        let mut service = ApplicantServiceClient::new(self.client.channel());
        loop {
            let asked = self.client.request(request.clone());
            let answer = service.register_applicant(asked).await;
            if let Err(status) = &answer
                && refusal::reason(status) == "OVERLOADED"
            {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let change = answered("an applicant", answer)?;
            return Ok(change.applicant.unwrap_or_default().id);
        }
    }

    /// Has people for so many appointments more.
    pub async fn stock(&mut self, appointments: usize) -> Result<(), Failure> {
        let has = |people: &VecDeque<Person>| -> usize {
            people.iter().map(|person| EACH - person.has.len()).sum()
        };
        let mut left = has(&self.people);
        while left < appointments {
            let id = self.registered().await?;
            self.people.push_front(Person {
                id,
                number: self.known,
                has: Vec::new(),
            });
            self.known += 1;
            left += EACH;
        }
        Ok(())
    }

    /// Holds a seat of a slot.
    pub async fn hold(&mut self, slot: &str, applicant: &str) -> Result<Hold, Status> {
        let request = HoldSlotRequest {
            request_id: request_id(),
            ..holding(&self.district, slot, applicant, ITEM)
        };
        let answer = self.bookings.hold_slot(self.client.request(request)).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Confirms a hold.
    pub async fn confirm(&mut self, hold: &Hold) -> Result<Booking, Failure> {
        let request = ConfirmBookingRequest {
            request_id: request_id(),
            ..confirming(&self.district, hold)
        };
        let request = self.client.request(request);
        let answer = self.bookings.confirm_booking(request).await;
        let change = answered("a hold cannot be confirmed", answer)?;
        Ok(change.booking.unwrap_or_default())
    }
}

impl Work for Clerk {
    async fn once(&mut self) -> Result<(), Failure> {
        let Some(mut person) = self.people.pop_front() else {
            return Err(Failure::new(
                "nobody is left to book for: more people have to be registered before a turn",
            ));
        };
        let hold = loop {
            let slot = self.slots.next(person.number, person.has.len());
            if person.has.contains(&slot) {
                self.people.push_back(person);
                return Err(Failure::new(
                    "everybody has an appointment at this time: more people have to be registered before a turn",
                ));
            }
            match self.hold(&slot, &person.id).await {
                Ok(hold) => break hold,
                Err(status) => match refusal::reason(&status).as_str() {
                    "SLOT_FULL" => self.slots.is_full(&slot),
                    "SLOT_BUSY" | "CONFLICT" => self.waited += 1,
                    _ => return Err(Failure::refused("a seat cannot be held", &status)),
                },
            }
        };
        self.confirm(&hold).await?;
        self.confirmed += 1;
        person.has.push(hold.slot);
        if person.has.len() < EACH {
            self.people.push_back(person);
        }
        Ok(())
    }
}
