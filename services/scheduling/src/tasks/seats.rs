//! Holds that have expired cool, and seats whose cooling is over come back: the gate first, then the database.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use bangban_proto::bangban::scheduling::v1::SeatState;
use bangban_slots::Place;
use bangban_store::{Error, Now, Store, write::Row};

use super::{BATCH, cooled};
use crate::{
    doorkeeper::Doorkeeper,
    figures,
    rpc::Rpc,
    store::{DayKey, Seat, capacity, due},
};

/// So much of what was looked through is looked through again, in microseconds, for holds that were written meanwhile and
/// are short; those that were written later still are found by the audit, on days that are used.
const AGAIN_US: i64 = 5_000_000;

/// How far it is looked back, in microseconds, by who begins, every hour, and when the clock was set back: a day.
const BACK_US: i64 = 86_400_000_000;

/// Between two looks back, in microseconds: an hour.
const BETWEEN_US: i64 = 3_600_000_000;

/// How much of what a process has looked through it does not put down, in microseconds: a minute. Who begins looks through
/// that again.
const UNWRITTEN_US: i64 = 60_000_000;

/// Until when this process has looked for holds that have ended, what it has put down of that, and when it has looked back, in
/// microseconds since the epoch; 0 where it has not begun.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    until: AtomicI64,
    written: AtomicI64,
    back: AtomicI64,
}

impl Swept {
    /// Until when it was looked, and from when on to look now.
    async fn from(&self, store: &Store, now_us: i64) -> Result<(i64, i64), Error> {
        let mut until_us = self.until.load(Ordering::Relaxed);
        if until_us == 0 {
            let written_us = due::swept(store).await?;
            self.written.store(written_us, Ordering::Relaxed);
            self.until.store(written_us, Ordering::Relaxed);
            until_us = written_us;
        }
        let is_set_back = until_us > now_us;
        let is_time = (now_us - self.back.load(Ordering::Relaxed)).abs() >= BETWEEN_US;
        if is_set_back || is_time {
            self.back.store(now_us, Ordering::Relaxed);
            return Ok((until_us, until_us.min(now_us - BACK_US)));
        }
        Ok((until_us, until_us - AGAIN_US))
    }

