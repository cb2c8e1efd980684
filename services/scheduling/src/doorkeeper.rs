//! What stands between callers and seats: the gate, the days' layouts in memory, and how a day that the gate does not
//! know is put into it from the database.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bangban_kit::refusal::{Kind, Refusal};
use bangban_proto::bangban::scheduling::v1::{Day, Slot};
use bangban_slots::{Begun, Free, Gate, Picked, Seat, Who};
use bangban_store::{Error, Store};
use chrono::{DateTime, NaiveDate, Utc};
use tokio::time::Instant;

use crate::store::{DayKey, SlotKey, capacity, picture};

/// How long a call goes on asking for a seat while others are just picking or freeing theirs.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How often a day is put into the gate anew before a caller is told to try again.
const REBUILDS: usize = 5;

/// Most sites whose layouts are kept in memory.
const MOST_SITES: usize = 4096;

/// Days that are published, of a site, by date.
type Layouts = Arc<BTreeMap<NaiveDate, Arc<Day>>>;

#[derive(Debug, Default)]
struct Memory {
    /// How often capacity had changed when this was read.
    revision: i64,
    /// How often that or what is known of districts had changed.
    changes: i64,
    sites: HashMap<(String, String), Layouts>,
}

/// The gate with everything around it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Doorkeeper {
    gate: Gate,
    store: Store,
    memory: Arc<Mutex<Memory>>,
    /// Days that this process is just putting into the gate.
    rebuilding: Arc<Mutex<HashMap<bangban_slots::Day, Arc<tokio::sync::Mutex<()>>>>>,
    clock: Arc<Mutex<(DateTime<Utc>, Instant)>>,
}

/// What there is for whoever asks for a seat.
#[derive(Debug)]
pub enum Pick {
    /// This one.
    Seat(Seat),
    /// None for anybody, but one that is reserved for special groups (BB-7.1.1).
    OnlyReserved,
    /// The database has no such slot.
    NoSlot,
}

/// SLOT_BUSY (BB-9.2b): nobody can say at the moment.
#[must_use]
pub fn busy() -> Refusal {
    Refusal::new(
        Kind::Unavailable,
        "SLOT_BUSY",
        "BB-9.2b",
        "该时段正在被多人预约，暂时无法确定余号，请稍后重试",
        "others are booking this time at the moment: try again",
    )
    .retry_after(Duration::from_millis(500))
}

/// GATE_UNAVAILABLE (BB-9.2b).
#[must_use]
pub fn unavailable(after: Duration) -> Refusal {
    Refusal::new(
        Kind::Unavailable,
        "GATE_UNAVAILABLE",
        "BB-9.2b",
        "预约服务暂时不可用，请稍后重试；已有的预约不受影响",
        "appointments cannot be given at the moment: try again; those that are given stand",
    )
    .retry_after(after)
}

/// SLOT_FULL (BB-9.2b).
#[must_use]
pub fn full() -> Refusal {
    Refusal::new(
        Kind::Exhausted,
        "SLOT_FULL",
        "BB-9.2b",
        "该时段已约满，请选择其他时段，或加入候补",
        "this time is full: choose another, or join the waiting list",
    )
    .field("slot", "full")
}

impl Doorkeeper {
    /// Keeps `gate` for the service of `store`.
    #[must_use]
    pub fn new(gate: Gate, store: Store) -> Self {
        Self {
            gate,
            store,
            memory: Arc::default(),
            rebuilding: Arc::default(),
            clock: Arc::new(Mutex::new((DateTime::UNIX_EPOCH, Instant::now()))),
        }
    }

    /// The gate.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A day as the gate names it.
    ///
    /// # Errors
    /// INTERNAL for a name that no contract lets through.
    pub fn day(district: &str, day: &DayKey) -> Result<bangban_slots::Day, Refusal> {
        bangban_slots::Day::new(district, &day.site, day.date).map_err(Refusal::internal)
    }

