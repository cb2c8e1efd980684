//! Which days are published: each once, so many weeks before it, at a set time of day.

use bangban_kit::refusal::Refusal;
use bangban_limits::time::timestamp;
use bangban_proto::bangban::scheduling::v1::{Day, Publication, Slot};
use chrono::{DateTime, Days, NaiveDate, Utc};

use super::time;

fn ahead(publication: &Publication) -> Days {
    Days::new(7 * u64::from(publication.weeks_ahead))
}

/// When a day is published.
#[must_use]
pub fn at(publication: &Publication, date: NaiveDate) -> DateTime<Utc> {
    let minutes = time::minutes(&publication.at).unwrap_or_default();
    time::at(date - ahead(publication), minutes)
}

/// The last day that is to be published by now.
#[must_use]
pub fn until(publication: &Publication, now: DateTime<Utc>) -> NaiveDate {
    let (today, minute) = time::local(now);
    let last = today + ahead(publication);
    let is_time = time::minutes(&publication.at).unwrap_or_default() <= minute;
    if is_time { last } else { last - Days::new(1) }
}

/// Days that are to be published now: those behind what is published, and none that is over. Where fewer weeks are
/// asked for than before, what is published stays.
pub fn due(publication: &Publication, now: DateTime<Utc>) -> impl Iterator<Item = NaiveDate> {
    let today = time::local(now).0;
    let next = published(publication).map_or(today, |last| today.max(last + Days::new(1)));
    let last = until(publication, now);
    next.iter_days().take_while(move |date| *date <= last)
}

/// When the next day becomes due.
#[must_use]
pub fn next_at(publication: &Publication, now: DateTime<Utc>) -> DateTime<Utc> {
    let next = until(publication, now) + Days::new(1);
    at(
        publication,
        published(publication).map_or(next, |last| next.max(last + Days::new(1))),
    )
}

fn published(publication: &Publication) -> Option<NaiveDate> {
    publication.published_until.parse().ok()
}

/// The day as it is published: slots get their ids, by their places from 0.
///
/// # Errors
/// SLOTS_TOO_MANY (BB-9.2b).
pub fn day(
    (site, region): (&str, &str),
    date: NaiveDate,
    planned: Vec<Slot>,
    now: DateTime<Utc>,
) -> Result<Day, Refusal> {
    let mut day = Day {
        site: site.to_owned(),
        region: region.to_owned(),
        date: date.to_string(),
        published_at: Some(timestamp(now)),
        ..Day::default()
    };
    for slot in planned {
        let id = next_id(&day)?;
        day.slots.push(Slot { id, ..slot });
    }
    Ok(day)
}

/// Places that an id has digits for.
const PLACES: usize = 1000;

/// The id of the next slot of a day: a place is never given to another time.
///
/// # Errors
/// SLOTS_TOO_MANY (BB-9.2b).
pub fn next_id(day: &Day) -> Result<String, Refusal> {
    let place = day.slots.len();
    if place < PLACES {
        return Ok(format!("{}.{}.{place}", day.site, day.date));
    }
    Err(Refusal::precondition(
        "SLOTS_TOO_MANY",
        "BB-9.2b",
        format!("{} 的时段改动过多，不能再增加；请改用其他日期", day.date),
        format!(
            "{} was changed too often to get more slots: use another day",
            day.date
        ),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn publication(weeks_ahead: u32, at: &str, published_until: &str) -> Publication {
        Publication {
            weeks_ahead,
            at: at.to_owned(),
            published_until: published_until.to_owned(),
            ..Publication::default()
        }
    }

    fn dates(publication: &Publication, now: &str) -> Vec<String> {
        let now = now.parse().expect("an instant");
        due(publication, now).map(|d| d.to_string()).collect()
    }

    #[test]
    fn the_next_day_is_published_at_its_time_and_not_a_minute_before() {
        let publication = publication(2, "08:00", "2026-12-09");
        // 07:59 and 08:00 in Asia/Shanghai.
        assert!(dates(&publication, "2026-11-25T23:59:59Z").is_empty());
        assert_eq!(dates(&publication, "2026-11-26T00:00:00Z"), ["2026-12-10"]);
    }

    #[test]
    fn a_first_publication_opens_all_days_from_today_on() {
        let days = dates(&publication(1, "08:00", ""), "2026-11-26T01:00:00Z");
        assert_eq!(
            (days.len(), days[0].as_str(), days[7].as_str()),
            (8, "2026-11-26", "2026-12-03")
        );
    }

    #[test]
    fn a_service_that_stood_still_publishes_what_was_missed_but_no_day_that_is_over() {
        let days = dates(
            &publication(1, "08:00", "2026-11-01"),
            "2026-11-26T01:00:00Z",
        );
        assert_eq!((days.len(), days[0].as_str()), (8, "2026-11-26"));
    }

    #[test]
    fn a_published_day_numbers_its_slots_in_order() {
        let date = NaiveDate::from_ymd_opt(2026, 12, 1).expect("a date");
        let day = day(
            ("town", "420527"),
            date,
            vec![Slot::default(); 3],
            DateTime::default(),
        );
        let ids: Vec<_> = day
            .expect("a day")
            .slots
            .into_iter()
            .map(|s| s.id)
            .collect();
        assert_eq!(
            ids,
            [
                "town.2026-12-01.0",
                "town.2026-12-01.1",
                "town.2026-12-01.2"
            ]
        );
    }

    proptest! {
        /// However often and late the sweep comes, and if the clock jumps back: each day once, in order, and not before
        /// its time.
        #[test]
        fn each_day_is_published_once_in_order_and_never_too_early(
            weeks in 1_u32..6, hour in 0_u32..24, sweeps in prop::collection::vec(-600_i64..4_000, 1..40),
        ) {
            let mut publication = publication(weeks, &format!("{hour:02}:30"), "");
            let mut now: DateTime<Utc> = "2026-11-26T01:00:00Z".parse().expect("an instant");
            let mut all = Vec::new();
            for minutes in sweeps {
                now += chrono::TimeDelta::minutes(minutes);
                let expected = next_at(&publication, now);
                let days: Vec<_> = due(&publication, now).collect();
                for date in &days {
                    prop_assert!(at(&publication, *date) <= now);
                    prop_assert!(*date >= time::local(now).0);
                }
                prop_assert!(expected > now);
                if let Some(last) = days.last() {
                    publication.published_until = last.to_string();
                }
                all.extend(days);
                prop_assert_eq!(due(&publication, now).count(), 0);
            }
            prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
