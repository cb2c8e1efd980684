//! How long to wait before the next attempt: 20 ms, doubled each time up to one second, 20 % more or less by chance.

use std::time::Duration;

/// Before the second attempt.
const FIRST: Duration = Duration::from_millis(20);

/// Before any.
const MAX: Duration = Duration::from_secs(1);

/// The pause before an attempt that follows on `failed` ones (from 1), without chance.
fn base(failed: u32) -> Duration {
    let doubled = 2u32.saturating_pow(failed.saturating_sub(1));
    FIRST.saturating_mul(doubled).min(MAX)
}

/// The same with `chance`, from 0 to 1, turned into -20 % to +20 %.
fn with_chance(failed: u32, chance: f64) -> Duration {
    base(failed).mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
}

/// The pause before an attempt that follows on `failed` ones, from 1.
pub(crate) fn pause(failed: u32) -> Duration {
    with_chance(failed, rand::random::<f64>())
}

/// A duration 20 % shorter or longer by chance, so that many do not do the same at the same time.
pub(crate) fn about(duration: Duration) -> Duration {
    duration.mul_f64(0.8 + 0.4 * rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_pauses_double_up_to_a_second() {
        let pauses: Vec<_> = (1..=8).map(|n| base(n).as_millis()).collect();
        assert_eq!(pauses, [20, 40, 80, 160, 320, 640, 1000, 1000]);
    }

    proptest! {
        #[test]
        fn chance_moves_a_pause_by_a_fifth_at_most(failed in 0u32..1000, chance in 0.0f64..=1.0) {
            let (pause, base) = (with_chance(failed, chance), base(failed));
            prop_assert!(pause >= base.mul_f64(0.799) && pause <= base.mul_f64(1.201));
        }

        #[test]
        fn pauses_never_shrink_without_chance(failed in 0u32..1000) {
            prop_assert!(base(failed + 1) >= base(failed));
        }
    }
}
