//! She comes for the result by appointment: booked, moved, kept within its time (BB-9.2b).

use std::time::Duration;

use bangban_proto::bangban::{
    scheduling::v1::{
        Booking, BookingChange, CheckInRequest, CompleteServiceRequest, ConfirmBookingRequest,
        GetAvailabilityRequest, GetCalendarEntryRequest, MoveBookingRequest, Proxy, Relation,
        SlotAvailability, StartServiceRequest, booking_service_client::BookingServiceClient,
    },
    types::v1::Channel as Through,
};
use chrono::Days;
use prost_types::Timestamp;
use tonic::{Response, Status};

use crate::{
    booking::{confirming, holding},
    client::{Channel, answered},
    failure::Failure,
    tell,
    walk::engine::{Walk, request_id},
};

/// How often it is looked for free times: days are published unasked once the clock has moved.
const LOOKS: u32 = 100;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

fn changed(
    what: &str,
    answer: Result<Response<BookingChange>, Status>,
) -> Result<Booking, Failure> {
    Ok(answered(what, answer)?.booking.unwrap_or_default())
}

impl Walk<'_> {
    /// An appointment is held, confirmed, moved, and she is served within it.
    pub(super) async fn appointment(&mut self) -> Result<(), Failure> {
        let mut service = BookingServiceClient::new(self.agent.channel());
        let site = self.sample.agent()?.site;
        let slots = self.free(&mut service, &site).await?;
        let [first, .., other] = slots.as_slice() else {
            return Err(Failure::new(format!(
                "{site} has no times to choose from: look at the sample's appointments."
            )));
        };
        let (applicant, item) = (&self.case.applicant, &self.item.code);
        let hold = holding(&self.district, &first.slot, applicant, item);
        let hold = answered(
            "no seat can be held",
            service.hold_slot(self.agent.request(hold)).await,
        )?;
        let confirm = ConfirmBookingRequest {
            channel: Through::Phone.into(),
            proxy: Some(Proxy {
                relation: Relation::Relative.into(),
                telephone_mask: String::new(),
            }),
            case: self.case.id.clone(),
            ..confirming(&self.district, &hold)
        };
        let confirm = service.confirm_booking(self.agent.request(confirm)).await;
        let booking = changed("the appointment cannot be confirmed", confirm)?;
        self.tell(format!(
            "Her son telephones for an appointment (预约): {} at {site}, a seat that is reserved for special groups first.",
            tell::instant(booking.starts_at.as_ref())
        ));
        let to = MoveBookingRequest {
            district: self.district.clone(),
            request_id: request_id(),
            booking: booking.id.clone(),
            slot: other.slot.clone(),
            ..MoveBookingRequest::default()
        };
        let moved = service.move_booking(self.agent.request(to)).await;
        let booking = changed("the appointment cannot be moved", moved)?;
        let entry = GetCalendarEntryRequest {
            district: self.district.clone(),
            booking: booking.id.clone(),
            after: String::new(),
        };
        let entry = answered(
            "the calendar entry cannot be read",
            service.get_calendar_entry(self.agent.request(entry)).await,
        )?;
        let sequence = entry.calendar.lines().find(|l| l.starts_with("SEQUENCE"));
        self.tell(format!(
            "He moves it in one step (改期): {}; the calendar entry says {}.",
            tell::instant(booking.starts_at.as_ref()),
            sequence.unwrap_or_default()
        ));
        self.kept(&mut service, booking).await
    }

    /// She is there, and service starts within the slot.
    async fn kept(
        &mut self,
        service: &mut BookingServiceClient<Channel>,
        booking: Booking,
    ) -> Result<(), Failure> {
        let starts_at = booking.starts_at.unwrap_or_default();
        self.until(Timestamp {
            seconds: starts_at.seconds + 60,
            ..starts_at
        })
        .await?;
        let (district, id) = (self.district.clone(), booking.id);
        let there = CheckInRequest {
            district: district.clone(),
            request_id: request_id(),
            booking: id.clone(),
            after: self.after.clone(),
            channel: Through::Window.into(),
            ..CheckInRequest::default()
        };
        let there = service.check_in(self.agent.request(there)).await;
        changed("she cannot check in", there)?;
        let start = StartServiceRequest {
            district: district.clone(),
            request_id: request_id(),
            booking: id.clone(),
            ..StartServiceRequest::default()
        };
        let start = service.start_service(self.agent.request(start)).await;
        let started = changed("service cannot start", start)?;
        let done = CompleteServiceRequest {
            district,
            request_id: request_id(),
            booking: id,
            ..CompleteServiceRequest::default()
        };
        let done = service.complete_service(self.agent.request(done)).await;
        changed("service cannot end", done)?;
        self.tell(format!(
            "She checks in (签到) and is served within her appointment: {} breaches (BB-9.2b).",
            started.breaches.len()
        ));
        Ok(())
    }

    /// What is free at a site in the days to come.
    async fn free(
        &self,
        service: &mut BookingServiceClient<Channel>,
        site: &str,
    ) -> Result<Vec<SlotAvailability>, Failure> {
        let now = self.now().await?;
        let today = chrono::DateTime::from_timestamp(now.seconds, 0).unwrap_or_default();
        let first = today.date_naive() + Days::new(1);
        let request = GetAvailabilityRequest {
            district: self.district.clone(),
            sites: vec![site.to_owned()],
            from: first.to_string(),
            to: (first + Days::new(9)).to_string(),
            ..GetAvailabilityRequest::default()
        };
        for _ in 0..LOOKS {
            let answer = answered(
                "what is free cannot be read",
                service
                    .get_availability(self.agent.request(request.clone()))
                    .await,
            )?;
            let slots: Vec<_> = answer.days.into_iter().flat_map(|day| day.slots).collect();
            let free: Vec<_> = slots
                .into_iter()
                .filter(|s| s.free + s.reserved_free > 0)
                .collect();
            if free.len() > 1 {
                return Ok(free.into_iter().take(8).collect());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Vec::new())
    }
}
