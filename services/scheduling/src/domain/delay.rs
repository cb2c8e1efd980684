//! How long a freed seat cools before anybody can have it: a moment that nobody can know beforehand, so that a seat
//! cannot be given up in favour of somebody who waits for it with a machine.

use chrono::TimeDelta;

/// A delay of 0 to `most`, both included, evenly, to the millisecond. `random` is even over all numbers; the same number
/// gives the same delay. None when `most` is nothing, or less.
#[must_use]
pub fn cooling(random: u64, most: TimeDelta) -> TimeDelta {
    let most = u64::try_from(most.num_milliseconds()).unwrap_or_default();
    // Lemire's scaling: the high half of the product is even over 0..=most but for a part in 2^64 / most.
    let scaled = (u128::from(random) * (u128::from(most) + 1)) >> 64;
    TimeDelta::milliseconds(i64::try_from(scaled).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_is_never_longer_than_the_longest(random: u64, most in 0_i64..86_400_000) {
            let most = TimeDelta::milliseconds(most);
            let delay = cooling(random, most);
            prop_assert!(delay >= TimeDelta::zero() && delay <= most);
        }

        #[test]
        fn nothing_is_waited_for_where_nothing_is_configured(random: u64, most in i64::MIN / 1000..=0) {
            prop_assert_eq!(cooling(random, TimeDelta::milliseconds(most)), TimeDelta::zero());
        }
    }

    #[test]
    fn both_ends_are_reached_and_every_second_is_as_likely_as_any_other() {
        let most = TimeDelta::seconds(20);
        assert_eq!(cooling(0, most), TimeDelta::zero());
        assert_eq!(cooling(u64::MAX, most), most);
        // Even numbers in, even delays out.
        let steps = 20_000_u64;
        let mut counts = [0_u32; 20];
        for step in 0..steps {
            let delay = cooling(u64::MAX / steps * step, most);
            counts[usize::try_from(delay.num_seconds().min(19)).expect("small")] += 1;
        }
        assert!(
            counts.iter().all(|count| count.abs_diff(1000) <= 2),
            "{counts:?}"
        );
    }
}
