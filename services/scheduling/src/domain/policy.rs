//! By which rules people of a district book: what the district says, and defaults where it says nothing.

use bangban_proto::bangban::scheduling::v1::BookingPolicy;
use chrono::TimeDelta;

/// Minutes before an appointment at which people are reminded where the district says nothing: three days, and one.
pub const REMINDER_MINUTES: [u32; 2] = [4320, 1440];

/// How often assisted people may extend a hold where the district says nothing: WCAG 2.2.1 asks for ten times at least.
pub const ASSISTED_EXTENSIONS: u32 = 10;

/// The rules with defaults in their places, as the contract states them. Filled ones stay as they are.
#[must_use]
pub fn filled(policy: &BookingPolicy) -> BookingPolicy {
    let or = |given: u32, default: u32| if given == 0 { default } else { given };
    let extension_count = or(policy.extension_count, 1);
    BookingPolicy {
        hold_seconds: or(policy.hold_seconds, 300),
        extension_count,
        // Assisted people are never given less (BB-7.1.1).
        assisted_extension_count: or(policy.assisted_extension_count, ASSISTED_EXTENSIONS)
            .max(extension_count),
        most_ahead: or(policy.most_ahead, 3),
        most_per_item: or(policy.most_per_item, 1),
        most_per_day: or(policy.most_per_day, 2),
        most_cancellations: or(policy.most_cancellations, 5),
        // A warning comes first: nobody rests after one.
        no_show_limit: or(policy.no_show_limit, 2).max(2),
        standing_days: or(policy.standing_days, 30),
        rest_days: or(policy.rest_days, 30),
        cooling_seconds: Some(policy.cooling_seconds.unwrap_or(20)),
        offer_seconds: or(policy.offer_seconds, 1800),
        cancel_until_minutes: or(policy.cancel_until_minutes, 120),
        check_in_from_minutes: or(policy.check_in_from_minutes, 30),
        reminder_minutes: if policy.reminder_minutes.is_empty() {
            REMINDER_MINUTES.to_vec()
        } else {
            policy.reminder_minutes.clone()
        },
        appeal_days: or(policy.appeal_days, 10),
        etag: policy.etag.clone(),
        updated_at: policy.updated_at,
    }
}

/// How long a freed seat cools at most.
#[must_use]
pub fn cooling(policy: &BookingPolicy) -> TimeDelta {
    TimeDelta::seconds(i64::from(policy.cooling_seconds.unwrap_or(20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_district_that_says_nothing_has_the_defaults_of_the_contract() {
        let filled = filled(&BookingPolicy::default());
        assert_eq!(
            (filled.hold_seconds, filled.offer_seconds, cooling(&filled)),
            (300, 1800, TimeDelta::seconds(20))
        );
        assert_eq!(
            (
                filled.most_ahead,
                filled.most_per_item,
                filled.most_per_day,
                filled.most_cancellations,
                filled.no_show_limit
            ),
            (3, 1, 2, 5, 2)
        );
        assert_eq!(
            (filled.extension_count, filled.assisted_extension_count),
            (1, 10),
            "WCAG 2.2.1"
        );
        assert_eq!(filled.reminder_minutes, REMINDER_MINUTES);
        assert_eq!(super::filled(&filled), filled, "nothing is left to fill");
    }

    #[test]
    fn what_a_district_says_stands_but_never_against_the_assisted_nor_without_a_warning() {
        let policy = BookingPolicy {
            extension_count: 5,
            assisted_extension_count: 2,
            no_show_limit: 1,
            cooling_seconds: Some(0),
            ..BookingPolicy::default()
        };
        let filled = filled(&policy);
        assert_eq!(filled.assisted_extension_count, 5);
        assert_eq!(filled.no_show_limit, 2);
        assert_eq!(
            cooling(&filled),
            TimeDelta::zero(),
            "no cooling is a choice"
        );
    }
}
