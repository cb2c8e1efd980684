//! Calendars of districts: the national one with what differs (BX-3).

use bangban_calendar::{Calendar, Error, Kind, Override, OverrideKind, Reason, Row};
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Amendment, CalendarAmended, CalendarYearLoaded, DayKind, directory_act::Act,
};

use super::{Decision, day};

/// The calendar of a district: what ships, years loaded since, the district's own days.
///
/// # Errors
/// DATE_OUTSIDE_YEAR, DATE_OUTSIDE_CALENDAR, DATE_TWICE, SOURCE_MISSING (BX-3).
pub fn build(years: &[CalendarYearLoaded], amendments: &[Amendment]) -> Result<Calendar, Refusal> {
    let mut calendar = Calendar::national();
    for year in years {
        let rows = year.days.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let number = i32::try_from(year.year).unwrap_or_default();
        calendar = calendar.with_year(number, rows).map_err(refused)?;
    }
    let overrides = amendments.iter().map(own).collect::<Result<Vec<_>, _>>()?;
    calendar.with_overrides(overrides).map_err(refused)
}

/// Adds a day that differs in a district.
///
/// # Errors
/// AMENDMENT_EXISTS (BX-3); those of [`build`].
pub fn amend(
    mut amendments: Vec<Amendment>,
    years: &[CalendarYearLoaded],
    amendment: &Amendment,
    now: prost_types::Timestamp,
) -> Decision<Vec<Amendment>> {
    if amendments
        .iter()
        .any(|a| a.date == amendment.date && a.kind == amendment.kind)
    {
        return Err(Refusal::exists(
            "AMENDMENT_EXISTS",
            "BX-3",
            "该日期已作同样调整",
            "the day is amended already in the same sense",
        ));
    }
    let amendment = Amendment {
        amended_at: Some(now),
        ..amendment.clone()
    };
    amendments.retain(|a| a.date != amendment.date);
    amendments.push(amendment.clone());
    amendments.sort_by(|a, b| a.date.cmp(&b.date));
    build(years, &amendments)?;
    Ok((
        Act::CalendarAmended(CalendarAmended {
            amendment: Some(amendment),
        }),
        amendments,
    ))
}

/// Loads a year as the State Council published it.
///
/// # Errors
/// YEAR_IS_OFFICIAL (BX-3) for a year that ships; DATE_OUTSIDE_YEAR and those of [`build`].
pub fn load(
    year: u32,
    days: &[Amendment],
    now: prost_types::Timestamp,
) -> Decision<CalendarYearLoaded> {
    if Calendar::national().is_official(i32::try_from(year).unwrap_or_default()) {
        return Err(Refusal::precondition(
            "YEAR_IS_OFFICIAL",
            "BX-3",
            "该年度的官方日历已随产品提供",
            "the official calendar of this year ships with the product",
        ));
    }
    let days = days
        .iter()
        .map(|d| Amendment {
            amended_at: Some(now),
            ..d.clone()
        })
        .collect();
    let loaded = CalendarYearLoaded { year, days };
    build(std::slice::from_ref(&loaded), &[])?;
    Ok((Act::CalendarYearLoaded(loaded.clone()), loaded))
}

fn row(amendment: &Amendment) -> Result<Row, Refusal> {
    Ok(Row {
        date: day(&amendment.date, "amendment.date")?,
        kind: if amendment.kind() == DayKind::Work {
            Kind::Workday
        } else {
            Kind::Holiday
        },
        name: amendment.name.clone(),
        source: amendment.citation.clone(),
    })
}

fn own(amendment: &Amendment) -> Result<Override, Refusal> {
    Ok(Override {
        date: day(&amendment.date, "amendment.date")?,
        kind: if amendment.kind() == DayKind::Work {
            OverrideKind::Work
        } else {
            OverrideKind::Rest
        },
        name: amendment.name.clone(),
        citation: amendment.citation.clone(),
    })
}

/// The stable name of why a day is what it is.
#[must_use]
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Weekday => "WEEKDAY",
        Reason::Weekend => "WEEKEND",
        Reason::Holiday => "HOLIDAY",
        Reason::MakeUpWorkingDay => "MAKE_UP_WORKING_DAY",
        Reason::ProvisionalHoliday => "PROVISIONAL_HOLIDAY",
        Reason::DistrictRest => "DISTRICT_REST",
        Reason::DistrictWork => "DISTRICT_WORK",
        _ => "OTHER",
    }
}

/// A calendar's error as a refusal.
#[must_use]
pub fn refused(error: Error) -> Refusal {
    let (reason, zh) = match &error {
        Error::WrongYear { .. } | Error::EmptyYear(_) => ("DATE_OUTSIDE_YEAR", "日期不属于该年度"),
        Error::Duplicate(_) => ("DATE_TWICE", "同一日期出现两次"),
        Error::Unsourced(_) => ("SOURCE_MISSING", "调整缺少依据"),
        _ => ("DATE_OUTSIDE_CALENDAR", "日期超出日历范围"),
    };
    Refusal::invalid(reason, "BX-3", zh, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(date: &str) -> Amendment {
        Amendment {
            date: date.into(),
            kind: DayKind::Rest as i32,
            name: "洪水".into(),
            citation: "通告".into(),
            amended_at: None,
        }
    }

    #[test]
    fn a_day_is_amended_once_in_a_sense_and_can_be_turned() {
        let now = prost_types::Timestamp::default();
        let (_, once) = amend(Vec::new(), &[], &rest("2026-08-13"), now).expect("amended");
        let refused = amend(once.clone(), &[], &rest("2026-08-13"), now).expect_err("refused");
        assert_eq!(
            (refused.reason, refused.requirement),
            ("AMENDMENT_EXISTS", "BX-3")
        );
        let work = Amendment {
            kind: DayKind::Work as i32,
            ..rest("2026-08-13")
        };
        assert_eq!(amend(once, &[], &work, now).expect("turned").1.len(), 1);
    }

    #[test]
    fn a_shipped_year_is_not_loaded_and_a_year_holds_its_own_days() {
        let now = prost_types::Timestamp::default();
        assert_eq!(
            load(2025, &[rest("2025-01-01")], now)
                .expect_err("refused")
                .reason,
            "YEAR_IS_OFFICIAL"
        );
        assert_eq!(
            load(2031, &[rest("2032-01-01")], now)
                .expect_err("refused")
                .reason,
            "DATE_OUTSIDE_YEAR"
        );
        assert!(load(2031, &[rest("2031-01-01")], now).is_ok());
    }
}
