//! Asks what scheduling answers.

use bangban::{
    booking::{confirming, holding},
    client::Client,
};
use bangban_proto::bangban::{
    casework::v1::Case,
    scheduling::v1::{
        CancelBookingRequest, CancelReason, ConfirmBookingRequest, CreateLinkRequest,
        GetAvailabilityRequest, GetBookingPolicyRequest, GetBookingRatesRequest, GetBookingRequest,
        GetCalendarEntryRequest, GetDayRequest, GetLinkedBookingRequest, GetPublicationRequest,
        GetStandingRequest, GetWaitingRequest, JoinWaitingListRequest, LinkPurpose,
        ListBookingsRequest, ListExceptionsRequest, ListTemplatesRequest, ListWaitingRequest,
        PreviewChangeRequest, PublishDaysRequest, Template,
        booking_service_client::BookingServiceClient,
        capacity_service_client::CapacityServiceClient,
    },
    types::v1::Channel,
};
use bangban_tests::{DAY, World, day, request_id};

use super::{Matter, ask::Asked};

/// An appointment, a place in the waiting list, and where they are.
pub struct Appointment {
    booking: String,
    link: String,
    waiting: String,
    site: String,
    date: String,
    template: Template,
}

impl Appointment {
    /// Makes both for the applicant of a case; another appointment was given up.
    pub async fn made(world: &World, case: &Case) -> Self {
        let operator = world.operator();
        let mut capacity = CapacityServiceClient::new(operator.channel());
        let (district, site) = (world.district.clone(), case.site.clone());
        let now = world.now().await.seconds;
        let publish = PublishDaysRequest {
            district: district.clone(),
            request_id: request_id(),
            site: site.clone(),
            from: day(now + DAY),
            to: day(now + 10 * DAY),
            ..PublishDaysRequest::default()
        };
        let published = capacity.publish_days(operator.request(publish)).await;
        let after = published.expect("published").into_inner().position;
        let templates = ListTemplatesRequest {
            district: district.clone(),
            site: site.clone(),
            ..ListTemplatesRequest::default()
        };
        let templates = capacity.list_templates(operator.request(templates)).await;
        let template = templates
            .expect("templates")
            .into_inner()
            .templates
            .remove(0);
        let agent = world.agent();
        let mut bookings = BookingServiceClient::new(agent.channel());
        let free = GetAvailabilityRequest {
            district: district.clone(),
            after,
            sites: vec![site.clone()],
            from: day(now + DAY),
            to: day(now + 10 * DAY),
            ..GetAvailabilityRequest::default()
        };
        let free = bookings.get_availability(agent.request(free)).await;
        let days = free.expect("free times").into_inner().days;
        let open = days.iter().find(|d| d.slots.len() > 1).expect("a day");
        let mut booked = Vec::new();
        for slot in &open.slots[..2] {
            let hold = holding(&district, &slot.slot, &case.applicant, &case.item);
            let hold = bookings.hold_slot(agent.request(hold)).await;
            let hold = hold.expect("held").into_inner();
            let confirm = ConfirmBookingRequest {
                case: case.id.clone(),
                ..confirming(&district, &hold)
            };
            let done = bookings.confirm_booking(agent.request(confirm)).await;
            done.expect("confirmed");
            if booked.is_empty() {
                let cancel = CancelBookingRequest {
                    district: district.clone(),
                    request_id: request_id(),
                    booking: hold.booking.clone(),
                    reason: CancelReason::Applicant.into(),
                    ..CancelBookingRequest::default()
                };
                let done = bookings.cancel_booking(agent.request(cancel)).await;
                done.expect("cancelled");
            }
            booked.push(hold.booking);
        }
        let booking = booked.remove(1);
        let link = CreateLinkRequest {
            district: district.clone(),
            request_id: request_id(),
            booking: booking.clone(),
            purpose: LinkPurpose::Cancel.into(),
            ..CreateLinkRequest::default()
        };
        let link = bookings.create_link(agent.request(link)).await;
        let join = JoinWaitingListRequest {
            district,
            request_id: request_id(),
            site: site.clone(),
            group: template.group.clone(),
            item: case.item.clone(),
            applicant: case.applicant.clone(),
            from: open.date.clone(),
            to: open.date.clone(),
            // Nothing is given so late: the place stays one that waits.
            earliest: "23:00".to_owned(),
            channel: Channel::Window.into(),
            ..JoinWaitingListRequest::default()
        };
        let waiting = bookings.join_waiting_list(agent.request(join)).await;
        let waiting = waiting.expect("joined").into_inner().waiting;
        Self {
            booking,
            link: link.expect("a link").into_inner().link,
            waiting: waiting.expect("a place").id,
            site,
            date: open.date.clone(),
            template,
        }
    }
}

