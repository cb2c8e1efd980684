//! What this process knows of the generation, and how fresh that is.

use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use std::sync::Arc;

#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) generation: i64,
    /// Before the read that answered it began.
    read_at: Instant,
    /// When this process learned it first.
    since: Instant,
}

/// The generation and its freshness. `Instant` is the system's monotonic clock: no step of the wall clock matters.
#[derive(Debug)]
pub(super) struct Lease {
    known: ArcSwapOption<Known>,
    length: Duration,
}

impl Lease {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            known: ArcSwapOption::empty(),
            length,
        }
    }

    pub(super) fn known(&self) -> Option<Known> {
        self.known.load().as_deref().copied()
    }

    /// A read that began at `read_at` answered `generation`.
    pub(super) fn learn(&self, generation: i64, read_at: Instant) {
        self.known.rcu(|known| {
            let known = known.as_deref();
            Some(Arc::new(match known {
                Some(known) if known.generation == generation => Known {
                    read_at: known.read_at.max(read_at),
                    ..*known
                },
                // An answer that was overtaken by a newer one: the number only falls when the database was restored.
                Some(known) if generation < known.generation && read_at <= known.since => *known,
                _ => Known {
                    generation,
                    read_at,
                    since: Instant::now(),
                },
            }))
        });
    }

    /// Whether a "full" under this generation can be believed now: within the lease nobody frees a seat under another.
    pub(super) fn is_fresh(&self, generation: i64) -> bool {
        self.known().is_some_and(|known| {
            known.generation == generation && known.read_at.elapsed() < self.length
        })
    }

    /// How long releases under what is known have to wait yet: until no process believes "full" under the one before.
    pub(super) fn wait(&self) -> Duration {
        self.known().map_or(self.length, |known| {
            self.length.saturating_sub(known.since.elapsed())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_is_believed_for_the_lease_and_a_release_waits_as_long() {
        let length = Duration::from_secs(1);
        let lease = Lease::new(length);
        let now = Instant::now();
        assert!(!lease.is_fresh(1) && lease.wait() == length);
        lease.learn(1, now);
        assert!(lease.is_fresh(1) && !lease.is_fresh(2));
        assert!(lease.wait() <= length && !lease.wait().is_zero());

        let long_ago = now - Duration::from_secs(5);
        lease.learn(2, long_ago);
        assert!(!lease.is_fresh(1), "a newer generation stands");
        assert!(
            !lease.is_fresh(2),
            "what was read long ago says nothing of now"
        );
        lease.learn(2, Instant::now());
        assert!(lease.is_fresh(2));
        lease.learn(1, long_ago);
        assert!(
            lease.is_fresh(2),
            "an answer that was overtaken changes nothing"
        );
        lease.learn(1, Instant::now());
        assert!(
            lease.is_fresh(1),
            "a database that was restored is believed"
        );
    }
}
