//! How often may be retried at all: a budget of tokens for each channel, as gRFC A6 ("Throttling Retry Attempts") has it.
//!
//! A call that failed and could be repeated costs one token, a call that got its answer earns a tenth. At or below half of
//! the tokens nothing is retried. So a channel of hundreds of calls per second survives a burst of fifty failures without
//! showing one, retries at most one call in ten for as long as a part of the service fails, and sends each call once when
//! all of it does.

use std::sync::atomic::{AtomicU32, Ordering};

/// What a call that got its answer earns, and the unit in which tokens are counted: a tenth.
const SUCCESS: u32 = 1;

/// What a failure costs.
const FAILURE: u32 = 10;

/// The tokens of one channel.
#[derive(Debug)]
pub struct Budget {
    tenths: AtomicU32,
    max: u32,
}

impl Budget {
    /// A full budget of so many tokens, 1 to 1000.
    #[must_use]
    pub fn new(tokens: u32) -> Self {
        let max = tokens.clamp(1, 1000) * FAILURE;
        Self {
            tenths: AtomicU32::new(max),
            max,
        }
    }

    /// Something was answered.
    pub fn succeeded(&self) {
        // A full budget is the usual case; reading it costs the other cores nothing.
        if self.tenths.load(Ordering::Relaxed) < self.max {
            self.change(|tenths| (tenths + SUCCESS).min(self.max));
        }
    }

    /// Something failed that could be repeated.
    pub fn failed(&self) {
        self.change(|tenths| tenths.saturating_sub(FAILURE));
    }

    /// Whether something may be retried now.
    #[must_use]
    pub fn allows(&self) -> bool {
        self.tenths.load(Ordering::Relaxed) > self.max / 2
    }

    fn change(&self, change: impl Fn(u32) -> u32) {
        // The closure always gives a value, so there is no failure to look at.
        let _ = self
            .tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tenths| {
                Some(change(tenths))
            });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn when_all_fails_half_of_the_tokens_are_retries_and_then_none() {
        let budget = Budget::new(100);
        let mut retries = 0;
        for _ in 0..10_000 {
            budget.failed();
            if budget.allows() {
                retries += 1;
            }
        }
        assert_eq!(retries, 49);
    }

    proptest! {
        /// However answers and failures follow each other, retries are no more than half of the tokens and a tenth of the
        /// answers.
        #[test]
        fn retries_stay_within_half_and_a_tenth(tokens in 1u32..200, calls in prop::collection::vec(any::<bool>(), 0..2000)) {
            let budget = Budget::new(tokens);
            let (mut answers, mut retries) = (0u32, 0u32);
            for answered in calls {
                if answered {
                    budget.succeeded();
                    answers += 1;
                } else {
                    budget.failed();
                    retries += u32::from(budget.allows());
                }
                prop_assert!(retries * 10 <= tokens * 5 + answers, "{retries} retries, {answers} answers");
            }
        }

        #[test]
        fn answers_bring_the_budget_back(tokens in 1u32..200, failures in 0u32..1000) {
            let budget = Budget::new(tokens);
            (0..failures).for_each(|_| budget.failed());
            (0..tokens * 10).for_each(|_| budget.succeeded());
            prop_assert!(budget.allows());
            prop_assert_eq!(budget.tenths.load(Ordering::Relaxed), tokens * 10);
        }
    }
}
