//! How long a seat is held while somebody decides. Time limits can be extended (WCAG 2.2.1, level A): once at least,
//! and ten times, as that criterion names it, for people who are assisted, who need longer for the same form.

use bangban_kit::refusal::Refusal;
use bangban_limits::time::timestamp;
use bangban_proto::bangban::scheduling::v1::{BookingPolicy, Hold};
use chrono::{DateTime, TimeDelta, Utc};

use super::{policy, time};

/// How long before its end the applicant is warned: WCAG 2.2.1 asks for 20 seconds at least.
pub const WARNING: TimeDelta = TimeDelta::seconds(60);

/// When a hold that is taken, or extended, now ends.
#[must_use]
pub fn expires_at(rules: &BookingPolicy, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::seconds(i64::from(policy::filled(rules).hold_seconds))
}

/// How often a new hold may be extended.
#[must_use]
pub fn extensions(rules: &BookingPolicy, is_assisted: bool) -> u32 {
    let rules = policy::filled(rules);
    if is_assisted {
        rules.assisted_extension_count
    } else {
        rules.extension_count
    }
}

/// When a hold ends that is extended now: one that was offered to somebody who waits lasts as long as it was offered, and
/// not beyond the start of its slot.
fn lasts_until(hold: &Hold, rules: &BookingPolicy, now: DateTime<Utc>) -> DateTime<Utc> {
    if hold.waiting.is_empty() {
        return expires_at(rules, now);
    }
    let seconds = policy::filled(rules).offer_seconds;
    let until = now + TimeDelta::seconds(seconds.into());
    until.min(time::of(hold.starts_at.as_ref()))
}

/// The hold, extended now. It never ends earlier than it would have.
///
/// # Errors
/// HOLD_EXPIRED, EXTENSIONS_USED_UP (BB-9.2b).
pub fn extended(hold: &Hold, rules: &BookingPolicy, now: DateTime<Utc>) -> Result<Hold, Refusal> {
    let ends = time::of(hold.expires_at.as_ref());
    live(ends, now)?;
    let Some(extensions_left) = hold.extensions_left.checked_sub(1) else {
        return Err(Refusal::precondition(
            "EXTENSIONS_USED_UP",
            "BB-9.2b",
            "保留时间的延长次数已用完；请尽快确认，或重新选择时段",
            "the hold was extended as often as it may be: confirm it, or choose a time again",
        ));
    };
    Ok(Hold {
        extensions_left,
        expires_at: Some(timestamp(ends.max(lasts_until(hold, rules, now)))),
        ..hold.clone()
    })
}

/// Whether a hold that ends at `expires_at` is alive. At the very instant of its end it is not.
///
/// # Errors
/// HOLD_EXPIRED (BB-9.2b).
pub fn live(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if now < expires_at {
        return Ok(());
    }
    Err(Refusal::precondition(
        "HOLD_EXPIRED",
        "BB-9.2b",
        "保留时间已到，号源已退回；请重新选择时段",
        "the hold has expired and its seat went back: choose a time again",
    ))
}

/// From when on the applicant is warned that a hold ends.
#[must_use]
pub fn warn_at(expires_at: DateTime<Utc>) -> DateTime<Utc> {
    expires_at - WARNING
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn instant(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).expect("an instant")
    }

    #[test]
    fn a_hold_is_dead_at_the_instant_of_its_end() {
        assert!(live(instant(10), instant(9)).is_ok());
        let dead = live(instant(10), instant(10)).expect_err("dead");
        assert_eq!((dead.reason, dead.requirement), ("HOLD_EXPIRED", "BB-9.2b"));
    }

    #[test]
    fn the_warning_leaves_at_least_the_twenty_seconds_of_wcag_2_2_1() {
        assert!(WARNING >= TimeDelta::seconds(20));
        assert!(warn_at(expires_at(&BookingPolicy::default(), instant(0))) > instant(0));
    }

    proptest! {
        /// An offer lasts as long again as it was offered, and nobody who waits is kept from a seat that has begun.
        #[test]
        fn an_offer_is_extended_by_what_it_was_offered_for_and_ends_by_the_start_of_its_slot(
            seconds in 1_u32..86_400, starts in 1_i64..200_000, left in 1_u32..20, part in 0.0..1.0,
        ) {
            let rules = BookingPolicy { offer_seconds: seconds, ..BookingPolicy::default() };
            let ends = starts.min(seconds.into());
            let hold = Hold {
                waiting: "somebody".to_owned(),
                starts_at: Some(timestamp(instant(starts))),
                expires_at: Some(timestamp(instant(ends))),
                extensions_left: left,
                ..Hold::default()
            };
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a part of some seconds")]
            let now = (ends as f64 * part) as i64;
            let longer = extended(&hold, &rules, instant(now)).expect("it lives");
            prop_assert_eq!(longer.extensions_left, left - 1);
            let until = starts.min(now + i64::from(seconds));
            prop_assert_eq!(time::of(longer.expires_at.as_ref()), instant(until));
        }

        /// Whatever a district configures: once for anybody, as often or oftener for the assisted, never for ever.
        #[test]
        fn every_hold_can_be_extended_once_and_no_hold_lives_for_ever(
            seconds in 1_u32..3_600, most in 0_u32..5, assisted in 0_u32..20, is_assisted: bool,
            steps in prop::collection::vec(0_i64..4_000, 1..60),
        ) {
            let rules = BookingPolicy {
                hold_seconds: seconds, extension_count: most, assisted_extension_count: assisted,
                ..BookingPolicy::default()
            };
            let mut now = instant(0);
            let mut hold = Hold {
                extensions_left: extensions(&rules, is_assisted),
                expires_at: Some(timestamp(expires_at(&rules, now))),
                ..Hold::default()
            };
            let mut count = 0;
            for (n, step) in steps.into_iter().enumerate() {
                // The first extension comes in time.
                now += TimeDelta::seconds(if n == 0 { step % i64::from(seconds) } else { step });
                let ends = time::of(hold.expires_at.as_ref());
                match extended(&hold, &rules, now) {
                    Ok(later) => {
                        let at = time::of(later.expires_at.as_ref());
                        prop_assert!(at >= ends && at <= now + TimeDelta::seconds(seconds.into()));
                        (hold, count) = (later, count + 1);
                    }
                    Err(refusal) => {
                        prop_assert!(n > 0, "{}", refusal);
                        let reason = if now >= ends { "HOLD_EXPIRED" } else { "EXTENSIONS_USED_UP" };
                        prop_assert_eq!(refusal.reason, reason);
                    }
                }
            }
            prop_assert!(count >= 1 && count <= extensions(&rules, is_assisted));
            prop_assert!(extensions(&rules, true) >= extensions(&rules, false));
            let longest = i64::from(seconds) * i64::from(count + 1);
            prop_assert!(time::of(hold.expires_at.as_ref()) <= instant(longest));
        }
    }
}
