//! A gate that knows neither bytes nor scripts.

use std::collections::HashMap;

use bangban_slots::{Free, Place, Row};

use super::steps::{Keep, SEATS, SLOTS, Said, Step, last_but};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Is(Row),
    /// By the pick with this number.
    Picked(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    No,
    Rebuilding(usize),
    Yes(Picture),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    /// Of which rebuild.
    rebuild: usize,
    seats: HashMap<Place, Mark>,
    reserved: Vec<u16>,
    releases: usize,
    keep: Keep,
}

impl Picture {
    fn theirs(&self, slot: u16, special: bool) -> Vec<Place> {
        let from = if special {
            0
        } else {
            self.reserved[usize::from(slot)]
        };
        (from..SEATS).map(|seat| Place { slot, seat }).collect()
    }

    fn free(&self) -> Vec<Free> {
        let count = |slot, special| {
            self.theirs(slot, special)
                .iter()
                .filter(|place| self.seats[place] == Mark::Is(Row::Free))
                .count() as u16
        };
        (0..SLOTS)
            .map(|slot| Free {
                ordinary: count(slot, false),
                special: count(slot, true),
            })
            .collect()
    }
}

/// How soon gates call abandoned what they see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Endless,
    /// Once time has passed since they saw it first.
    Short,
    None,
}

pub(super) struct Model {
    known: Known,
    patience: Patience,
    /// How often time has passed.
    now: u32,
    rebuilds: usize,
    /// The rebuild that was seen last, and since when.
    seen_rebuilding: Option<(usize, u32)>,
    picks: usize,
    /// The pick that was seen last at a seat, and since when.
    seen_picks: HashMap<Place, (usize, u32)>,
    held: Vec<(usize, Place, usize)>,
    begun: Vec<usize>,
    looks: Vec<Known>,
    /// How many days went because they were kept no longer.
    pub(super) ended: u64,
    /// How often nothing but reserved seats was left.
    pub(super) only_reserved: u64,
}

