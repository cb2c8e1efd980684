//! An installation whose districts give appointments, and who books there.

use bangban::{client::Client, client::answered, failure::Failure, sample::operator};
use bangban_proto::bangban::scheduling::v1::{
    BookingPolicy, Exception, ExceptionKind, Hours, PublishDaysRequest, PutBookingPolicyRequest,
    PutExceptionRequest, capacity_service_client::CapacityServiceClient,
};
use chrono::{Days, NaiveDate, Utc};

use super::slots::GROUP;
use crate::{
    database::Database,
    place::Place,
    server::{Installation, Serving},
    world::{self, SITE, World, request_id},
};

/// Hours from half past eight on, and the seats of each slot.
pub fn hours(to: &str, slot_minutes: u32, capacity: u32) -> Hours {
    Hours {
        from: "08:30".to_owned(),
        to: to.to_owned(),
        slot_minutes,
        capacity,
        ..Hours::default()
    }
}

/// The installation.
pub struct Desk {
    /// Its processes.
    pub serving: Serving,
    /// Its folder, database and Redis.
    pub installation: Installation,
    /// May do everything.
    pub operator: Client,
    /// Districts and agents.
    pub world: World,
}

impl Desk {
    /// So many districts with so many agents each.
    pub async fn open(
        database: &Database,
        districts: usize,
        agents: usize,
    ) -> Result<Self, Failure> {
        let mut installation = Installation::new(&database.url)?;
        installation.config.redis.url = std::env::var("REDIS_URL").map_err(|_| {
            Failure::new("there is no REDIS_URL: `make bench` starts a Redis and sets it.")
        })?;
        installation
            .run(&["import", "regions", &world::regions()])
            .await?;
        let serving = installation.serve().await?;
        let place = Place::One(&installation, &serving);
        let operator = place.client(&operator())?;
        let world = World::load_with(&place, districts, agents).await?;
        Ok(Self {
            serving,
            operator,
            world,
            installation,
        })
    }

    fn capacity(&self) -> CapacityServiceClient<bangban::client::Channel> {
        CapacityServiceClient::new(self.operator.channel())
    }

    /// By which rules people of a district book.
    pub async fn rules(&self, district: &str, policy: BookingPolicy) -> Result<(), Failure> {
        let request = PutBookingPolicyRequest {
            district: district.to_owned(),
            request_id: request_id(),
            after: self.world.loaded.clone(),
            policy: Some(policy),
            ..PutBookingPolicyRequest::default()
        };
        let answer = self
            .capacity()
            .put_booking_policy(self.operator.request(request))
            .await;
        answered("the rules of booking", answer).map(|_| ())
    }

    /// Days with these hours, whether offices work or rest, published.
    pub async fn days(
        &self,
        district: &str,
        days: &[NaiveDate],
        hours: &Hours,
    ) -> Result<(), Failure> {
        for date in days {
            self.extra(district, *date, hours).await?;
        }
        self.publish(district, days).await
    }

    async fn extra(&self, district: &str, date: NaiveDate, hours: &Hours) -> Result<(), Failure> {
        let exception = Exception {
            id: format!("extra-{date}"),
            site: SITE.to_owned(),
            group: GROUP.to_owned(),
            date: date.to_string(),
            kind: ExceptionKind::ExtraHours.into(),
            hours: vec![hours.clone()],
            reason: "示例".to_owned(),
            ..Exception::default()
        };
        let request = PutExceptionRequest {
            district: district.to_owned(),
            request_id: request_id(),
            after: self.world.loaded.clone(),
            exception: Some(exception),
            ..PutExceptionRequest::default()
        };
        let answer = self
            .capacity()
            .put_exception(self.operator.request(request))
            .await;
        answered("an exception", answer).map(|_| ())
    }

    async fn publish(&self, district: &str, days: &[NaiveDate]) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Ok(());
        };
        let request = PublishDaysRequest {
            district: district.to_owned(),
            request_id: request_id(),
            site: SITE.to_owned(),
            from: first.to_string(),
            to: last.to_string(),
            ..PublishDaysRequest::default()
        };
        let answer = self
            .capacity()
            .publish_days(self.operator.request(request))
            .await;
        let published = answered("days cannot be published", answer)?.days;
        if published.len() == days.len() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "of {} days {} were published",
            days.len(),
            published.len()
        )))
    }
}

/// So many days, from the day after tomorrow on.
pub fn days(count: usize) -> Vec<NaiveDate> {
    let first = Utc::now().date_naive() + Days::new(2);
    first.iter_days().take(count).collect()
}