    /// From `from_us` on it was looked until then; without effect where the audit has sent it back meanwhile.
    async fn until(&self, store: &Store, from_us: i64, us: i64) -> Result<(), Error> {
        let order = Ordering::Relaxed;
        if self
            .until
            .compare_exchange(from_us, us, order, order)
            .is_err()
        {
            return Ok(());
        }
        if us - self.written.load(Ordering::Relaxed) > UNWRITTEN_US {
            due::swept_until(store, us).await?;
            self.written.store(us, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What was due then stands.
    pub(crate) fn goes_back(&self, us: i64) {
        self.until.fetch_min(us, Ordering::Relaxed);
    }
}

/// Expires holds and brings seats back; answers how many steps were taken.
pub(super) async fn expire(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let (swept_us, from_us) = rpc.swept.from(&rpc.store, now.us()).await?;
    let (ended, until_us) = due::holds(&rpc.store, from_us, now.us(), BATCH).await?;
    rpc.swept.until(&rpc.store, swept_us, until_us).await?;
    // A release that knows no other column has put those that cool among them.
    let (held, cooling): (Vec<_>, Vec<_>) = ended
        .into_iter()
        .partition(|seat| seat.state == SeatState::Held);
    let mut steps = end(rpc, held, now).await? + come_back(rpc, cooling, now).await?;
    let mut behind = due::start();
    let mut earliest_us: Option<i64> = None;
    loop {
        let due = due::cooled(&rpc.store, &behind, now.us(), BATCH).await?;
        let Some(last) = due.last() else {
            figures::overdue(earliest_us.map_or(0, |us| (now.us() - us).max(0)));
            return Ok(steps);
        };
        earliest_us = earliest_us.or(due[0].due_us);
        // A seat stays where its gate cannot be told, and the next ones are behind it: where one of several servers is
        // away, the others' seats come back.
        let last_us = last.due_us.unwrap_or_default();
        behind = (last_us, last.district.clone(), last.key.to_string());
        steps += come_back(rpc, due, now).await?;
    }
}

/// Ends holds, whose seats cool.
async fn end(rpc: &Rpc, ended: Vec<Seat>, now: Now) -> Result<usize, Error> {
    let mut policies = BTreeMap::new();
    let mut writes = Vec::new();
    for seat in ended {
        if !policies.contains_key(&seat.district) {
            let policy = capacity::policy(&rpc.store, &seat.district).await?;
            policies.insert(seat.district.clone(), policy.body);
        }
        let rules = policies.get(&seat.district).cloned().unwrap_or_default();
        let free_us = cooled(&rules, now);
        writes.push(async move {
            if !seat.waiting.is_empty() {
                return super::bookings::offer_expired(rpc, seat, free_us, now).await;
            }
            let row = seat.cooling(free_us, String::new()).row();
            changed(rpc, row).await
        });
    }
    let mut steps = 0;
    for written in futures::future::join_all(writes).await {
        steps += usize::from(written?);
    }
    Ok(steps)
}

/// Frees seats, those of a day together.
async fn come_back(rpc: &Rpc, due: Vec<Seat>, now: Now) -> Result<usize, Error> {
    let mut days: BTreeMap<(String, DayKey), Vec<Seat>> = BTreeMap::new();
    for seat in due {
        let day = (seat.district.clone(), seat.key.slot.day.clone());
        days.entry(day).or_default().push(seat);
    }
    let mut steps = 0;
    for ((district, day), seats) in days {
        steps += free(rpc, &district, &day, seats, now).await?;
    }
    Ok(steps)
}

/// Writes a row, unless somebody else was faster.
pub(super) async fn changed(rpc: &Rpc, row: Row) -> Result<bool, Error> {
    match rpc.store.write_rows(vec![row]).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_passing() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Frees seats of a day, those first for whom somebody waits.
async fn free(
    rpc: &Rpc,
    district: &str,
    day: &DayKey,
    seats: Vec<Seat>,
    now: Now,
) -> Result<usize, Error> {
    let gate = rpc.doors.gate();
    let name = Doorkeeper::day(district, day)?;
    // What was said to the gate when the slots were changed may have been lost.
    let mut anew = None;
    if seats.iter().any(Seat::is_due_by_change) {
        let Ok(generation) = gate.begin_anew(&name).await else {
            return Ok(0);
        };
        anew = Some(generation);
    }
    let (offered, seats) = super::bookings::offer(rpc, district, day, seats, now).await?;
    if seats.is_empty() {
        return Ok(offered);
    }
    let places: Vec<Place> = seats.iter().map(place).collect();
    // Without the gate no seat comes back: it would be told full of seats that are free.
    let Ok(generation) = gate.release(&name, &places).await else {
        return Ok(offered);
    };
    if anew.is_some_and(|anew| anew != generation) {
        return Ok(offered);
    }
    let mut free = due::free(&rpc.store, &seats, generation).await?;
    let steps = offered + free.len();
    let others: Vec<&Seat> = seats.iter().filter(|s| !free.contains(&s.key)).collect();
    if !others.is_empty() {
        // Another process has freed them and told the gate, before this one told it that they are about to come back.
        free.extend(due::free_already(&rpc.store, &others).await?);
    }
    let places: Vec<Place> = seats
        .iter()
        .filter(|seat| free.contains(&seat.key))
        .map(place)
        .collect();
    gate.freed(&name, &places).await;
    Ok(steps)
}

fn place(seat: &Seat) -> Place {
    Place {
        slot: seat.key.slot.number,
        seat: seat.key.seat,
    }
}
