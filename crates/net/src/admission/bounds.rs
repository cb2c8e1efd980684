//! Whatever comes in whatever order: the bounds hold and nothing is lost.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use tokio::time::Instant;

use super::{
    class::Rank,
    gate::{Ask, Asked, Gate, Kind},
    permit::{Ended, Permit, Place, Seat},
    settings::Settings,
    waiting::Line,
};

#[derive(Debug, Clone)]
enum Deed {
    Ask {
        rank: bool,
        district: u8,
        given: Option<u16>,
    },
    /// One of those in work ends so.
    End(usize, u8),
    /// One of those who wait looks, or gives up.
    Look(usize),
    GiveUp(usize),
    Sit(bool, u8),
    StandUp(usize),
    Pass(u16),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (any::<bool>(), 0u8..4, prop::option::of(0u16..800))
            .prop_map(|(rank, district, given)| Deed::Ask { rank, district, given }),
        4 => (any::<usize>(), 0u8..3).prop_map(|(at, how)| Deed::End(at, how)),
        4 => any::<usize>().prop_map(Deed::Look),
        1 => any::<usize>().prop_map(Deed::GiveUp),
        1 => (any::<bool>(), 0u8..3).prop_map(|(is_feed, whose)| Deed::Sit(is_feed, whose)),
        1 => any::<usize>().prop_map(Deed::StandUp),
        2 => (0u16..700).prop_map(Deed::Pass),
    ]
}

struct World {
    gate: Arc<Gate>,
    settings: Settings,
    now: Instant,
    permits: Vec<Permit>,
    places: Vec<Place>,
    seats: Vec<Seat>,
}

impl World {
    fn new(ceiling: usize, floor: usize) -> Self {
        let settings = Settings {
            floor: floor.min(ceiling),
            start: ceiling / 2,
            ceiling,
            target: Duration::from_millis(50),
            queue: Duration::from_millis(500),
            max_exports: 3,
            max_feeds: 3,
            feed_stays: Duration::from_millis(300),
            export_stalls: Duration::from_millis(300),
        };
        let now = Instant::now();
        Self {
            gate: Arc::new(Gate::new(now, settings)),
            settings,
            now,
            permits: Vec::new(),
            places: Vec::new(),
            seats: Vec::new(),
        }
    }

    fn does(&mut self, deed: Deed) {
        match deed {
            Deed::Ask {
                rank,
                district,
                given,
            } => {
                let ask = Ask {
                    rank: if rank { Rank::Ongoing } else { Rank::Beginning },
                    line: Line::District(district.to_string()),
                    method: Some(usize::from(district)),
                    deadline: given.map(|ms| self.now + Duration::from_millis(u64::from(ms))),
                };
                match self.gate.ask(self.now, ask) {
                    Asked::In(permit) => self.permits.push(permit),
                    Asked::Wait(place) => self.places.push(place),
                    Asked::TooLate => {}
                }
            }
            Deed::End(at, how) if !self.permits.is_empty() => {
                let at = at % self.permits.len();
                let permit = self.permits.swap_remove(at);
                match how {
                    0 => permit.end(Ended::Answered),
                    1 => permit.end(Ended::Refused),
                    _ => drop(permit),
                }
            }
            Deed::Look(at) if !self.places.is_empty() => {
                let at = at % self.places.len();
                // The time of a place is the clock's, not ours: here only what was sent counts.
                if let Some(permit) = self.places[at].told() {
                    self.permits.push(permit);
                    self.places.swap_remove(at);
                }
            }
            Deed::GiveUp(at) if !self.places.is_empty() => {
                let at = at % self.places.len();
                self.places.swap_remove(at);
            }
            Deed::Sit(is_feed, whose) => {
                let kind = if is_feed { Kind::Feed } else { Kind::Export };
                self.seats
                    .extend(self.gate.sit(self.now, kind, &whose.to_string()));
            }
            Deed::StandUp(at) if !self.seats.is_empty() => {
                let at = at % self.seats.len();
                self.seats.swap_remove(at);
            }
            Deed::Pass(ms) => self.now += Duration::from_millis(u64::from(ms)),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn never_more_than_the_bounds_and_everything_comes_back(
        ceiling in 1usize..12,
        floor in 1usize..6,
        deeds in prop::collection::vec(deed(), 0..600),
    ) {
        let mut world = World::new(ceiling, floor);
        for deed in deeds {
            world.does(deed);
            let counts = world.gate.counts();
            prop_assert!(counts.limit <= ceiling && counts.limit >= world.settings.floor, "{counts:?}");
            prop_assert!(counts.in_flight <= ceiling && counts.most_in_flight <= ceiling, "{counts:?}");
            prop_assert!(counts.waiting <= ceiling, "{counts:?}");
            prop_assert!(counts.in_flight >= world.permits.len());
            prop_assert!(counts.feeds_open <= 3 && counts.exports_open <= 3, "{counts:?}");
            // Nobody waits where there is room.
            prop_assert!(counts.waiting == 0 || counts.in_flight >= counts.limit, "{counts:?}");
        }
        world.places.clear();
        world.permits.clear();
        world.seats.clear();
        let counts = world.gate.counts();
        prop_assert_eq!((counts.in_flight, counts.waiting), (0, 0));
        prop_assert_eq!((counts.feeds_open, counts.exports_open), (0, 0));
    }
}
