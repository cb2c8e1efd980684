//! Days: published when their time has come, reservations lifted when theirs has, and appointments looked after on days
//! whose capacity has changed (BB-9.2b).

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::scheduling::v1::{
    BookingKept, BookingState, Day, OtherTimes, OtherTimesOffered, SlotAvailability,
};
use bangban_store::{Error, Now};
use chrono::{Days, NaiveDate};

use super::BATCH;
use crate::{
    domain::{
        Act, appointment, change,
        outside::{timestamp, today},
        time,
    },
    doorkeeper::Doorkeeper,
    rpc::Rpc,
    store::{DayKey, capacity, due, us},
    work,
};

/// Most other times that are offered.
const OTHER_TIMES: usize = 5;

/// How many days ahead other times are looked for.
const LOOKED_AHEAD: u64 = 14;

/// When a site is tried again whose days could not be published: in five minutes.
const PUT_OFF_US: i64 = 300_000_000;

/// Publishes days whose time has come.
pub(super) async fn publish(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let mut steps = 0;
    for (district, site) in capacity::to_publish(&rpc.store, now.us(), BATCH).await? {
        match rpc.publish_due(&district, &site).await {
            // One site whose days cannot be published stops no other; it is behind them until it is tried again.
            Err(Error::Refused(refusal)) => {
                tracing::warn!(
                    district,
                    site,
                    %refusal,
                    "days of a site cannot be published; it is tried again"
                );
                let then_us = now.us() + PUT_OFF_US;
                capacity::put_off(&rpc.store, (&district, &site), now.us(), then_us).await?;
            }
            done => steps += done?,
        }
    }
    Ok(steps)
}

fn key_of(id: &str) -> Result<DayKey, Refusal> {
    id.parse().map_err(Refusal::internal)
}

/// Lifts reservations that have ended: the gate first, so that nobody is told full because of them (BB-7.1.1).
pub(super) async fn lift(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let caller = Caller::system("scheduling");
    let mut steps = 0;
    for (district, id) in due::days_to_lift(&rpc.store, now.us(), BATCH).await? {
        let key = key_of(&id)?;
        let kept = capacity::day(&rpc.store, &district, &key).await?;
        let is_over = |until: Option<&_>| us(until).is_some_and(|until| until <= now.us());
        let slots: Vec<String> = kept
            .body
            .slots
            .iter()
            .filter(|s| s.reserved > 0 && is_over(s.reserved_until.as_ref()))
            .map(|s| s.id.clone())
            .collect();
        let Some(generation) = told(rpc, &Doorkeeper::day(&district, &key)?, &slots).await? else {
            continue;
        };
        let effect = work::lifted(&rpc.store, &district, kept, slots, &caller, now).await?;
        let mut states = effect.states;
        // As with seats that come back: a process that still talks to a demoted Redis has told the wrong one, and what it
        // lifts there would stay reserved in the right one, which would go on saying full.
        states.push(capacity::revised_under(generation));
        match rpc.store.write_all(&effect.chains, None, states).await {
            Ok(_) => steps += 1,
            Err(error) if error.is_passing() => {}
            Err(error) => return Err(error),
        }
    }
    if steps > 0 {
        // Until memory knows it, who finds no seat is told to try again.
        rpc.doors.look().await?;
    }
    Ok(steps)
}

/// Tells the gate that slots are no longer reserved; answers under which generation, or none when it cannot be told or the
/// generation has changed meanwhile.
async fn told(rpc: &Rpc, day: &bangban_slots::Day, slots: &[String]) -> Result<Option<i64>, Error> {
    let mut generations = Vec::new();
    for slot in slots {
        let number = crate::rpc::slot_number(slot)?;
        let Ok(generation) = rpc.doors.gate().lift_reservation(day, number).await else {
            return Ok(None);
        };
        generations.push(generation);
    }
    generations.dedup();
    Ok(match generations[..] {
        [generation] => Some(generation),
        _ => None,
    })
}

