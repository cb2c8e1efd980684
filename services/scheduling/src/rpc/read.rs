//! Reads: each narrowed to what the caller may see.

use bangban_kit::page::Page;
use bangban_kit::{identity::Caller, scope::Scope};
use bangban_learned::{district, known::Known};
use bangban_proto::bangban::scheduling::v1::{
    Booking, BookingPolicy, Day, GetBookingPolicyRequest, GetBookingRatesRequest,
    GetBookingRatesResponse, GetBookingRequest, GetCalendarEntryRequest, GetCalendarEntryResponse,
    GetDayRequest, GetPublicationRequest, GetStandingRequest, ListBookingsRequest,
    ListBookingsResponse, ListExceptionsRequest, ListExceptionsResponse, ListTemplatesRequest,
    ListTemplatesResponse, ListWaitingRequest, ListWaitingResponse, Publication, Standing,
};
use bangban_store::Error;
use tonic::{Request, Response, Status};

use super::{
    Rpc,
    capacity::{site_of, tagged},
    taken, unknown,
};
use crate::{
    domain::{ics, outside::dates, policy, rate::Counts, slot, time},
    store::{self, DayKey, capacity, us},
};

/// What people call a district.
pub(super) fn called(known: &Known) -> &str {
    known.district.as_ref().map_or("", |d| &d.name)
}

impl Rpc {
    async fn ground_of(
        &self,
        caller: &Caller,
        (after, district): (&str, &str),
    ) -> Result<(Scope, std::sync::Arc<Known>), Error> {
        self.store.wait_for(after).await?;
        let known = self.learned.now(district).await?;
        Ok((district::of(&known, caller, district)?, known))
    }

    pub(super) async fn read_templates(
        &self,
        request: Request<ListTemplatesRequest>,
    ) -> Result<Response<ListTemplatesResponse>, Status> {
        let (caller, _, r) = taken(request);
        let (scope, known) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        site_of(&known, &scope, &r.site)?;
        let kept = capacity::of_site(&self.store, &r.district, &r.site).await?;
        Ok(Response::new(ListTemplatesResponse {
            templates: kept.body.templates,
        }))
    }

    pub(super) async fn read_exceptions(
        &self,
        request: Request<ListExceptionsRequest>,
    ) -> Result<Response<ListExceptionsResponse>, Status> {
        let (caller, _, r) = taken(request);
        let (first, last) = dates(&r.from, &r.to)?;
        let (scope, known) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        site_of(&known, &scope, &r.site)?;
        let kept = capacity::of_site(&self.store, &r.district, &r.site).await?;
        let (first, last) = (first.to_string(), last.to_string());
        let mut exceptions = kept.body.exceptions;
        exceptions.retain(|e| (first.as_str()..=last.as_str()).contains(&e.date.as_str()));
        Ok(Response::new(ListExceptionsResponse { exceptions }))
    }

    pub(super) async fn read_publication(
        &self,
        request: Request<GetPublicationRequest>,
    ) -> Result<Response<Publication>, Status> {
        let (caller, _, r) = taken(request);
        let (scope, known) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        site_of(&known, &scope, &r.site)?;
        let kept = capacity::of_site(&self.store, &r.district, &r.site).await?;
        let publication = kept.body.publication.unwrap_or_else(|| Publication {
            site: r.site.clone(),
            ..Publication::default()
        });
        Ok(Response::new(publication))
    }

    pub(super) async fn read_day(
        &self,
        request: Request<GetDayRequest>,
    ) -> Result<Response<Day>, Status> {
        let (caller, _, r) = taken(request);
        let date = time::date("date", &r.date)?;
        let (scope, known) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        site_of(&known, &scope, &r.site)?;
        let key = DayKey {
            site: r.site.clone(),
            date,
        };
        let mut kept = capacity::day(&self.store, &r.district, &key).await?;
        if kept.version == 0 {
            return Err(slot::day_unpublished("date").into());
        }
        tagged(&mut kept.body);
        Ok(Response::new(kept.body))
    }

    pub(super) async fn read_policy(
        &self,
        request: Request<GetBookingPolicyRequest>,
    ) -> Result<Response<BookingPolicy>, Status> {
        let (caller, _, r) = taken(request);
        self.ground_of(&caller, (&r.after, &r.district)).await?;
        let kept = capacity::policy(&self.store, &r.district).await?;
        Ok(Response::new(policy::filled(&kept.body)))
    }

