//! She has appointments: books, is told, moves, waits, and stays away (BB-9.2b).

use std::time::Instant;

use bangban::booking;
use bangban::client::{Channel, Client};
use bangban_proto::bangban::{
    casework::v1::Case,
    scheduling::v1::{
        CancelBookingRequest, CancelReason, ConfirmBookingRequest, CreateLinkRequest,
        GetAvailabilityRequest, GetBookingRequest, GetCalendarEntryRequest,
        GetLinkedBookingRequest, GetStandingRequest, GetWaitingRequest, Hold, HoldSlotRequest,
        JoinWaitingListRequest, LinkPurpose, ListBookingsRequest, ListWaitingRequest,
        MoveBookingRequest, Proxy, PublishDaysRequest, Relation, SchedulingAct, SlotAvailability,
        booking_service_client::BookingServiceClient,
        capacity_service_client::CapacityServiceClient, scheduling_act::Act,
    },
    types::v1::Channel as Through,
};
use bangban_rig::Server;
use bangban_tests::{DAY, PATIENCE, World, day, request_id};
use prost::Message as _;

use super::{
    Search,
    plants::{NAME, TELEPHONE},
};

/// What is known of her where she books.
struct Desk<'a> {
    world: &'a World,
    agent: Client,
    service: BookingServiceClient<Channel>,
    case: &'a Case,
}

/// A relative with this telephone.
fn relative(telephone: &str) -> Option<Proxy> {
    Some(Proxy {
        relation: Relation::Relative.into(),
        telephone_mask: telephone.to_owned(),
    })
}

