//! Holds that have expired cool, and seats whose cooling is over come back: the gate first, then the database.

use std::collections::BTreeMap;

use bangban_proto::bangban::scheduling::v1::SeatState;
use bangban_slots::Place;
use bangban_store::{Error, Now, write::Row};

use super::{BATCH, cooled};
use crate::{
    doorkeeper::Doorkeeper,
    rpc::Rpc,
    store::{DayKey, Seat, capacity, due},
};

/// Expires holds and brings seats back; answers how many steps were taken.
pub(super) async fn expire(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let due = due::seats(&rpc.store, now.us(), BATCH).await?;
    let mut cooling: BTreeMap<(String, DayKey), Vec<Seat>> = BTreeMap::new();
    let mut policies = BTreeMap::new();
    let mut expired = Vec::new();
    for seat in due {
        match seat.state {
            SeatState::Held => {
                if !policies.contains_key(&seat.district) {
                    let policy = capacity::policy(&rpc.store, &seat.district).await?;
                    policies.insert(seat.district.clone(), policy.body);
                }
                let rules = policies.get(&seat.district).cloned().unwrap_or_default();
                expired.push((cooled(&rules, now), seat));
            }
            _ => {
                let day = (seat.district.clone(), seat.key.slot.day.clone());
                cooling.entry(day).or_default().push(seat);
            }
        }
    }
    let mut steps = 0;
    let writes = expired.into_iter().map(|(free_us, seat)| async move {
        if !seat.waiting.is_empty() {
            return super::bookings::offer_expired(rpc, seat, free_us, now).await;
        }
        let row = seat.cooling(free_us, String::new()).row();
        changed(rpc, row).await
    });
    for written in futures::future::join_all(writes).await {
        steps += usize::from(written?);
    }
    for ((district, day), seats) in cooling {
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
    let freed = due::free(&rpc.store, &seats, generation).await?;
    let places: Vec<Place> = seats
        .iter()
        .filter(|seat| freed.contains(&seat.key))
        .map(place)
        .collect();
    gate.freed(&name, &places).await;
    Ok(offered + freed.len())
}

fn place(seat: &Seat) -> Place {
    Place {
        slot: seat.key.slot.number,
        seat: seat.key.seat,
    }
}