    pub(super) async fn read_booking(
        &self,
        request: Request<GetBookingRequest>,
    ) -> Result<Response<Booking>, Status> {
        let (caller, _, r) = taken(request);
        let (scope, _) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        let found = store::find(&self.store, &scope, &caller, &r.booking).await?;
        Ok(Response::new(found.ok_or_else(unknown)?))
    }

    pub(super) async fn read_bookings(
        &self,
        request: Request<ListBookingsRequest>,
    ) -> Result<Response<ListBookingsResponse>, Status> {
        let (caller, _, r) = taken(request);
        let date = |field, text: &str| match text {
            "" => Ok(None),
            text => time::date(field, text).map(Some),
        };
        let (from, to) = (date("from", &r.from)?, date("to", &r.to)?);
        if let (Some(_), Some(_)) = (from, to) {
            dates(&r.from, &r.to)?;
        }
        let (scope, _) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        let filters = format!(
            "{scope:?} {} {} {} {} {} {} {} {}",
            caller.subject, r.site, r.from, r.to, r.state, r.applicant, r.consultation, r.case
        );
        let page = Page::new(r.page_size, &r.page_token, &["ListBookings", &filters])?;
        let (bookings, has_more) =
            store::list(&self.store, &scope, &caller, &r, (from, to), &page).await?;
        let next_page_token = match bookings.last().filter(|_| has_more) {
            None => String::new(),
            Some(last) => {
                let starts = us(last.starts_at.as_ref()).unwrap_or_default();
                page.token(&[&starts.to_string(), &last.id])
            }
        };
        Ok(Response::new(ListBookingsResponse {
            bookings,
            next_page_token,
        }))
    }

    pub(super) async fn read_calendar(
        &self,
        request: Request<GetCalendarEntryRequest>,
    ) -> Result<Response<GetCalendarEntryResponse>, Status> {
        let (caller, _, r) = taken(request);
        let (scope, known) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        let found = store::find(&self.store, &scope, &caller, &r.booking).await?;
        let booking = found.ok_or_else(unknown)?;
        let site = known.site(&booking.site).cloned().unwrap_or_default();
        let entry = ics::Entry::of(&booking, &site, called(&known));
        let method = if entry.is_cancelled {
            "CANCEL"
        } else {
            "REQUEST"
        };
        Ok(Response::new(GetCalendarEntryResponse {
            calendar: entry.calendar(),
            method: method.to_owned(),
        }))
    }

    pub(super) async fn read_waiting_list(
        &self,
        request: Request<ListWaitingRequest>,
    ) -> Result<Response<ListWaitingResponse>, Status> {
        let (caller, _, r) = taken(request);
        let (scope, _) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        let filters = format!(
            "{scope:?} {} {} {} {}",
            caller.subject, r.site, r.group, r.applicant
        );
        let page = Page::new(r.page_size, &r.page_token, &["ListWaiting", &filters])?;
        let (waiting, has_more) =
            store::list_waiting(&self.store, &scope, &caller, &r, &page).await?;
        let next_page_token = match waiting.last().filter(|_| has_more) {
            None => String::new(),
            Some(last) => {
                let joined = us(last.joined_at.as_ref()).unwrap_or_default();
                page.token(&[
                    &i32::from(last.groups.is_empty()).to_string(),
                    &joined.to_string(),
                    &last.id,
                ])
            }
        };
        Ok(Response::new(ListWaitingResponse {
            waiting,
            next_page_token,
        }))
    }

    pub(super) async fn read_standing(
        &self,
        request: Request<GetStandingRequest>,
    ) -> Result<Response<Standing>, Status> {
        let (caller, _, r) = taken(request);
        let (scope, _) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        let standing = store::standing(&self.store, &scope, &r.applicant).await?;
        Ok(Response::new(standing))
    }

    pub(super) async fn read_rates(
        &self,
        request: Request<GetBookingRatesRequest>,
    ) -> Result<Response<GetBookingRatesResponse>, Status> {
        let (caller, _, r) = taken(request);
        let period = dates(&r.from, &r.to)?;
        let (scope, _) = self.ground_of(&caller, (&r.after, &r.district)).await?;
        let [on_time_count, breach_count, no_show_count, cancelled_count] =
            store::verdicts(&self.store, &scope, &caller, period).await?;
        let counts = Counts {
            on_time_count,
            breach_count,
            no_show_count,
        };
        Ok(Response::new(GetBookingRatesResponse {
            started_count: counts.due_count(),
            on_time_count,
            on_time_rate: counts.on_time_rate(),
            no_show_count,
            cancelled_count,
        }))
    }
}
