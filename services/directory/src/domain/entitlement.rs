//! Entitlements that begin with an age (BB-4.2c).

use bangban_proto::bangban::directory::v1::{EntitlementNear, directory_act::Act};
use chrono::{Datelike as _, Days, NaiveDate};

use super::acts;

/// How many days before it begins an entitlement is noted.
const DAYS_AHEAD: u64 = 30;

/// A day of birth in the form that is indexed.
#[must_use]
pub fn birthday(born: NaiveDate) -> String {
    born.to_string()
}

/// The day on which an age is reached. Who was born on 29 February reaches it on 1 March in other years.
#[must_use]
pub fn begins_on(born: NaiveDate, age: u32) -> Option<NaiveDate> {
    let year = born.year().checked_add_unsigned(age)?;
    born.with_year(year)
        .or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

/// Days of birth of those who reach an age within the days ahead; who reaches it today is no longer reminded.
#[must_use]
pub fn births(age: u32, today: NaiveDate) -> Vec<NaiveDate> {
    let mut births = Vec::new();
    for ahead in 1..=DAYS_AHEAD {
        let Some(begins) = today.checked_add_days(Days::new(ahead)) else {
            break;
        };
        let Some(year) = begins.year().checked_sub_unsigned(age) else {
            break;
        };
        let born = [begins.with_year(year), NaiveDate::from_ymd_opt(year, 2, 29)];
        births.extend(
            born.into_iter()
                .flatten()
                .filter(|born| begins_on(*born, age) == Some(begins)),
        );
    }
    births.dedup();
    births
}

/// The act that notes an entitlement, without the day on which it begins: that would tell the date of birth.
#[must_use]
pub fn near(applicant: &str, item: &str) -> Act {
    Act::EntitlementNear(EntitlementNear {
        applicant: applicant.to_owned(),
        item: item.to_owned(),
        ..EntitlementNear::default()
    })
}

/// The subject of that act. It has no other, so what was noted once is noted for ever.
#[must_use]
pub fn subject(applicant: &str, item: &str) -> String {
    let (before, after) = around(item);
    format!("{before}{applicant}{after}")
}

/// What stands in that subject before the applicant's id, and behind it.
#[must_use]
pub fn around(item: &str) -> (String, String) {
    (
        acts::subject("applicant", ""),
        format!("/entitlements/{item}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn bb_4_2c_the_window_is_from_tomorrow_to_thirty_days_ahead() {
        let born = day("1946-12-20");
        for (today, is_near) in [
            ("2026-11-19", false),
            ("2026-11-20", true),
            ("2026-12-19", true),
            ("2026-12-20", false),
            ("2025-12-10", false),
        ] {
            assert_eq!(births(80, day(today)).contains(&born), is_near, "{today}");
        }
    }

    #[test]
    fn bb_4_2c_29_february_counts_as_1_march_in_other_years() {
        let born = day("1948-02-29");
        assert_eq!(begins_on(born, 80), Some(day("2028-02-29")));
        assert_eq!(begins_on(born, 81), Some(day("2029-03-01")));
        assert!(births(81, day("2029-02-28")).contains(&born));
        assert!(!births(81, day("2029-03-01")).contains(&born));
        assert!(births(81, day("2029-01-30")).contains(&born));
        assert!(!births(81, day("2029-01-29")).contains(&born));
        // In a leap year the day is there.
        assert!(!births(80, day("2028-02-29")).contains(&born));
        assert!(births(80, day("2028-01-30")).contains(&born));
    }

    #[test]
    fn bb_4_2c_the_births_of_a_window_are_those_whose_day_lies_in_it() {
        for today in ["2027-12-15", "2028-02-10", "2028-02-28", "2029-02-10"] {
            let today = day(today);
            for age in [1, 18, 60, 80] {
                let last = today + Days::new(DAYS_AHEAD);
                let all = day("1930-01-01")
                    .iter_days()
                    .take_while(|born| *born <= last);
                let mut expected: Vec<_> = all
                    .filter(|born| begins_on(*born, age).is_some_and(|d| today < d && d <= last))
                    .collect();
                let mut found = births(age, today);
                found.sort_unstable();
                expected.sort_unstable();
                assert_eq!(found, expected, "{age} from {today}");
            }
        }
    }
}
