//! The gate: what a service asks it and tells it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Audited, Look, compare};
use crate::counts::{Counters, add, count};
use crate::kind::Kind;
use crate::value::{Began, DayValue, PickAnswer, Ticket};
use crate::watch::{InUse, Since};
use crate::{
    Counts, Day, DayState, Error, Free, Generations, Health, Picked, Place, Row, Seat, Settings,
    Unavailable, Who,
};

/// How long Redis keeps the mark of a rebuild that nobody finishes.
const REBUILDING_KEPT: Duration = Duration::from_secs(60);

/// A day that is used all the time is compared so often; one on which somebody asked in vain at every look.
const COMPARED_EVERY: Duration = Duration::from_secs(3);

/// Which seats are free, as Redis or memory knows it. Cheap to clone; the last clone ends its tasks.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    counters: Arc<Counters>,
    abandoned_after: Duration,
    rebuilds: Since<Day, u64>,
    picks: Since<(Day, u16), (u64, [u8; 2])>,
    in_vain: InUse,
    used: InUse,
}

/// The answer to [`Gate::begin_rebuild`].
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Read the database now, then [`Gate::finish_rebuild`].
    Yes(Rebuild),
    /// The day is known already.
    Ready,
    /// Somebody else rebuilds it.
    Busy {
        /// When it should be ready.
        after: Duration,
    },
}

/// A rebuild that has begun.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "until it is finished, or abandoned for some seconds, nobody gets a seat"]
pub struct Rebuild {
    day: Day,
    token: u64,
    generation: i64,
}

impl Gate {
    /// For a platform that is one process: two processes with a gate in memory each would not overbook, but tell people
    /// "full" wrongly, so a service that may run twice must refuse to start with it.
    pub fn memory() -> Self {
        Self::memory_with(Settings::default().abandoned_after)
    }

    /// The same, with [`Settings::abandoned_after`].
    pub fn memory_with(abandoned_after: Duration) -> Self {
        Self::new(Kind::memory(), Arc::default(), abandoned_after)
    }

    /// For any number of processes on one Redis, Sentinel group or Cluster. Does not wait for it: until it is found the
    /// gate is [`Health::Degraded`]. Within a Tokio runtime.
    pub fn redis(settings: Settings, generations: Arc<dyn Generations>) -> Result<Self, Error> {
        let counters: Arc<Counters> = Arc::default();
        let abandoned_after = settings.abandoned_after;
        let kind = Kind::redis(settings, generations, Arc::clone(&counters))?;
        Ok(Self::new(kind, counters, abandoned_after))
    }

    fn new(kind: Kind, counters: Arc<Counters>, abandoned_after: Duration) -> Self {
        Self(Arc::new(Inner {
            kind,
            counters,
            abandoned_after,
            rebuilds: Since::default(),
            picks: Since::default(),
            in_vain: InUse::new(Duration::ZERO),
            used: InUse::new(COMPARED_EVERY),
        }))
    }

    /// A seat of the slot for this person, or why there is none. One round trip.
    ///
    /// Ask only for slots that the database has: for a number that the day does not know the answer is
    /// [`Picked::Stale`], each time.
    pub async fn pick(&self, day: &Day, slot: u16, who: Who) -> Picked {
        let inner = &self.0;
        let again = |after| {
            count(&inner.counters.again);
            inner.in_vain.note([day]);
            Picked::Again {
                after: jittered(after),
            }
        };
        let in_vain = |full| {
            count(&inner.counters.full);
            inner.in_vain.note([day]);
            full
        };
        // What is answered after this caller has gone must not keep its seat: the seat travels as what gives itself back.
        let (gate, of) = (self.clone(), day.clone());
        let seat = move |seat, ticket| Seat {
            gate,
            day: of,
            place: Place { slot, seat },
            ticket,
            is_settled: false,
        };
        match inner.kind.pick(day, slot, who, seat).await {
            Err(unavailable) => {
                count(&inner.counters.unavailable);
                Picked::Unavailable(unavailable)
            }
            Ok(Asked::Seat(seat)) => {
                count(&inner.counters.picked);
                inner.used.note([day]);
                Picked::Seat(seat)
            }
            Ok(Asked::Other(PickAnswer::Full)) => in_vain(Picked::Full),
            Ok(Asked::Other(PickAnswer::OnlyReserved)) => in_vain(Picked::OnlyReserved),
            Ok(Asked::Other(PickAnswer::Rebuilding(token))) => {
                if inner.rebuilds.see(day.clone(), token) >= inner.abandoned_after {
                    Picked::Stale
                } else {
                    again(Duration::from_millis(20))
                }
            }
            Ok(Asked::Other(PickAnswer::Stale)) => Picked::Stale,
            Ok(Asked::Other(_)) => again(Duration::from_millis(20)),
            Ok(Asked::Repairing) => again(Duration::from_millis(100)),
            Ok(Asked::Withheld) => {
                count(&inner.counters.full_withheld);
                again(Duration::from_millis(50))
            }
        }
    }

