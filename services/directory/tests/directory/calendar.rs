//! Working calendars of districts.

use bangban_kit::identity::Caller;
use bangban_proto::bangban::directory::v1::{calendar_service_server::CalendarService as _, *};

use crate::instance::*;

on_both! {
    bx_3_an_amendment_is_a_new_version_for_its_district_alone
    bx_3_a_year_that_is_loaded_is_official_for_all_districts
    a_day_says_why_it_is_what_it_is
}

fn amendment(date: &str, kind: DayKind) -> Amendment {
    Amendment {
        date: date.into(),
        kind: kind as i32,
        name: "防汛".into(),
        citation: "秭归县人民政府通告（示例）".into(),
        amended_at: None,
    }
}

fn amend(date: &str, kind: DayKind) -> AmendCalendarRequest {
    AmendCalendarRequest {
        district: DISTRICT.into(),
        request_id: id(),
        amendment: Some(amendment(date, kind)),
    }
}

async fn read(at: &Instance, district: &str) -> Calendar {
    let request = GetCalendarRequest {
        district: district.into(),
        after: String::new(),
    };
    let answer = at.directory.get_calendar(by(&Caller::public(), request));
    answer.await.expect("read").into_inner()
}

async fn days(at: &Instance, from: &str, days: u32) -> Vec<CalendarDay> {
    let request = ListDaysRequest {
        district: DISTRICT.into(),
        from: from.into(),
        days,
        after: String::new(),
    };
    let answer = at.directory.list_days(by(&Caller::public(), request)).await;
    answer.expect("listed").into_inner().days
}

async fn bx_3_an_amendment_is_a_new_version_for_its_district_alone(at: &Instance) {
    at.found_district().await;
    let before = read(at, DISTRICT).await;
    let amended = at
        .directory
        .amend_calendar(by(&operator(), amend("2026-08-13", DayKind::Rest)));
    let amended = amended.await.expect("amended").into_inner();
    let after = amended.calendar.expect("a calendar");
    assert_ne!(after.version, before.version);
    assert!(after.amendments[0].amended_at.is_some());
    assert_eq!(read(at, DISTRICT).await, after);
    assert_eq!(read(at, "elsewhere").await.version, before.version);
    let day = days(at, "2026-08-13", 1).await.remove(0);
    assert_eq!(
        (day.is_working, day.reason.as_str()),
        (false, "DISTRICT_REST")
    );
    let again = at
        .directory
        .amend_calendar(by(&operator(), amend("2026-08-13", DayKind::Rest)));
    assert_eq!(refused(again.await), with("AMENDMENT_EXISTS", "BX-3"));
    let turned = at
        .directory
        .amend_calendar(by(&operator(), amend("2026-08-13", DayKind::Work)));
    turned.await.expect("turned");
    assert!(days(at, "2026-08-13", 1).await[0].is_working);
    let town = from_region("420527101");
    let narrow = at
        .directory
        .amend_calendar(by(&town, amend("2026-08-14", DayKind::Rest)));
    assert_eq!(refused(narrow.await), with("SCOPE_TOO_NARROW", "BB-1"));
}

async fn bx_3_a_year_that_is_loaded_is_official_for_all_districts(at: &Instance) {
    at.found_district().await;
    let provisional = days(at, "2027-01-01", 3).await;
    assert!(provisional.iter().all(|d| d.is_provisional));
    let load = |year, date: &str| LoadCalendarYearRequest {
        request_id: id(),
        year,
        days: vec![Amendment {
            name: "元旦".into(),
            ..amendment(date, DayKind::Rest)
        }],
    };
    for (request, reason) in [
        (load(2026, "2026-01-01"), "YEAR_IS_OFFICIAL"),
        (load(2027, "2028-01-01"), "DATE_OUTSIDE_YEAR"),
    ] {
        let answer = at.directory.load_calendar_year(by(&operator(), request));
        assert_eq!(refused(answer.await), with(reason, "BX-3"));
    }
    let before = read(at, DISTRICT).await.version;
    let loaded = at
        .directory
        .load_calendar_year(by(&operator(), load(2027, "2027-01-01")));
    loaded.await.expect("loaded");
    let official = days(at, "2027-01-01", 3).await;
    assert!(official.iter().all(|d| !d.is_provisional));
    assert_eq!(
        (official[0].is_working, official[0].reason.as_str()),
        (false, "HOLIDAY")
    );
    for district in [DISTRICT, "elsewhere"] {
        let calendar = read(at, district).await;
        assert_ne!(calendar.version, before);
        assert_eq!(calendar.national.len(), 1);
    }
    // Published again, corrected: the later one counts.
    let again = at
        .directory
        .load_calendar_year(by(&operator(), load(2027, "2027-01-04")));
    again.await.expect("loaded again");
    assert!(!days(at, "2027-01-04", 1).await[0].is_working);
}

async fn a_day_says_why_it_is_what_it_is(at: &Instance) {
    at.found_district().await;
    let week = days(at, "2026-10-01", 10).await;
    let told: Vec<_> = week
        .iter()
        .map(|d| (d.date.as_str(), d.is_working, d.reason.as_str()))
        .collect();
    assert_eq!(told[0], ("2026-10-01", false, "HOLIDAY"));
    assert_eq!(told[7], ("2026-10-08", true, "WEEKDAY"));
    assert_eq!(told[9], ("2026-10-10", true, "MAKE_UP_WORKING_DAY"));
    assert!(
        week.iter()
            .filter(|d| d.reason == "HOLIDAY")
            .all(|d| !d.source.is_empty())
    );
}
