//! A database of seats, exact and small: rows with versions and due times, the generation, and a history of how many
//! seats of each slot were free, by which every "full" is judged.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bangban_slots::{BoxError, Day, DayState, Free, Generations, Place, Row, SlotState, Who};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    Held,
    CoolingUntil(Instant),
    /// Freed by a statement that has begun and is not committed: others see it as it was, due.
    BeingFreed,
}

#[derive(Debug)]
struct Slot {
    capacity: u16,
    reserved: u16,
    rows: HashMap<u16, Stored>,
    /// How many seats were free from then on.
    free: Vec<(Instant, Free)>,
}

impl Slot {
    fn note(&mut self) {
        let free = |from| (from..self.capacity).filter(|s| !self.rows.contains_key(s));
        let free = Free {
            ordinary: free(self.reserved).count() as u16,
            special: free(0).count() as u16,
        };
        self.free.push((Instant::now(), free));
    }

    fn row(&self, seat: u16, now: Instant) -> Row {
        match self.rows.get(&seat) {
            None => Row::Free,
            Some(Stored::CoolingUntil(until)) if *until <= now => Row::Due,
            Some(Stored::BeingFreed) => Row::Due,
            Some(_) => Row::Taken,
        }
    }
}

#[derive(Default)]
pub struct Truth {
    days: Mutex<HashMap<Day, Vec<Slot>>>,
    generation: Mutex<i64>,
    pub is_slow: AtomicBool,
}

impl Truth {
    pub fn publish(&self, day: &Day, slots: &[(u16, u16)]) {
        let slots = slots.iter().map(|(capacity, reserved)| {
            let mut slot = Slot {
                capacity: *capacity,
                reserved: *reserved,
                rows: HashMap::new(),
                free: Vec::new(),
            };
            slot.note();
            slot
        });
        self.days
            .lock()
            .unwrap()
            .insert(day.clone(), slots.collect());
    }

    fn with<T>(&self, day: &Day, slot: u16, change: impl FnOnce(&mut Slot) -> T) -> T {
        let mut days = self.days.lock().unwrap();
        change(&mut days.get_mut(day).unwrap()[usize::from(slot)])
    }

    /// Network and disk: what was read is answered later, while others write.
    pub async fn travel(&self) {
        if self.is_slow.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_micros(rand::random_range(0..4000))).await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// Takes the seat, or says what its row says.
    pub fn claim(&self, day: &Day, place: Place) -> Result<(), Row> {
        self.with(day, place.slot, |slot| {
            match slot.row(place.seat, Instant::now()) {
                Row::Free => {
                    assert!(
                        place.seat < slot.capacity,
                        "the gate gave out a seat that is not there"
                    );
                    slot.rows.insert(place.seat, Stored::Held);
                    slot.note();
                    Ok(())
                }
                row => Err(row),
            }
        })
    }

    /// What an expired or cancelled hold becomes.
    pub fn cool(&self, day: &Day, place: Place, long: Duration) {
        self.with(day, place.slot, |slot| {
            let before = slot
                .rows
                .insert(place.seat, Stored::CoolingUntil(Instant::now() + long));
            assert_eq!(before, Some(Stored::Held));
        });
    }

    pub fn due(&self, day: &Day) -> Vec<Place> {
        let now = Instant::now();
        let days = self.days.lock().unwrap();
        (0..)
            .zip(&days[day])
            .flat_map(|(number, slot)| {
                slot.rows
                    .keys()
                    .filter(|seat| slot.row(**seat, now) == Row::Due)
                    .map(|seat| Place {
                        slot: number,
                        seat: *seat,
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The statement of a release, guarded by the generation of its snapshot and by what is due; its commit comes
    /// later, whatever happened meanwhile.
    pub async fn free(&self, day: &Day, places: &[Place], generation: i64) -> Vec<Place> {
        let begun: Vec<Place> = {
            let current = self.generation.lock().unwrap();
            let begins = |place: &&Place| {
                self.with(day, place.slot, |slot| {
                    let Some(row) = slot.rows.get_mut(&place.seat) else {
                        return false;
                    };
                    let is_due =
                        matches!(row, Stored::CoolingUntil(until) if *until <= Instant::now());
                    if is_due {
                        *row = Stored::BeingFreed;
                    }
                    is_due
                })
            };
            if *current == generation {
                places.iter().filter(begins).copied().collect()
            } else {
                Vec::new()
            }
        };
        self.travel().await;
        for place in &begun {
            self.with(day, place.slot, |slot| {
                slot.rows.remove(&place.seat);
                slot.note();
            });
        }
        begun
    }

    pub fn state(&self, day: &Day) -> DayState {
        let now = Instant::now();
        let days = self.days.lock().unwrap();
        let slots = days[day].iter().map(|slot| SlotState {
            reserved: slot.reserved,
            seats: (0..slot.capacity).map(|seat| slot.row(seat, now)).collect(),
        });
        DayState {
            slots: slots.collect(),
            keep: Duration::from_secs(3600),
        }
    }

    pub fn free_count(&self, day: &Day, slot: u16) -> usize {
        self.with(day, slot, |slot| {
            usize::from(slot.capacity) - slot.rows.len()
        })
    }

    /// Whether there was a moment between the two without a free seat that they may have.
    pub fn was_full(&self, day: &Day, slot: u16, who: Who, (from, to): (Instant, Instant)) -> bool {
        self.with(day, slot, |slot| {
            let first = slot
                .free
                .iter()
                .rposition(|(since, _)| *since <= from)
                .unwrap_or(0);
            slot.free[first..]
                .iter()
                .take_while(|(since, _)| *since <= to)
                .any(|(_, free)| match who {
                    Who::Ordinary => free.ordinary == 0,
                    Who::Special => free.special == 0,
                })
        })
    }
}

#[async_trait]
impl Generations for Truth {
    async fn read(&self) -> Result<i64, BoxError> {
        let generation = *self.generation.lock().unwrap();
        self.travel().await;
        Ok(generation)
    }

    async fn replace(&self, old: i64, new: i64) -> Result<i64, BoxError> {
        self.travel().await;
        let mut generation = self.generation.lock().unwrap();
        if *generation == old {
            *generation = new;
        }
        Ok(*generation)
    }
}