    pub(crate) async fn settle(&self, day: &Day, ticket: Ticket, row: Row) {
        self.0.used.note([day]);
        self.0.kind.settle(day, ticket, row.mark()).await;
    }

    /// BEFORE the database frees these seats of a day (their rows are due). From now on nobody is told "full" because
    /// of them, though nobody gets them yet. An error forbids the database's change.
    ///
    /// The answer is the generation under which this was done: the statement that frees the rows MUST be guarded by it
    /// (`… WHERE … AND (SELECT number FROM …) = $generation`), and touch only rows that are due by the database's clock.
    pub async fn release(&self, day: &Day, seats: &[Place]) -> Result<i64, Unavailable> {
        self.0.used.note([day]);
        self.0.kind.free_up(day, seats, None).await
    }

    /// BEFORE the database frees seats of a day whose slots it has changed: the gate reads the day anew, so that nobody is
    /// told "full" by slots or reservations of before. The answer is as that of [`Gate::release`], which follows.
    pub async fn begin_anew(&self, day: &Day) -> Result<i64, Unavailable> {
        // A day that does not know what is freed of it is forgotten, and no day has this slot.
        self.0.kind.free_up(day, &[], Some(u16::MAX)).await
    }

    /// AFTER the database freed them: they can be picked. Lost on the way, an audit does it.
    pub async fn freed(&self, day: &Day, seats: &[Place]) {
        self.0.used.note([day]);
        self.0.kind.freed(day, seats).await;
    }

    /// BEFORE the database lifts the reservation of a slot (it is due): its free seats can be picked by anybody. Whom
    /// the database then refuses, because it has not been lifted yet, gives the seat back. The answer is as that of
    /// [`Gate::release`], and guards the statement likewise.
    pub async fn lift_reservation(&self, day: &Day, slot: u16) -> Result<i64, Unavailable> {
        self.0.used.note([day]);
        self.0.kind.free_up(day, &[], Some(slot)).await
    }

    /// Free seats of days, by slot number, in one round trip for all (in a Cluster, one to each master at the same
    /// time); `None` for days that the gate does not know: rebuild them. What is shown, not what is promised.
    pub async fn availability(&self, days: &[Day]) -> Result<Vec<Option<Vec<Free>>>, Unavailable> {
        // What people are shown they act on: a day that seems full is asked for by nobody.
        self.0.used.note(days);
        let values = self.0.kind.get(days).await?;
        Ok(values
            .into_iter()
            .map(|value| value.as_ref().map(DayValue::free))
            .collect())
    }

    /// After the day's slots changed in the database. Seats that an existing slot gains must be new rows that are due
    /// and then released; this alone would leave a moment of a wrong "full".
    pub async fn forget(&self, day: &Day) -> Result<(), Unavailable> {
        self.0.kind.forget(day).await
    }

    /// Before the database is read for a day that is unknown here. Until the end of it nobody gets a seat of that day.
    pub async fn begin_rebuild(&self, day: &Day) -> Result<Begun, Unavailable> {
        let inner = &self.0;
        let abandoned = inner.rebuilds.longer_than(day, inner.abandoned_after);
        let token = rand::random();
        Ok(
            match inner
                .kind
                .begin(day, token, abandoned, REBUILDING_KEPT)
                .await?
            {
                (Began::Yes, generation) => Begun::Yes(Rebuild {
                    day: day.clone(),
                    token,
                    generation,
                }),
                (Began::Ready, _) => {
                    inner.rebuilds.forget(day);
                    Begun::Ready
                }
                (Began::Rebuilding(other), _) => {
                    inner.rebuilds.see(day.clone(), other);
                    Begun::Busy {
                        after: jittered(Duration::from_millis(20)),
                    }
                }
            },
        )
    }

    /// With what the database said, in one snapshot of its primary, after the rebuild began. `false`: something was
    /// freed meanwhile, or somebody else took over; begin again.
    pub async fn finish_rebuild(&self, rebuild: Rebuild, state: &DayState) -> Result<bool, Error> {
        let inner = &self.0;
        let picture = DayValue::ready(rebuild.generation, rebuild.token, state)?;
        let is_done = inner.kind.finish(&rebuild.day, picture, state.keep).await?;
        inner.rebuilds.forget(&rebuild.day);
        count(if is_done {
            &inner.counters.rebuilds
        } else {
            &inner.counters.rebuilds_repeated
        });
        Ok(is_done)
    }