/// Asks a method of `BookingService`.
pub async fn ask_bookings(
    method: &str,
    variant: &str,
    client: &Client,
    m: &Matter,
) -> Option<Asked> {
    let mut service = BookingServiceClient::new(client.channel());
    let it = &m.appointment;
    let booking = it.booking.clone();
    let (from, to) = (it.date.clone(), it.date.clone());
    Some(match method {
        "GetAvailability" => {
            let sites = vec![it.site.clone()];
            let request = about!(
                m,
                client,
                GetAvailabilityRequest {
                    sites: sites,
                    from: from,
                    to: to
                }
            );
            let answer = service.get_availability(request).await;
            answer.map(|a| a.get_ref().days.iter().any(|d| !d.slots.is_empty()))
        }
        "GetBooking" => {
            let request = about!(m, client, GetBookingRequest { booking: booking });
            let answer = service.get_booking(request).await;
            answer.map(|b| b.get_ref().id == it.booking)
        }
        "GetCalendarEntry" => {
            let request = about!(m, client, GetCalendarEntryRequest { booking: booking });
            let answer = service.get_calendar_entry(request).await;
            answer.map(|e| e.get_ref().calendar.contains("BEGIN:VEVENT"))
        }
        "GetLinkedBooking" => {
            let request = client.request(GetLinkedBookingRequest {
                link: it.link.clone(),
            });
            let answer = service.get_linked_booking(request).await;
            answer.map(|l| l.get_ref().site == it.site)
        }
        "GetBookingRates" => {
            let request = about!(m, client, GetBookingRatesRequest { from: from, to: to });
            let answer = service.get_booking_rates(request).await;
            answer.map(|r| r.get_ref().cancelled_count > 0)
        }
        "GetStanding" => {
            let applicant = m.applicant.clone();
            let request = about!(
                m,
                client,
                GetStandingRequest {
                    applicant: applicant
                }
            );
            let answer = service.get_standing(request).await;
            answer.map(|s| s.get_ref().applicant == m.applicant)
        }
        "GetWaiting" => {
            let waiting = it.waiting.clone();
            let request = about!(m, client, GetWaitingRequest { waiting: waiting });
            service.get_waiting(request).await.map(|_| true)
        }
        "ListWaiting" => {
            let request = about!(m, client, ListWaitingRequest {});
            let answer = service.list_waiting(request).await;
            answer.map(|l| l.get_ref().waiting.iter().any(|w| w.id == it.waiting))
        }
        "ListBookings" => {
            let mut request = ListBookingsRequest {
                district: m.district.clone(),
                page_size: 500,
                ..ListBookingsRequest::default()
            };
            match variant {
                "by applicant" => request.applicant.clone_from(&m.applicant),
                "of the case" => request.case.clone_from(&m.case),
                "of the site" => request.site.clone_from(&it.site),
                _ => {}
            }
            let answer = service.list_bookings(client.request(request)).await;
            answer.map(|l| l.get_ref().bookings.iter().any(|b| b.id == it.booking))
        }
        _ => return None,
    })
}

/// Asks a method of `CapacityService`.
pub async fn ask_capacity(method: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let mut service = CapacityServiceClient::new(client.channel());
    let it = &m.appointment;
    let site = it.site.clone();
    let (date, from, to) = (it.date.clone(), it.date.clone(), it.date.clone());
    Some(match method {
        "GetBookingPolicy" => {
            let request = about!(m, client, GetBookingPolicyRequest {});
            service.get_booking_policy(request).await.map(|_| true)
        }
        "GetDay" => {
            let request = about!(
                m,
                client,
                GetDayRequest {
                    site: site,
                    date: date
                }
            );
            let answer = service.get_day(request).await;
            answer.map(|d| !d.get_ref().slots.is_empty())
        }
        "GetPublication" => {
            let request = about!(m, client, GetPublicationRequest { site: site });
            service.get_publication(request).await.map(|_| true)
        }
        "ListExceptions" => {
            let request = about!(
                m,
                client,
                ListExceptionsRequest {
                    site: site,
                    from: from,
                    to: to
                }
            );
            service.list_exceptions(request).await.map(|_| true)
        }
        "ListTemplates" => {
            let request = about!(m, client, ListTemplatesRequest { site: site });
            let answer = service.list_templates(request).await;
            answer.map(|l| !l.get_ref().templates.is_empty())
        }
        "PreviewChange" => {
            let template = Some(it.template.clone());
            let request = about!(m, client, PreviewChangeRequest { template: template });
            service.preview_change(request).await.map(|_| true)
        }
        _ => return None,
    })
}
