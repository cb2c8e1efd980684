//! Calendars.

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    AmendCalendarRequest, Calendar, CalendarChange, CalendarDay, CalendarYearLoaded,
    GetCalendarRequest, ListDaysRequest, ListDaysResponse, LoadCalendarYearRequest,
};
use bangban_store::Error;

use super::{On, bodies, whole};
use crate::{
    Directory,
    domain::{self, calendar},
    store::resource::{self, Place},
};

fn told(own: Calendar, years: &[CalendarYearLoaded]) -> Result<Calendar, Refusal> {
    let version = calendar::build(years, &own.amendments)?
        .version()
        .to_owned();
    let national = years.iter().flat_map(|y| y.days.clone()).collect();
    Ok(Calendar {
        amendments: own.amendments,
        version,
        national,
    })
}

impl Directory {
    async fn years(&self) -> Result<Vec<CalendarYearLoaded>, Error> {
        let rows = resource::all(&self.store.db, &Scope::whole(""), "calendar_year", None).await?;
        Ok(bodies(rows))
    }

    async fn calendar(&self, district: &str) -> Result<(Calendar, Vec<CalendarYearLoaded>), Error> {
        let found = self
            .row::<Calendar>(&Scope::whole(district), "calendar", "calendar")
            .await?;
        Ok((
            found.map(|r| r.body).unwrap_or_default(),
            self.years().await?,
        ))
    }

    pub(crate) async fn amend_calendar(
        &self,
        caller: &Caller,
        request: &AmendCalendarRequest,
    ) -> Result<CalendarChange, Error> {
        let decide = move |on: On| async move {
            whole(&on.scope)?;
            let found = self
                .row::<Calendar>(&on.scope, "calendar", "calendar")
                .await?;
            let years = self.years().await?;
            let before = found.as_ref().map(|r| r.body.amendments.clone());
            let amendment = request.amendment.clone().unwrap_or_default();
            let (act, amendments) = calendar::amend(
                before.unwrap_or_default(),
                &years,
                &amendment,
                on.now.timestamp(),
            )?;
            let own = Calendar {
                amendments,
                ..Calendar::default()
            };
            let answer = told(own.clone(), &years)?;
            let place = Place::new(&on.scope, "calendar", "calendar");
            Ok(on.put(&place, found.as_ref(), (act, own)).answering(answer))
        };
        self.change(caller, request, decide).await
    }

    pub(crate) async fn load_calendar_year(
        &self,
        caller: &Caller,
        request: &LoadCalendarYearRequest,
    ) -> Result<CalendarChange, Error> {
        let decide = move |on: On| async move {
            let place = Place::new(&on.scope, "calendar_year", request.year.to_string());
            let found = self
                .row::<CalendarYearLoaded>(&on.scope, place.kind, &place.id)
                .await?;
            let loaded = calendar::load(request.year, &request.days, on.now.timestamp())?;
            let mut years = self.years().await?;
            years.retain(|y| y.year != request.year);
            years.push(loaded.1.clone());
            years.sort_by_key(|y| y.year);
            let answer = told(Calendar::default(), &years)?;
            Ok(on.put(&place, found.as_ref(), loaded).answering(answer))
        };
        self.change_installation(caller, request, decide).await
    }

    pub(crate) async fn get_calendar(
        &self,
        _: &Caller,
        request: &GetCalendarRequest,
    ) -> Result<Calendar, Error> {
        self.store.wait_for(&request.after).await?;
        let (own, years) = self.calendar(&request.district).await?;
        Ok(told(own, &years)?)
    }

    pub(crate) async fn list_days(
        &self,
        _: &Caller,
        request: &ListDaysRequest,
    ) -> Result<ListDaysResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let (own, years) = self.calendar(&request.district).await?;
        let calendar = calendar::build(&years, &own.amendments)?;
        let first = domain::day(&request.from, "from")?;
        let mut days = Vec::new();
        for date in first
            .iter_days()
            .take(usize::try_from(request.days).unwrap_or_default())
        {
            let day = calendar.day(date).map_err(calendar::refused)?;
            days.push(CalendarDay {
                date: date.to_string(),
                is_working: day.is_working,
                is_provisional: day.is_provisional,
                reason: calendar::reason(day.reason).to_owned(),
                name: day.name.unwrap_or_default(),
                source: day.source,
            });
        }
        Ok(ListDaysResponse {
            days,
            calendar_version: calendar.version().to_owned(),
        })
    }
}
