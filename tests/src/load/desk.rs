//! Where the load books: a day of one site, with more seats than it ever takes, in slots that nobody else uses.

use std::time::{SystemTime, UNIX_EPOCH};

use bangban_proto::bangban::scheduling::v1::{
    Exception, ExceptionKind, GetAvailabilityRequest, Hours, PublishDaysRequest,
    PutExceptionRequest, booking_service_client::BookingServiceClient,
    capacity_service_client::CapacityServiceClient,
};

use crate::{DAY, cluster::Cluster, day, request_id};

/// Service group of the slots.
const GROUP: &str = "load";

/// When they begin and end: after the opening hours, so that they meet no others.
const HOURS: (&str, &str) = ("18:00", "22:00");

/// Length of a slot, in minutes.
const MINUTES: u32 = 10;

/// Seats of a slot: the most that it may have.
const SEATS: u32 = 500;

/// The desk.
#[derive(Clone)]
pub(super) struct Desk {
    /// The site.
    pub(super) site: String,
    /// The day, YYYY-MM-DD.
    pub(super) date: String,
    /// The ids of the slots.
    pub(super) slots: Vec<String>,
}

impl Desk {
    /// Publishes the day after tomorrow with these slots.
    ///
    /// # Panics
    /// When it cannot be booked.
    pub(super) async fn open(cluster: &Cluster, site: &str) -> Self {
        let operator = cluster.operator();
        let district = cluster.sample.district.id.clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("after 1970").as_secs();
        let date = day(i64::try_from(now).expect("seconds") + 2 * DAY);
        let hours = Hours {
            from: HOURS.0.to_owned(),
            to: HOURS.1.to_owned(),
            slot_minutes: MINUTES,
            capacity: SEATS,
            ..Hours::default()
        };
        let extra = PutExceptionRequest {
            district: district.clone(),
            request_id: request_id(),
            after: cluster.loaded.clone(),
            exception: Some(Exception {
                id: format!("load-{date}"),
                site: site.to_owned(),
                group: GROUP.to_owned(),
                date: date.clone(),
                kind: ExceptionKind::ExtraHours.into(),
                hours: vec![hours],
                reason: "示例".to_owned(),
                ..Exception::default()
            }),
            ..PutExceptionRequest::default()
        };
        let mut capacity = CapacityServiceClient::new(operator.channel());
        let put = capacity.put_exception(operator.request(extra)).await;
        let after = put.expect("extra hours").into_inner().position;
        let publish = PublishDaysRequest {
            district: district.clone(),
            request_id: request_id(),
            after: after.clone(),
            site: site.to_owned(),
            from: date.clone(),
            to: date.clone(),
            ..PublishDaysRequest::default()
        };
        let published = capacity.publish_days(operator.request(publish)).await;
        published.expect("published");
        let mut asked = Self {
            site: site.to_owned(),
            date,
            slots: Vec::new(),
        };
        let free = GetAvailabilityRequest {
            after,
            group: GROUP.to_owned(),
            ..asked.availability(district)
        };
        let free = BookingServiceClient::new(operator.channel())
            .get_availability(operator.request(free))
            .await;
        let days = free.expect("free times").into_inner().days;
        let slots = days.into_iter().flat_map(|day| day.slots);
        asked.slots = slots.map(|slot| slot.slot).collect();
        assert!(!asked.slots.is_empty(), "no slot can be booked");
        asked
    }

    /// Asks what is free.
    pub(super) fn availability(&self, district: String) -> GetAvailabilityRequest {
        GetAvailabilityRequest {
            district,
            sites: vec![self.site.clone()],
            from: self.date.clone(),
            to: self.date.clone(),
            ..GetAvailabilityRequest::default()
        }
    }
}
