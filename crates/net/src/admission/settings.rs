//! How much is taken in. What the configuration leaves open follows from the processors.

use std::time::Duration;

use bangban_kit::config;

/// Most calls of people at once for each processor, where the configuration names no number.
const IN_FLIGHT_PER_PROCESSOR: usize = 256;

/// How much is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Calls of people in work at once, below which the limit never falls: 1 or more.
    pub floor: usize,
    /// The limit at the start.
    pub start: usize,
    /// Above which it never rises. As many wait at most.
    pub ceiling: usize,
    /// How long a call may be in work on average before the limit falls.
    pub target: Duration,
    /// How long a call waits at most.
    pub queue: Duration,
    /// Exports at once.
    pub max_exports: usize,
    /// Feeds open at once.
    pub max_feeds: usize,
    /// How long a feed stays open before one that has no room may take its place.
    pub feed_stays: Duration,
    /// How long an export may send nothing before one that has no room may take its place.
    pub export_stalls: Duration,
}

impl Settings {
    /// What the configuration says, on a machine with so many processors.
    #[must_use]
    pub fn of(server: &config::Server, processors: usize) -> Self {
        let or = |given: usize, else_| if given == 0 { else_ } else { given };
        let ceiling = or(server.max_in_flight, IN_FLIGHT_PER_PROCESSOR * processors);
        let floor = (2 * processors).max(4).min(ceiling);
        Self {
            floor,
            start: (ceiling / 8).max(floor),
            ceiling,
            target: Duration::from_millis(server.target_milliseconds),
            queue: Duration::from_millis(server.queue_milliseconds),
            max_exports: or(server.max_exports, processors.clamp(2, 16)),
            max_feeds: server.max_feeds,
            feed_stays: Duration::from_secs(10),
            export_stalls: Duration::from_secs(30),
        }
    }

    /// How long a call waits where others have waited without a pause: CoDel's standing queue.
    pub(super) fn short_queue(&self) -> Duration {
        self.queue / 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_open_follows_from_the_processors() {
        let server = config::Server::default();
        let of = |processors| {
            let s = Settings::of(&server, processors);
            (s.floor, s.start, s.ceiling, s.max_exports)
        };
        assert_eq!(of(1), (4, 32, 256, 2));
        assert_eq!(of(2), (4, 64, 512, 2));
        assert_eq!(of(64), (128, 2048, 16384, 16));
        let small = config::Server {
            max_in_flight: 4,
            max_exports: 1,
            ..server
        };
        let small = Settings::of(&small, 64);
        assert_eq!(
            (small.floor, small.start, small.ceiling, small.max_exports),
            (4, 4, 4, 1)
        );
    }
}
