//! Links that move or cancel an appointment without a login. A link is signed, ends with the appointment's start, and
//! works once: what it does raises the sequence that it names.

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_learned::district;
use bangban_proto::bangban::scheduling::v1::{
    Booking, CancelByLinkRequest, CancelReason, CreateLinkRequest, CreateLinkResponse,
    GetLinkedBookingRequest, LinkPurpose, LinkedBooking, MoveByLinkRequest,
};
use bangban_store::{Error, command::Command};
use tonic::{Request, Response, Status};

use super::{Rpc, command::fresh, read::called, taken, unknown};
use crate::{
    domain::{appointment, ics, link::Link, time},
    store::{
        self,
        load::{Found, Loaded},
    },
};

/// Who acts by a link: whoever holds it.
fn bearer() -> Caller {
    Caller {
        subject: "link".to_owned(),
        ..Caller::public()
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
        let link = Link {
            district: booking.district.clone(),
            booking: booking.id.clone(),
            sequence: booking.sequence,
            expires_at: time::of(booking.starts_at.as_ref()).timestamp(),
            purpose: r.purpose,
        };
        Ok(Response::new(CreateLinkResponse {
            link: link.signed(&self.links),
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
        Ok(Response::new(self.linked(booking, &link).await?))
    }

    pub(super) async fn cancelled_by_link(
        &self,
        request: Request<CancelByLinkRequest>,
    ) -> Result<Response<LinkedBooking>, Status> {
        let r = request.into_inner();
        let link = self.opened(&r.link).await?;
        link.is_for(LinkPurpose::Cancel)?;
        let caller = bearer();
        let mut command = Command::new(&caller, &r);
        command.district.clone_from(&link.district);
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
        let mut command = Command::new(&caller, &r);
        command.district.clone_from(&link.district);
        let what = (link.booking.as_str(), r.slot.as_str());
        let (booking, _) = self
            .moved(&caller, command, what, deadline, |loaded| {
                admitted(loaded, &link)
            })
            .await?;
        Ok(Response::new(self.linked(booking, &link).await?))
    }

    async fn linked(&self, booking: Booking, link: &Link) -> Result<LinkedBooking, Error> {
        let known = self.learned.now(&booking.district).await?;
        let site = known.site(&booking.site).cloned().unwrap_or_default();
        let calendar = ics::Entry::of(&booking, &site, called(&known)).calendar();
        Ok(LinkedBooking {
            state: booking.state,
            site: booking.site,
            site_name: site.name,
            address: site.address,
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            purpose: link.purpose,
            calendar,
        })
    }
}

/// The appointment of a link that was not used.
fn admitted(loaded: &mut Loaded, link: &Link) -> Result<Found, Refusal> {
    let found = loaded.booking.take().ok_or_else(unknown)?;
    link.is_fresh(found.0.sequence)?;
    Ok(found)
}
