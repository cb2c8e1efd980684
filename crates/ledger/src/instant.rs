//! Instants as people in the offices read them: RFC 3339 with microseconds at +08:00.

const DAY_SECONDS: i64 = 86_400;
const SHANGHAI_SECONDS: i64 = 8 * 3_600;

/// Renders microseconds since the epoch, `2026-11-24T09:30:00.000000+08:00`. One instant has one text, so a verifier
/// compares texts and need not parse. Years beyond 9999 have more digits, which RFC 3339 does not know.
pub(crate) fn shanghai(us: i64) -> String {
    let (seconds, micros) = (
        us.div_euclid(1_000_000) + SHANGHAI_SECONDS,
        us.rem_euclid(1_000_000),
    );
    let (days, of_day) = (
        seconds.div_euclid(DAY_SECONDS),
        seconds.rem_euclid(DAY_SECONDS),
    );
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}+08:00")
}

/// Year, month and day of a day counted from 1970-01-01; Howard Hinnant's `civil_from_days`
/// (howardhinnant.github.io/date_algorithms.html): years begin in March, so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::shanghai;
    use chrono::{DateTime, FixedOffset, SecondsFormat};
    use proptest::prelude::*;

    #[test]
    fn the_epoch_is_eight_in_the_morning() {
        assert_eq!(shanghai(0), "1970-01-01T08:00:00.000000+08:00");
        assert_eq!(shanghai(-1), "1970-01-01T07:59:59.999999+08:00");
        assert!(!shanghai(i64::MIN).is_empty() && !shanghai(i64::MAX).is_empty());
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(us in -62_100_000_000_000_000_i64..253_000_000_000_000_000) {
            let zone = FixedOffset::east_opt(8 * 3_600).unwrap();
            let theirs = DateTime::from_timestamp_micros(us).unwrap().with_timezone(&zone);
            prop_assert_eq!(shanghai(us), theirs.to_rfc3339_opts(SecondsFormat::Micros, false));
        }
    }
}