impl Model {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            known: Known::No,
            patience,
            now: 0,
            rebuilds: 0,
            seen_rebuilding: None,
            picks: 0,
            seen_picks: HashMap::new(),
            held: Vec::new(),
            begun: Vec::new(),
            looks: Vec::new(),
            ended: 0,
            only_reserved: 0,
        }
    }

    /// Whether what was seen first then is abandoned.
    fn is_abandoned(&self, since: u32) -> bool {
        match self.patience {
            Patience::Endless => false,
            Patience::Short => self.now > since,
            Patience::None => true,
        }
    }

    /// Sees a rebuild, and says since when.
    fn sees_rebuilding(&mut self, rebuild: usize) -> u32 {
        let since = match self.seen_rebuilding {
            Some((seen, since)) if seen == rebuild => since,
            _ => self.now,
        };
        self.seen_rebuilding = Some((rebuild, since));
        since
    }

    pub(super) fn step(&mut self, step: &Step) -> Said {
        match step {
            Step::Pick { slot, special } => self.pick(*slot, *special),
            Step::Settle { nth, row } => {
                if self.held.is_empty() {
                    return Said::Nothing;
                }
                let (rebuild, place, pick) = self.held.remove(last_but(*nth, self.held.len()));
                if let Known::Yes(picture) = &mut self.known
                    && picture.rebuild == rebuild
                    && picture.seats[&place] == Mark::Picked(pick)
                {
                    picture.seats.insert(place, Mark::Is(*row));
                }
                Said::Nothing
            }
            Step::Release { place } => {
                self.change(|picture| {
                    let mark = picture.seats.get_mut(place)?;
                    *mark = Mark::Is(Row::Due);
                    Some(())
                });
                Said::Nothing
            }
            Step::Lift { slot } => {
                self.change(|picture| {
                    *picture.reserved.get_mut(usize::from(*slot))? = 0;
                    Some(())
                });
                Said::Nothing
            }
            Step::Freed { place } => {
                if let Known::Yes(picture) = &mut self.known
                    && picture.seats.get(place) == Some(&Mark::Is(Row::Due))
                {
                    picture.seats.insert(*place, Mark::Is(Row::Free));
                }
                Said::Nothing
            }
            Step::Passes => {
                self.now += 1;
                Said::Nothing
            }
            Step::Ends => {
                self.now += 1;
                if matches!(&self.known, Known::Yes(picture) if picture.keep == Keep::Briefly) {
                    self.known = Known::No;
                    self.ended += 1;
                }
                Said::Nothing
            }
            Step::Forget | Step::Lost { .. } => {
                self.known = Known::No;
                Said::Nothing
            }
            Step::Begin => match &self.known {
                Known::Yes(_) => {
                    self.seen_rebuilding = None;
                    Said::Ready
                }
                Known::Rebuilding(other)
                    if !self.seen_rebuilding.is_some_and(|(seen, since)| {
                        seen == *other && self.is_abandoned(since)
                    }) =>
                {
                    let other = *other;
                    self.sees_rebuilding(other);
                    Said::Busy
                }
                _ => {
                    self.rebuilds += 1;
                    self.known = Known::Rebuilding(self.rebuilds);
                    self.begun.push(self.rebuilds);
                    Said::Done(true)
                }
            },
            Step::Finish {
                nth,
                rows,
                reserved,
                keep,
            } => {
                if self.begun.is_empty() {
                    return Said::Nothing;
                }
                let rebuild = self.begun.remove(last_but(*nth, self.begun.len()));
                self.seen_rebuilding = None;
                if self.known != Known::Rebuilding(rebuild) {
                    return Said::Done(false);
                }
                let places =
                    (0..SLOTS).flat_map(|slot| (0..SEATS).map(move |seat| Place { slot, seat }));
                let seats = places.zip(rows.iter().map(|row| Mark::Is(*row))).collect();
                self.known = Known::Yes(Picture {
                    rebuild,
                    seats,
                    reserved: vec![*reserved, 0],
                    releases: 0,
                    keep: *keep,
                });
                Said::Done(true)
            }
            Step::Look => {
                self.looks.push(match &self.known {
                    Known::Rebuilding(_) => Known::No,
                    known => known.clone(),
                });
                Said::Nothing
            }
            Step::Audit {
                nth,
                rows,
                reserved,
            } => self.audit(*nth, rows, *reserved),
            Step::Availability => Said::Free(match &self.known {
                Known::Yes(picture) => Some(picture.free()),
                _ => None,
            }),
        }
    }

    /// A day that is being rebuilt, or does not know what changes, must be rebuilt.
    fn change(&mut self, change: impl FnOnce(&mut Picture) -> Option<()>) {
        let is_known = match &mut self.known {
            Known::Yes(picture) => {
                picture.releases += 1;
                change(picture).is_some()
            }
            _ => false,
        };
        if !is_known {
            self.known = Known::No;
        }
    }

    fn pick(&mut self, slot: u16, special: bool) -> Said {
        if let Known::Rebuilding(rebuild) = self.known {
            let since = self.sees_rebuilding(rebuild);
            return if self.is_abandoned(since) {
                Said::Stale
            } else {
                Said::Again
            };
        }
        let picture = match &mut self.known {
            Known::No | Known::Rebuilding(_) => return Said::Stale,
            Known::Yes(_) if slot >= SLOTS => return Said::Stale,
            Known::Yes(picture) => picture,
        };
        let theirs = picture.theirs(slot, special);
        if let Some(place) = theirs
            .iter()
            .find(|place| picture.seats[place] == Mark::Is(Row::Free))
        {
            self.picks += 1;
            picture.seats.insert(*place, Mark::Picked(self.picks));
            self.held.push((picture.rebuild, *place, self.picks));
            return Said::Seat(*place);
        }
        let taken = |places: &[Place]| {
            let mut places = places.iter();
            places.all(|place| picture.seats[place] == Mark::Is(Row::Taken))
        };
        if !taken(&theirs) {
            return Said::Again;
        }
        if taken(&picture.theirs(slot, true)) {
            return Said::Full;
        }
        self.only_reserved += 1;
        Said::OnlyReserved
    }

    fn audit(&mut self, nth: usize, rows: &[Row], reserved: u16) -> Said {
        if self.looks.is_empty() {
            return Said::Nothing;
        }
        let Known::Yes(seen) = self.looks.remove(last_but(nth, self.looks.len())) else {
            return Said::Audited(0, 0, 0, false);
        };
        if seen.reserved[0] != reserved {
            self.known = Known::No;
            return Said::Audited(0, 0, 0, true);
        }
        let (mut found, mut repaired, mut abandoned) = (0, 0, 0);
        let places = (0..SLOTS).flat_map(|slot| (0..SEATS).map(move |seat| Place { slot, seat }));
        for (place, row) in places.zip(rows) {
            let (is_drift, becomes) = match (seen.seats[&place], *row) {
                (Mark::Is(mark), row) if mark == row => continue,
                (Mark::Is(Row::Taken), Row::Due) => continue,
                (Mark::Is(Row::Due), Row::Free) => (false, Row::Free),
                (Mark::Is(_), row) => (true, row),
                (Mark::Picked(_), Row::Taken) => (false, Row::Taken),
                (Mark::Picked(pick), row) => {
                    let last = self.seen_picks.get(&place).filter(|last| last.0 == pick);
                    let since = last.map_or(self.now, |last| last.1);
                    self.seen_picks.insert(place, (pick, since));
                    if !self.is_abandoned(since) {
                        continue;
                    }
                    abandoned += 1;
                    (false, row)
                }
            };
            if let Known::Yes(picture) = &mut self.known
                && picture.rebuild == seen.rebuild
                && picture.seats[&place] == seen.seats[&place]
            {
                found += u64::from(is_drift);
                if becomes != Row::Taken || picture.releases == seen.releases {
                    picture.seats.insert(place, Mark::Is(becomes));
                    repaired += u64::from(is_drift);
                }
            }
        }
        Said::Audited(found, repaired, abandoned, false)
    }
}