/// Looks after appointments on days that have changed: kept where the site still serves at that time, else offered other
/// times, each once for the time that it has. A day is done with when it was looked through behind the end of its care and
/// nothing was left to do.
pub(super) async fn care(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let mut steps = 0;
    let mut behind = Default::default();
    loop {
        // A day stays in care when it was looked after, so that the next ones are behind it.
        let days = due::days_in_care(&rpc.store, &behind, BATCH).await?;
        let Some((last, _)) = days.last() else {
            return Ok(steps);
        };
        behind = last.clone();
        for ((district, id), until_us) in &days {
            let looked = match cared(rpc, district, &key_of(id)?, now).await {
                // One day that cannot be looked after stops no other; it stays in care.
                Err(Error::Refused(refusal)) => {
                    tracing::warn!(
                        district,
                        day = id,
                        %refusal,
                        "appointments of a day cannot be looked after; it is tried again"
                    );
                    continue;
                }
                looked => looked?,
            };
            steps += looked.done;
            if looked.found == 0 && *until_us <= now.us() {
                due::care_is_over(&rpc.store, (district.as_str(), id.as_str()), *until_us).await?;
            }
        }
    }
}

/// What looking through a day came to.
#[derive(Debug, Default)]
struct Looked {
    /// Appointments that were to be kept or offered other times.
    found: usize,
    /// Those that were; of the others somebody else was faster.
    done: usize,
}

/// Looks after the appointments of a day.
async fn cared(rpc: &Rpc, district: &str, key: &DayKey, now: Now) -> Result<Looked, Error> {
    let mut bookings = capacity::bookings(&rpc.store, district, key).await?;
    bookings.retain(|booking| booking.state() == BookingState::Confirmed);
    let mut looked = Looked::default();
    if bookings.is_empty() {
        return Ok(looked);
    }
    let day = capacity::day(&rpc.store, district, key).await?.body;
    let slots = capacity::slots(&rpc.store, district, key).await?;
    for booking in bookings {
        let row = slots.iter().find(|s| s.key.to_string() == booking.slot);
        let is_stranded = row.is_some_and(|s| booking.seat >= u32::from(s.seats()));
        let has_offer = appointment::offered(&booking).is_some();
        if !is_stranded || booking.is_kept || has_offer {
            continue;
        }
        let is_closed = row.is_some_and(|s| s.is_closed);
        let is_served = !is_closed || serves(rpc, district, key, &booking).await?;
        let act = if is_served {
            Act::BookingKept(BookingKept {
                reason: "时段容量调整，预约保留".to_owned(),
            })
        } else {
            let free = around(rpc, district, key, now).await?;
            let number = u32::try_from(booking.other_times.len()).unwrap_or(u32::MAX);
            Act::OtherTimesOffered(OtherTimesOffered {
                other_times: Some(OtherTimes {
                    number: number.saturating_add(1),
                    reason: reason(&day),
                    slots: change::other_times(&booking, &free, OTHER_TIMES),
                    offered_at: Some(timestamp(now.at)),
                }),
            })
        };
        looked.found += 1;
        looked.done += usize::from(super::bookings::acted(rpc, district, &booking.id, act).await?);
    }
    Ok(looked)
}

fn reason(day: &Day) -> String {
    format!("{} {} 的安排已变更", day.site, day.date)
}

/// Whether the site still serves at the time of an appointment.
async fn serves(
    rpc: &Rpc,
    district: &str,
    key: &DayKey,
    booking: &bangban_proto::bangban::scheduling::v1::Booking,
) -> Result<bool, Error> {
    let known = rpc.learned.now(district).await?;
    let Some(site) = known.site(&key.site) else {
        return Ok(false);
    };
    let kept = capacity::of_site(&rpc.store, district, &key.site).await?;
    let minute = |at| time::local(time::of(at)).1;
    let span = (
        minute(booking.starts_at.as_ref()),
        minute(booking.ends_at.as_ref()),
    );
    let plan = work::plan(site, &kept.body, &known);
    Ok(plan.serves(&booking.group, key.date, span)?)
}

/// What is free around a day at its site.
async fn around(
    rpc: &Rpc,
    district: &str,
    key: &DayKey,
    now: Now,
) -> Result<Vec<SlotAvailability>, Error> {
    let first = (key.date - Days::new(LOOKED_AHEAD)).max(today(now.at));
    let last: NaiveDate = key.date + Days::new(LOOKED_AHEAD);
    let days = rpc
        .free_days(district, &key.site, (first, last), "")
        .await?;
    Ok(days.into_iter().flat_map(|day| day.slots).collect())
}