impl Desk<'_> {
    async fn free(&mut self, search: &mut Search) -> Vec<SlotAvailability> {
        let operator = self.world.operator();
        let now = self.world.now().await.seconds;
        // Not tomorrow: by the evening before, the last reminder of a morning would lie before the booking, and be none.
        let (from, to) = (day(now + 2 * DAY), day(now + 10 * DAY));
        let publish = PublishDaysRequest {
            district: self.world.district.clone(),
            request_id: request_id(),
            site: self.case.site.clone(),
            from: from.clone(),
            to: to.clone(),
            ..PublishDaysRequest::default()
        };
        let mut capacity = CapacityServiceClient::new(operator.channel());
        let published = capacity.publish_days(operator.request(publish)).await;
        let request = GetAvailabilityRequest {
            district: self.world.district.clone(),
            after: published.expect("published").into_inner().position,
            sites: vec![self.case.site.clone()],
            from,
            to,
            ..GetAvailabilityRequest::default()
        };
        let answer = self.service.get_availability(self.agent.request(request));
        let days = search.answer("GetAvailability", answer.await).days;
        days.into_iter().flat_map(|day| day.slots).collect()
    }

    async fn held(&mut self, slot: &SlotAvailability, search: &mut Search) -> Hold {
        let request = self.holding(slot);
        let answer = self.service.hold_slot(self.agent.request(request)).await;
        search.answer("HoldSlot", answer)
    }

    fn holding(&self, slot: &SlotAvailability) -> HoldSlotRequest {
        let (applicant, item) = (&self.case.applicant, &self.case.item);
        booking::holding(&self.world.district, &slot.slot, applicant, item)
    }

    fn confirming(&self, hold: &Hold, proxy: Option<Proxy>) -> ConfirmBookingRequest {
        ConfirmBookingRequest {
            channel: Through::Phone.into(),
            proxy,
            ..booking::confirming(&self.world.district, hold)
        }
    }

    /// By a relative, whose telephone is refused unmasked.
    async fn books(&mut self, slot: &SlotAvailability, search: &mut Search) -> String {
        let hold = self.held(slot, search).await;
        for (what, wrong) in [
            ("a proxy's telephone that is not masked", TELEPHONE),
            ("a proxy's name for a telephone", NAME),
        ] {
            let request = self.confirming(&hold, relative(wrong));
            let answer = self.service.confirm_booking(self.agent.request(request));
            search.refusal(what, answer.await);
        }
        let request = self.confirming(&hold, relative("139****0419"));
        let answer = self.service.confirm_booking(self.agent.request(request));
        search.answer("ConfirmBooking", answer.await);
        let second = self.holding(slot);
        let answer = self.service.hold_slot(self.agent.request(second)).await;
        search.refusal("HoldSlot, one too many", answer);
        hold.booking
    }

    /// All that tells of an appointment.
    async fn told(&mut self, booking: &str, search: &mut Search) {
        let (district, agent) = (|| self.world.district.clone(), &self.agent);
        let request = GetBookingRequest {
            district: district(),
            booking: booking.to_owned(),
            ..GetBookingRequest::default()
        };
        let answer = self.service.get_booking(agent.request(request)).await;
        search.answer("GetBooking", answer);
        let request = ListBookingsRequest {
            district: district(),
            applicant: self.case.applicant.clone(),
            ..ListBookingsRequest::default()
        };
        let answer = self.service.list_bookings(agent.request(request)).await;
        search.answer("ListBookings", answer);
        let request = GetCalendarEntryRequest {
            district: district(),
            booking: booking.to_owned(),
            ..GetCalendarEntryRequest::default()
        };
        let answer = self
            .service
            .get_calendar_entry(agent.request(request))
            .await;
        search.answer("GetCalendarEntry", answer);
        let request = CreateLinkRequest {
            district: district(),
            request_id: request_id(),
            booking: booking.to_owned(),
            purpose: LinkPurpose::Move.into(),
            ..CreateLinkRequest::default()
        };
        let answer = self.service.create_link(agent.request(request)).await;
        let link = search.answer("CreateLink", answer).link;
        let request = self.world.public.request(GetLinkedBookingRequest { link });
        let answer = self.service.get_linked_booking(request).await;
        search.answer("GetLinkedBooking", answer);
    }

    async fn moves(&mut self, booking: &str, to: &SlotAvailability, search: &mut Search) {
        let request = MoveBookingRequest {
            district: self.world.district.clone(),
            request_id: request_id(),
            booking: booking.to_owned(),
            slot: to.slot.clone(),
            ..MoveBookingRequest::default()
        };
        let answer = self.service.move_booking(self.agent.request(request)).await;
        search.answer("MoveBooking", answer);
    }

    async fn cancels(&mut self, booking: &str, search: &mut Search) {
        let request = CancelBookingRequest {
            district: self.world.district.clone(),
            request_id: request_id(),
            booking: booking.to_owned(),
            reason: CancelReason::Applicant.into(),
            ..CancelBookingRequest::default()
        };
        let answer = self.service.cancel_booking(self.agent.request(request));
        search.answer("CancelBooking", answer.await);
    }

    async fn waits(&mut self, slot: &SlotAvailability, search: &mut Search) {
        let at = slot.starts_at.unwrap_or_default().seconds;
        let (district, agent) = (|| self.world.district.clone(), &self.agent);
        let join = |telephone: &str| JoinWaitingListRequest {
            district: district(),
            request_id: request_id(),
            site: self.case.site.clone(),
            group: slot.group.clone(),
            item: self.case.item.clone(),
            applicant: self.case.applicant.clone(),
            from: day(at),
            to: day(at),
            // Nothing is given so late.
            earliest: "23:00".to_owned(),
            channel: Through::Phone.into(),
            proxy: relative(telephone),
            ..JoinWaitingListRequest::default()
        };
        let request = agent.request(join(TELEPHONE));
        let answer = self.service.join_waiting_list(request).await;
        search.refusal("JoinWaitingList, not masked", answer);
        let request = agent.request(join("139****0419"));
        let answer = self.service.join_waiting_list(request).await;
        let place = search.answer("JoinWaitingList", answer).waiting;
        let request = GetWaitingRequest {
            district: district(),
            waiting: place.unwrap_or_default().id,
            ..GetWaitingRequest::default()
        };
        let answer = self.service.get_waiting(agent.request(request)).await;
        search.answer("GetWaiting", answer);
        let request = ListWaitingRequest {
            district: district(),
            ..ListWaitingRequest::default()
        };
        let answer = self.service.list_waiting(agent.request(request)).await;
        search.answer("ListWaiting", answer);
    }

    /// Is reminded, and does not come.
    async fn stays_away(&mut self, slot: &SlotAvailability, search: &mut Search) {
        let starts = slot.starts_at.unwrap_or_default().seconds;
        self.world.advance(starts - 3600).await;
        self.until_on_record(|act| matches!(act, Act::ReminderDue(_)))
            .await;
        self.world.advance(starts + DAY).await;
        self.until_on_record(|act| matches!(act, Act::NoShowRecorded(_)))
            .await;
        let request = GetStandingRequest {
            district: self.world.district.clone(),
            applicant: self.case.applicant.clone(),
            ..GetStandingRequest::default()
        };
        let answer = self.service.get_standing(self.agent.request(request)).await;
        search.answer("GetStanding", answer);
    }

    /// What happens unasked stands in the feed.
    async fn until_on_record(&self, is_it: impl Fn(&Act) -> bool) {
        let began = Instant::now();
        loop {
            let acts = self.world.tail("scheduling").await;
            let mut acts = acts
                .iter()
                .filter_map(|act| SchedulingAct::decode(act.payload.as_slice()).ok()?.act);
            if acts.any(|act| is_it(&act)) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "not on record");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

/// Appointments of her whose case this is; all answers are searched.
pub async fn walk(world: &World, case: &Case, search: &mut Search) {
    let agent = world.agent();
    let mut desk = Desk {
        world,
        service: BookingServiceClient::new(agent.channel()),
        agent,
        case,
    };
    let slots = desk.free(search).await;
    let [first, second, .., last] = slots.as_slice() else {
        panic!("{slots:?}");
    };
    let given_up = desk.books(first, search).await;
    desk.cancels(&given_up, search).await;
    let kept = desk.books(first, search).await;
    desk.told(&kept, search).await;
    desk.moves(&kept, second, search).await;
    desk.waits(last, search).await;
    desk.stays_away(second, search).await;
}

/// Keys and values of Redis.
pub fn in_redis(redis: &Server, search: &mut Search) {
    let keys: Vec<String> = redis.ask(&["KEYS", "*"]);
    assert!(!keys.is_empty(), "the gate is elsewhere");
    for key in keys {
        search.bytes("a key of Redis", key.as_bytes());
        let kind: String = redis.ask(&["TYPE", &key]);
        if kind == "none" {
            // A day whose reservations have just ended is forgotten, and read anew by the next who asks.
            continue;
        }
        assert_eq!(kind, "string", "{key}: how is it read?");
        let value: Vec<u8> = redis.ask(&["GET", &key]);
        search.bytes(&format!("Redis, {key}"), &value);
    }
}