    /// A seat of a slot. `until` is when the caller wants an answer.
    ///
    /// # Errors
    /// SLOT_FULL: there is no seat for anybody; SLOT_BUSY, GATE_UNAVAILABLE.
    pub async fn pick(
        &self,
        district: &str,
        slot: &SlotKey,
        who: Who,
        until: Option<Instant>,
    ) -> Result<Pick, Error> {
        let day = Self::day(district, &slot.day)?;
        let mut end = Instant::now() + PATIENCE;
        if let Some(until) = until {
            end = end.min(until);
        }
        let (mut rebuilds, mut waits) = (0, 0_u32);
        loop {
            match self.gate.pick(&day, slot.number, who).await {
                Picked::Seat(seat) => return Ok(Pick::Seat(seat)),
                Picked::OnlyReserved => return Ok(Pick::OnlyReserved),
                Picked::Full => return Err(full().into()),
                Picked::Unavailable(it) => return Err(unavailable(it.after).into()),
                Picked::Again { after } => {
                    // Longer each time: thousands who wait for one seat would keep everybody else from the gate.
                    let after = after * 2_u32.pow(waits.min(4));
                    waits += 1;
                    if Instant::now() + after >= end {
                        return Err(busy().into());
                    }
                    tokio::time::sleep(after).await;
                }
                Picked::Stale => {
                    let one = self.one_rebuild(&day);
                    let Ok(_first) = one.try_lock() else {
                        // Everybody wants the day at once: one reads it, the others wait and ask again.
                        if tokio::time::timeout_at(end, one.lock()).await.is_err() {
                            return Err(busy().into());
                        }
                        continue;
                    };
                    rebuilds += 1;
                    if rebuilds > REBUILDS {
                        return Err(busy().into());
                    }
                    let known = self
                        .rebuild(district, std::slice::from_ref(&slot.day))
                        .await;
                    self.rebuilt(&day);
                    let known = known?;
                    let slots = known.get(&slot.day).copied().unwrap_or_default();
                    if usize::from(slot.number) >= slots {
                        return Ok(Pick::NoSlot);
                    }
                }
            }
        }
    }

