//! A year that the State Council has not settled yet: weekends and the thirteen statutory holidays.
//!
//! 全国年节及纪念日放假办法 (as amended from 2025-01-01) art. 2 names the days; art. 6 wants one that falls on a
//! Saturday or Sunday made up on a working day. Which weekends are swapped for longer holidays only the
//! yearly notice says, so nothing is swapped here.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use tyme4rs::tyme::lunar::LunarDay;
use tyme4rs::tyme::solar::{SolarDay, SolarTerm};

/// What the days of a provisional year cite.
pub(crate) const SOURCE: &str =
    "全国年节及纪念日放假办法 (2025) arts. 2, 6; no notice loaded for this year";

/// Index of 清明 among the solar terms, counted from the winter solstice.
const QINGMING: isize = 7;

/// The statutory holidays of a year and the working days that make up for those on a weekend.
///
/// Two holidays on one date (Mid-Autumn in the National Day days: 2028, 2031, …) still make thirteen days: the second
/// is made up too, as the notices for 2009 and 2020 did.
pub(crate) fn holidays(year: i32) -> BTreeMap<NaiveDate, &'static str> {
    let mut off = BTreeMap::new();
    let mut owed = Vec::new();
    for (date, name) in statutory(year) {
        let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        if off.insert(date, name).is_some() || is_weekend {
            owed.push((date, name));
        }
    }
    for (date, name) in owed {
        let mut candidate = date;
        loop {
            candidate = candidate + Days::new(1);
            let is_weekend = matches!(candidate.weekday(), Weekday::Sat | Weekday::Sun);
            if !is_weekend && !off.contains_key(&candidate) {
                off.insert(candidate, name);
                break;
            }
        }
    }
    off
}

/// The thirteen days themselves, in the order of the regulation.
fn statutory(year: i32) -> [(NaiveDate, &'static str); 13] {
    let lunar = |month, day| date(&LunarDay::from_ymd(year as isize, month, day).get_solar_day());
    let first = lunar(1, 1);
    let qingming = date(
        &SolarTerm::from_index(year as isize, QINGMING)
            .get_julian_day()
            .get_solar_day(),
    );
    let fixed =
        |month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a date of every year");
    [
        (fixed(1, 1), "元旦"),
        (first - Days::new(1), "春节"),
        (first, "春节"),
        (first + Days::new(1), "春节"),
        (first + Days::new(2), "春节"),
        (qingming, "清明节"),
        (fixed(5, 1), "劳动节"),
        (fixed(5, 2), "劳动节"),
        (lunar(5, 5), "端午节"),
        (lunar(8, 15), "中秋节"),
        (fixed(10, 1), "国庆节"),
        (fixed(10, 2), "国庆节"),
        (fixed(10, 3), "国庆节"),
    ]
}

fn date(day: &SolarDay) -> NaiveDate {
    NaiveDate::from_ymd_opt(
        day.get_year() as i32,
        day.get_month() as u32,
        day.get_day() as u32,
    )
    .expect("a solar day is a date")
}