    /// Both, as often as it takes, within `within`: `read` reads the day from the database. `false` if the day is still
    /// not known then. Somebody else's rebuild is waited for.
    pub async fn rebuild<E, F>(
        &self,
        day: &Day,
        within: Duration,
        mut read: impl FnMut() -> F,
    ) -> Result<bool, E>
    where
        F: Future<Output = Result<DayState, E>>,
        E: From<Error>,
    {
        let deadline = tokio::time::Instant::now() + within;
        while tokio::time::Instant::now() < deadline {
            match self.begin_rebuild(day).await.map_err(Error::from)? {
                Begun::Ready => return Ok(true),
                Begun::Busy { after } => tokio::time::sleep(after).await,
                Begun::Yes(rebuild) => match read().await {
                    Ok(state) if self.finish_rebuild(rebuild, &state).await? => return Ok(true),
                    Ok(_) => {}
                    Err(error) => {
                        // The next need not wait until this one counts as abandoned.
                        _ = self.forget(day).await;
                        return Err(error);
                    }
                },
            }
        }
        Ok(false)
    }

    /// Days as the gate has them now, to be compared with what the database says afterwards.
    pub async fn look(&self, days: &[Day]) -> Result<Vec<Look>, Unavailable> {
        let values = self.0.kind.get(days).await?;
        Ok(days
            .iter()
            .cloned()
            .zip(values)
            .map(|(day, value)| Look { day, value })
            .collect())
    }

    /// Sets the gate right where it differs from what the database said, in one snapshot of its primary, after the
    /// look. Picks go on meanwhile. A day that the gate does not know has nothing to be set right.
    pub async fn audit(&self, look: &Look, state: &DayState) -> Result<Audited, Unavailable> {
        let (inner, day) = (&self.0, &look.day);
        let Some(value) = &look.value else {
            return Ok(Audited::default());
        };
        let mut is_open = false;
        let compared = compare(value, state, |index, ticket| {
            let key = (day.clone(), index);
            let seen = inner.picks.see(key, (value.token(), ticket));
            is_open |= seen < inner.abandoned_after;
            seen >= inner.abandoned_after
        });
        let Some(compared) = compared else {
            self.forget(day).await?;
            count(&inner.counters.forgotten);
            return Ok(Audited {
                is_forgotten: true,
                ..Audited::default()
            });
        };
        if is_open {
            // Abandoned or not: the next look tells, though nobody asks for the day any more.
            inner.used.note([day]);
        }
        if compared.corrections.is_empty() {
            return Ok(Audited::default());
        }
        let (found, repaired) = inner
            .kind
            .mend(day, value, &compared.corrections, compared.drift)
            .await?;
        let audited = Audited {
            drift_found: found.into(),
            drift_repaired: repaired.into(),
            abandoned: compared.abandoned,
            is_forgotten: false,
        };
        if audited.drift_repaired < audited.drift_found {
            inner.used.note([day]);
        }
        add(&inner.counters.drift_found, audited.drift_found);
        add(&inner.counters.drift_repaired, audited.drift_repaired);
        add(&inner.counters.abandoned, audited.abandoned);
        Ok(audited)
    }

    /// Up to `limit` days on which somebody was told "full" or "try again" since each was answered here last, the one that
    /// has waited longest first: to be audited before all others, because this is what keeps people waiting.
    pub fn asked_in_vain(&self, limit: usize) -> Vec<Day> {
        self.0.in_vain.take(limit)
    }

    /// The same of days that are used otherwise: seats of them are picked, kept, given back and freed here, or what is free
    /// of them is shown. A day is answered every three seconds at most.
    pub fn used(&self, limit: usize) -> Vec<Day> {
        self.0.used.take(limit)
    }

    /// Whether a day is, or will be, among those of [`Gate::used`] within three seconds, or was within as long.
    pub fn is_used(&self, day: &Day) -> bool {
        self.0.used.has(day)
    }

    /// Whether seats can be booked now, for readiness.
    pub fn health(&self) -> Health {
        self.0.kind.health()
    }

    /// What the gate has done so far.
    pub fn counts(&self) -> Counts {
        self.0.counters.read(self.0.kind.generation_count())
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }
}

/// What a kind answers to a pick.
#[derive(Debug)]
pub(crate) enum Asked {
    Seat(Seat),
    Other(PickAnswer),
    /// "Full", but too late to be believed.
    Withheld,
    /// The server is being admitted.
    Repairing,
}

/// Between `after` and twice that, so that those who were told together do not come back together.
fn jittered(after: Duration) -> Duration {
    after.mul_f64(1.0 + rand::random::<f64>())
}
