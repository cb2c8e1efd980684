//! Links that move or cancel an appointment without a login. A link is signed, ends with the appointment's start, and
//! works once: what it does raises the sequence that it names. Who moves by one is given the next, and who lost the answer
//! has it by the same request again.

use std::collections::BTreeSet;

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_learned::district;
use bangban_proto::{
    Head,
    bangban::scheduling::v1::{
        Booking, BookingState, CancelByLinkRequest, CancelReason, CreateLinkRequest,
        CreateLinkResponse, DayAvailability, GetLinkedBookingRequest, LinkPurpose, LinkedBooking,
        MoveByLinkRequest,
    },
};
use bangban_store::{Error, command::Command};
use chrono::{Days, NaiveDate};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Rpc, command::fresh, hold::slot_of, read::called, taken, unknown};
use crate::{
    domain::{appointment, ics, link::Link, outside::today, time},
    store::{
        self,
        load::{Found, Loaded},
    },
};

/// How many days before an appointment other times are shown.
const DAYS_BEFORE: Days = Days::new(7);

/// How many days behind it.
const DAYS_BEHIND: Days = Days::new(14);

/// Who acts by a link: whoever holds it.
fn bearer() -> Caller {
    Caller {
        subject: "link".to_owned(),
        ..Caller::public()
    }
}

/// The command of a request by a link. All that is asked for is its request id: the same again is a repetition, and with
/// another body it is another request, by a link that was used.
fn command<R: Head + Message>(bearer: &Caller, request: &R, link: &Link) -> Command {
    let mut command = Command::new(bearer, request);
    command.district.clone_from(&link.district);
    command.asked.request_id = hex::encode(command.asked.digest);
    command
}

/// A link to an appointment as it stands, until its start.
fn to(booking: &Booking, purpose: LinkPurpose) -> Link {
    Link {
        district: booking.district.clone(),
        booking: booking.id.clone(),
        sequence: booking.sequence,
        expires_at: time::of(booking.starts_at.as_ref()).timestamp(),
        purpose: purpose.into(),
    }
}

impl Rpc {
    pub(super) async fn link_created(
        &self,
        request: Request<CreateLinkRequest>,
    ) -> Result<Response<CreateLinkResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let known = self.learned.now(&r.district).await?;
        let scope = district::of(&known, &caller, &r.district)?;
        let found = store::find(&self.store, &scope, &caller, &r.booking).await?;
        let booking = found.ok_or_else(unknown)?;
        fresh(&r, &booking.etag)?;
        appointment::is_open(&booking)?;
        Ok(Response::new(CreateLinkResponse {
            link: to(&booking, r.purpose()).signed(&self.links),
            expires_at: booking.starts_at,
        }))
    }

    async fn opened(&self, text: &str) -> Result<Link, Error> {
        let now = self.store.now().await?;
        Ok(Link::open(text, &self.links, now.at)?)
    }

    pub(super) async fn read_linked(
        &self,
        request: Request<GetLinkedBookingRequest>,
    ) -> Result<Response<LinkedBooking>, Status> {
        let r = request.into_inner();
        let link = self.opened(&r.link).await?;
        let scope = bangban_kit::scope::Scope::whole(&link.district);
        let found = store::find(&self.store, &scope, &bearer(), &link.booking).await?;
        let booking = found.ok_or_else(unknown)?;
        link.is_fresh(booking.sequence)?;
        let days = match (link.purpose(), booking.state()) {
            (LinkPurpose::Move, BookingState::Confirmed) => self.other_slots(&booking).await?,
            _ => Vec::new(),
        };
        let mut linked = self.linked(booking, &link).await?;
        linked.days = days;
        Ok(Response::new(linked))
    }

    pub(super) async fn cancelled_by_link(
        &self,
        request: Request<CancelByLinkRequest>,
    ) -> Result<Response<LinkedBooking>, Status> {
        let r = request.into_inner();
        let link = self.opened(&r.link).await?;
        link.is_for(LinkPurpose::Cancel)?;
        let caller = bearer();
        let command = command(&caller, &r, &link);
        let reason = CancelReason::Applicant;
        let (booking, _) = self
            .cancel(&caller, command, &link.booking, reason, |loaded| {
                admitted(loaded, &link)
            })
            .await?;
        Ok(Response::new(self.linked(booking, &link).await?))
    }

    pub(super) async fn moved_by_link(
        &self,
        request: Request<MoveByLinkRequest>,
    ) -> Result<Response<LinkedBooking>, Status> {
        let (_, deadline, r) = taken(request);
        let link = self.opened(&r.link).await?;
        link.is_for(LinkPurpose::Move)?;
        let caller = bearer();
        let command = command(&caller, &r, &link);
        let what = (link.booking.as_str(), r.slot.as_str());
        let (booking, _) = self
            .moved(&caller, command, what, deadline, |loaded| {
                admitted(loaded, &link)
            })
            .await?;
        let next = to(&booking, LinkPurpose::Move);
        let expires_at = booking.starts_at;
        let mut linked = self.linked(booking, &next).await?;
        linked.next_link = next.signed(&self.links);
        linked.next_link_expires_at = expires_at;
        Ok(Response::new(linked))
    }

    async fn linked(&self, booking: Booking, link: &Link) -> Result<LinkedBooking, Error> {
        let known = self.learned.now(&booking.district).await?;
        let site = known.site(&booking.site).cloned().unwrap_or_default();
        let calendar = ics::Entry::of(&booking, &site, called(&known)).calendar();
        let other_times = match link.purpose() {
            LinkPurpose::Move => appointment::offered(&booking).cloned(),
            _ => None,
        };
        Ok(LinkedBooking {
            state: booking.state,
            other_times,
            site: booking.site,
            site_name: site.name,
            address: site.address,
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            purpose: link.purpose,
            calendar,
            ..LinkedBooking::default()
        })
    }

    /// Where an appointment could be moved to within its site: on published days around it, and on those of the other times
    /// that were offered. Without its own slot, and without any gate nothing is known, which is no error.
    async fn other_slots(&self, booking: &Booking) -> Result<Vec<DayAvailability>, Error> {
        let date = today(time::of(booking.starts_at.as_ref()));
        let now = today(self.doors.now());
        let around = (date - DAYS_BEFORE).max(now)..=date + DAYS_BEHIND;
        let mut dates: BTreeSet<NaiveDate> = around
            .start()
            .iter_days()
            .take_while(|date| around.contains(date))
            .collect();
        let offered = appointment::offered(booking).map(|o| o.slots.as_slice());
        for slot in offered.unwrap_or_default() {
            let slot = slot_of(slot)?;
            if slot.day.site == booking.site {
                dates.insert(slot.day.date);
            }
        }
        let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
            return Ok(Vec::new());
        };
        let (site, group) = (booking.site.as_str(), booking.group.as_str());
        let mut days = self
            .free_days(&booking.district, site, (*first, *last), group)
            .await?;
        days.retain(|day| {
            day.is_published
                && day
                    .date
                    .parse::<NaiveDate>()
                    .is_ok_and(|d| dates.contains(&d))
        });
        for day in &mut days {
            day.slots.retain(|slot| slot.slot != booking.slot);
        }
        Ok(days)
    }
}

/// The appointment of a link that was not used.
fn admitted(loaded: &mut Loaded, link: &Link) -> Result<Found, Refusal> {
    let found = loaded.booking.take().ok_or_else(unknown)?;
    link.is_fresh(found.0.sequence)?;
    Ok(found)
}