    fn one_rebuild(&self, day: &bangban_slots::Day) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self
            .rebuilding
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.entry(day.clone()).or_default().clone()
    }

    fn rebuilt(&self, day: &bangban_slots::Day) {
        let mut all = self
            .rebuilding
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.remove(day);
    }

    /// Puts days of a site into the gate, as far as it does not know them, and answers how many slots each has. One
    /// statement reads them all. Where one of several servers is away, the days of the others are there nevertheless.
    ///
    /// # Errors
    /// GATE_UNAVAILABLE, where one of the days cannot be put there; the database's.
    pub async fn rebuild(
        &self,
        district: &str,
        keys: &[DayKey],
    ) -> Result<BTreeMap<DayKey, usize>, Error> {
        let begun = keys.iter().map(|key| async move {
            let day = Self::day(district, key)?;
            let begun = self.gate.begin_rebuild(&day).await;
            Ok::<_, Refusal>((key, begun))
        });
        let mut failed = None;
        let mut rebuilds = Vec::new();
        for (key, begun) in futures::future::try_join_all(begun).await? {
            match begun {
                Ok(begun) => rebuilds.push((key, begun)),
                Err(away) => failed = Some(unavailable(away.after)),
            }
        }
        let (Some((first, _)), Some((last, _))) = (rebuilds.first(), rebuilds.last()) else {
            return failed.map_or_else(|| Ok(BTreeMap::new()), |failed| Err(failed.into()));
        };
        let pictures = picture::pictures(&self.store, district, (first, last)).await?;
        let mut finished = Vec::new();
        for (key, begun) in rebuilds {
            match begun {
                Begun::Ready => {}
                Begun::Busy { after } => {
                    if keys.len() == 1 {
                        tokio::time::sleep(after).await;
                    }
                }
                Begun::Yes(rebuild) => match pictures.days.get(key) {
                    Some(picture) => finished.push(self.gate.finish_rebuild(rebuild, picture)),
                    // A day without slots is none: nobody waits for it.
                    None => {
                        let day = Self::day(district, key)?;
                        _ = self.gate.forget(&day).await;
                    }
                },
            }
        }
        for finished in futures::future::join_all(finished).await {
            match finished {
                Ok(_) => {}
                Err(bangban_slots::Error::Unavailable(it)) => failed = Some(unavailable(it.after)),
                Err(error) => return Err(Refusal::internal(error).into()),
            }
        }
        if let Some(failed) = failed {
            return Err(failed.into());
        }
        let counts = pictures.days.into_iter();
        Ok(counts.map(|(key, day)| (key, day.slots.len())).collect())
    }

    /// What is free of days of a site, earliest first: for each its slots by number; none where nobody can say at the moment.
    ///
    /// # Errors
    /// The database's. Without a gate nothing is known, which is no error.
    pub async fn free(
        &self,
        district: &str,
        days: &[DayKey],
    ) -> Result<Vec<Option<Vec<Free>>>, Error> {
        let names: Vec<_> = days
            .iter()
            .map(|key| Self::day(district, key))
            .collect::<Result<_, _>>()?;
        let Ok(mut free) = self.gate.availability(&names).await else {
            return Ok(vec![None; days.len()]);
        };
        let unknown = days.iter().zip(&free).filter(|(_, free)| free.is_none());
        let unknown: Vec<DayKey> = unknown.map(|(key, _)| key.clone()).collect();
        if !unknown.is_empty() {
            match self.rebuild(district, &unknown).await {
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
            if let Ok(again) = self.gate.availability(&names).await {
                free = again;
            }
        }
        Ok(free)
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The published days of a site, from memory as long as capacity has not changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn layouts(&self, district: &str, site: &str) -> Result<Layouts, Error> {
        let key = (district.to_owned(), site.to_owned());
        let revision = {
            let memory = self.memory();
            if let Some(layouts) = memory.sites.get(&key) {
                return Ok(layouts.clone());
            }
            memory.revision
        };
        let days = capacity::days(&self.store, district, site, ("0000", "9999")).await?;
        let layouts = days.into_iter().filter_map(|day| {
            let date = day.body.date.parse().ok()?;
            Some((date, Arc::new(day.body)))
        });
        let layouts: Layouts = Arc::new(layouts.collect());
        let mut memory = self.memory();
        // Not kept when capacity has changed meanwhile: the next one reads anew.
        if memory.revision == revision {
            if memory.sites.len() >= MOST_SITES {
                memory.sites.clear();
            }
            memory.sites.insert(key, layouts.clone());
        }
        Ok(layouts)
    }

    /// A slot as it is published, from memory as long as capacity has not changed; none where there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn layout(&self, district: &str, slot: &SlotKey) -> Result<Option<Slot>, Error> {
        let layouts = self.layouts(district, &slot.day.site).await?;
        let day = layouts.get(&slot.day.date);
        Ok(day.and_then(|day| day.slots.get(usize::from(slot.number)).cloned()))
    }

    /// How often capacity, or what is known of districts, had changed at the last look.
    #[must_use]
    pub fn changes(&self) -> i64 {
        self.memory().changes
    }

    /// Now, as the database said it at the last look, and the time since: for what is shown, not for what is decided.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.0 + clock.1.elapsed()
    }

    /// Looks whether capacity has changed, in this process or another, and forgets what was read before.
    ///
    /// # Errors
    /// The database's.
    pub async fn look(&self) -> Result<(), Error> {
        let asked = Instant::now();
        let (revision, changes, now) = capacity::revision(&self.store).await?;
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = (now.at, asked);
        let mut memory = self.memory();
        memory.changes = changes;
        if memory.revision != revision {
            memory.revision = revision;
            memory.sites.clear();
        }
        Ok(())
    }
}
