//! Calendars.

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    AmendCalendarRequest, Calendar, CalendarChange, CalendarDay, CalendarYearLoaded,
    GetCalendarRequest, ListDaysRequest, ListDaysResponse, LoadCalendarYearRequest,
};
use bangban_store::{Error, Now};

use super::{Step, chain, whole};
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
        Ok(rows.into_iter().map(|r| r.body).collect())
    }

    async fn calendar(&self, district: &str) -> Result<(Calendar, Vec<CalendarYearLoaded>), Error> {
        let found = resource::get::<Calendar>(
            &self.store.db,
            &Scope::whole(district),
            "calendar",
            "calendar",
        )
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
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, &request.district).await?;
            whole(&scope)?;
            let found =
                resource::get::<Calendar>(&self.store.db, &scope, "calendar", "calendar").await?;
            let years = self.years().await?;
            let before = found
                .as_ref()
                .map(|r| r.body.amendments.clone())
                .unwrap_or_default();
            let amendment = request.amendment.clone().unwrap_or_default();
            let (act, amendments) = calendar::amend(before, &years, &amendment, now.timestamp())?;
            let state = Calendar {
                amendments,
                ..Calendar::default()
            };
            let chain = chain(
                &scope,
                "calendar".to_owned(),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let place = Place {
                district: scope.district().to_owned(),
                kind: "calendar",
                id: "calendar".to_owned(),
                ..Place::default()
            };
            let states = vec![resource::put(
                &place,
                resource::tip(found.as_ref()).0,
                &chain,
                &state,
                now,
            )];
            let answer = CalendarChange {
                calendar: Some(told(state, &years)?),
                ..CalendarChange::default()
            };
            Ok(Step::new(chain, answer, states))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(CalendarChange {
            position: position.to_string(),
            ..answer
        })
    }

    pub(crate) async fn load_calendar_year(
        &self,
        caller: &Caller,
        request: &LoadCalendarYearRequest,
    ) -> Result<CalendarChange, Error> {
        let decide = move |now: Now| async move {
            let scope = Scope::whole("");
            let id = request.year.to_string();
            let found =
                resource::get::<CalendarYearLoaded>(&self.store.db, &scope, "calendar_year", &id)
                    .await?;
            let (act, state) = calendar::load(request.year, &request.days, now.timestamp())?;
            let chain = chain(
                &scope,
                format!("calendar/{id}"),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let place = Place {
                kind: "calendar_year",
                id,
                ..Place::default()
            };
            let mut years = self.years().await?;
            years.retain(|y| y.year != state.year);
            years.push(state.clone());
            years.sort_by_key(|y| y.year);
            let states = vec![resource::put(
                &place,
                resource::tip(found.as_ref()).0,
                &chain,
                &state,
                now,
            )];
            let answer = CalendarChange {
                calendar: Some(told(Calendar::default(), &years)?),
                ..CalendarChange::default()
            };
            Ok(Step::new(chain, answer, states))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(CalendarChange {
            position: position.to_string(),
            ..answer
        })
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
