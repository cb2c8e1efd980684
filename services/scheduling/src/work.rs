//! How capacity is published and changed: the days that follow from it, in the transaction that changes it.

use std::collections::BTreeMap;

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_learned::known::Known;
use bangban_proto::bangban::{
    directory::v1::Site,
    scheduling::v1::{
        Affected, Booking, Day, DayChanged, DayPublished, ReservationLifted, SeatState, Slot,
    },
};
use bangban_store::{
    Error, Now, Store,
    write::{Chain, State},
};
use chrono::NaiveDate;

use crate::{
    domain::{
        Act,
        change::{self, Change, Taken},
        outside::today,
        plan::Plan,
        publish, time,
    },
    rpc::carry_out,
    store::{
        DayKey, Seat, SlotKey, SlotRow,
        capacity::{self, Capacity, Kept},
    },
};

/// How long appointments of a day that has changed are looked after, and once behind it: longer than a command that read it
/// before may take.
pub(crate) const CARE_US: i64 = 3_600_000_000;

/// Versions of slots' rows, by id; one that is not there is new.
type Versions = BTreeMap<String, u64>;

/// What a change of capacity does to published days.
#[derive(Debug, Default)]
pub struct Effect {
    /// Days that are others from now on.
    pub days: Vec<DayKey>,
    /// Appointments and holds that it touches.
    pub affected: Vec<Affected>,
    /// The acts on the days.
    pub chains: Vec<Chain>,
    /// The rows.
    pub states: Vec<State>,
    /// The last change of calendars and opening hours that it knows; none where it depends on none.
    pub as_of: Option<i64>,
}

impl Effect {
    /// The dates of the days, as the contract writes them.
    #[must_use]
    pub fn dates(&self) -> Vec<String> {
        self.days.iter().map(|d| d.date.to_string()).collect()
    }
}

/// A site's plan.
#[must_use]
pub fn plan<'a>(site: &'a Site, capacity: &'a Capacity, known: &'a Known) -> Plan<'a> {
    Plan {
        site: &site.id,
        templates: &capacity.templates,
        exceptions: &capacity.exceptions,
        opening: &site.opening_hours,
        calendar: &known.calendar,
    }
}

/// An act on a day, and the day behind it.
fn apply(day: &mut Day, act: &Act, _: prost_types::Timestamp, _: bool) {
    match act {
        Act::DayPublished(a) => *day = a.day.clone().unwrap_or_default(),
        Act::DayChanged(a) => day.slots.clone_from(&a.slots),
        Act::ReservationLifted(a) => {
            for slot in day.slots.iter_mut().filter(|s| a.slots.contains(&s.id)) {
                slot.reserved = 0;
                slot.reserved_until = None;
            }
        }
        _ => {}
    }
    day.act_count += 1;
    day.etag = day.act_count.to_string();
}

fn slot_key(id: &str) -> Result<SlotKey, Refusal> {
    id.parse().map_err(Refusal::internal)
}

/// Publishes a day that is not published yet.
///
/// # Errors
/// SLOTS_TOO_MANY (BB-9.2b).
pub fn published(
    (district, site): (&str, &Site),
    date: NaiveDate,
    plan: &Plan<'_>,
    caller: &Caller,
    now: Now,
) -> Result<Effect, Refusal> {
    let planned = plan.slots(date)?;
    let day = publish::day((&site.id, &site.region), date, planned.clone(), now.at)?;
    let mut effect = Effect::default();
    let act = Act::DayPublished(DayPublished {
        day: Some(day.clone()),
    });
    let day = (district, Kept::default());
    let act = Put {
        act,
        care_until_us: None,
        planned: Some(&planned),
    };
    put(&mut effect, day, act, &Versions::new(), caller, now)?;
    Ok(effect)
}

/// An act on a day.
struct Put<'a> {
    act: Act,
    /// Until when its appointments are looked after; none where that stays as it is.
    care_until_us: Option<i64>,
    /// The slots by which it is planned from now on, if that is what the act does.
    planned: Option<&'a [Slot]>,
}

/// Adds an act on a day to an effect, with the rows of the slots that it changes.
fn put(
    effect: &mut Effect,
    (district, kept): (&str, Kept<Day>),
    what: Put<'_>,
    versions: &Versions,
    caller: &Caller,
    now: Now,
) -> Result<(), Refusal> {
    let was = kept.body.slots.clone();
    let mut day = kept.body;
    let Put { act, .. } = what;
    let first = match &act {
        Act::DayPublished(a) => a.day.clone().unwrap_or_default(),
        _ => day.clone(),
    };
    let subject = format!("days/{}.{}", first.site, first.date);
    let chain = Chain::new(district, subject, kept.version, kept.head, caller, now);
    let chain = carry_out(&mut day, chain, vec![act], now, apply);
    for slot in &day.slots {
        let before = was.iter().find(|s| s.id == slot.id);
        if before == Some(slot) {
            continue;
        }
        let key = slot_key(&slot.id)?;
        let read = versions.get(&slot.id).copied().unwrap_or_default();
        let row = SlotRow::of(slot, key, &day.region, read);
        effect.states.push(State::Row(row.row(district)));
    }
    let number = (chain.number, &chain.head);
    let row = capacity::day_row(district, &day, kept.version, number, what.care_until_us);
    effect.states.push(State::Row(row));
    let key = key_of(&day)?;
    if let Some(slots) = what.planned {
        let planned = capacity::planned(district, &key, chain.number, slots);
        effect.states.push(planned);
    }
    effect.days.push(key);
    effect.chains.push(chain);
    Ok(())
}

/// Who is in a day that is about to change.
struct There {
    district: String,
    seats: Vec<(String, u32)>,
    bookings: Vec<Booking>,
    rows: Vec<SlotRow>,
    all: Vec<Seat>,
}

impl There {
    async fn read(store: &Store, district: &str, key: &DayKey) -> Result<Self, Error> {
        let all = capacity::seats(store, district, key).await?;
        let is_taken = |s: &&Seat| matches!(s.state, SeatState::Held | SeatState::Confirmed);
        Ok(Self {
            district: district.to_owned(),
            seats: all
                .iter()
                .filter(is_taken)
                .map(|s| (s.key.slot.to_string(), s.key.seat.into()))
                .collect(),
            bookings: capacity::bookings(store, district, key).await?,
            rows: capacity::slots(store, district, key).await?,
            all,
        })
    }

    fn taken<'a>(&'a self, day: &'a Day) -> Taken<'a> {
        Taken {
            day,
            seats: &self.seats,
            bookings: &self.bookings,
        }
    }
}

/// A day's key.
fn key_of(day: &Day) -> Result<DayKey, Refusal> {
    Ok(DayKey {
        site: day.site.clone(),
        date: day.date.parse().map_err(Refusal::internal)?,
    })
}

/// What becomes of the published days of a site that are planned by `is` from now on. What they were planned by stands
/// beside them; of one that was published before that was noted it is the plan `was`. `why` gives the reason for a day, and
/// none for one that is left alone.
///
/// # Errors
/// SLOTS_TOO_MANY (BB-9.2b); the database's.
pub async fn replanned(
    store: &Store,
    (district, site): (&str, &Site),
    (was, is): (&Plan<'_>, &Plan<'_>),
    why: impl Fn(NaiveDate) -> Option<String>,
    caller: &Caller,
    now: Now,
) -> Result<Effect, Error> {
    let first = today(now.at).to_string();
    let days = capacity::planned_days(store, district, &site.id, &first).await?;
    let mut effect = Effect::default();
    for (kept, planned) in days {
        let key = key_of(&kept.body)?;
        let Some(reason) = why(key.date) else {
            continue;
        };
        let after = is.slots(key.date)?;
        let before = match planned {
            Some(planned) => planned,
            None => change::planned_before(&kept.body, was.slots(key.date)?),
        };
        if before == after {
            continue;
        }
        let there = There::read(store, district, &key).await?;
        let serves = |slot: &Slot| {
            let minute = |at| time::local(time::of(at)).1;
            let span = (
                minute(slot.starts_at.as_ref()),
                minute(slot.ends_at.as_ref()),
            );
            is.serves(&slot.group, key.date, span)
        };
        let taken = there.taken(&kept.body);
        let plans = (before.as_slice(), after.as_slice());
        let change = change::plan(&taken, plans, serves, now.at)?;
        if change.is_change(&kept.body) {
            changed(
                &mut effect,
                (district, kept),
                &there,
                (change, Some(&after)),
                &reason,
                (caller, now),
            )?;
        } else {
            let planned = capacity::planned(district, &key, kept.version, &after);
            effect.states.push(planned);
        }
    }
    Ok(effect)
}

/// What becomes of a day when a slot of it is changed by hand.
///
/// # Errors
/// SLOT_UNKNOWN, SLOT_PAST (BB-9.2b); RESERVED_ABOVE_CAPACITY (BB-7.1.1); the database's.
pub async fn slot(
    store: &Store,
    (district, key): (&str, &DayKey),
    (id, wish): (&str, (u32, u32, bool)),
    reason: &str,
    caller: &Caller,
    now: Now,
) -> Result<(Effect, Day), Error> {
    let kept = capacity::day(store, district, key).await?;
    let there = There::read(store, district, key).await?;
    let change = change::slot(&there.taken(&kept.body), id, wish, now.at)?;
    let mut effect = Effect::default();
    let mut day = kept.body.clone();
    day.slots.clone_from(&change.slots);
    day.act_count += 1;
    day.etag = day.act_count.to_string();
    changed(
        &mut effect,
        (district, kept),
        &there,
        (change, None),
        reason,
        (caller, now),
    )?;
    Ok((effect, day))
}

/// Adds a day that is another from now on to an effect, with the seats that its slots gain and lose.
fn changed(
    effect: &mut Effect,
    (district, kept): (&str, Kept<Day>),
    there: &There,
    (change, planned): (Change, Option<&[Slot]>),
    reason: &str,
    (caller, now): (&Caller, Now),
) -> Result<(), Refusal> {
    effect.affected.extend(change.affected);
    for slot in &change.slots {
        let name = slot_key(&slot.id)?;
        let Some(before) = there.rows.iter().find(|r| r.key == name) else {
            continue;
        };
        let after = SlotRow::of(slot, name, &before.region, before.version);
        let rows = there.seats_of(before, &after, now);
        effect
            .states
            .extend(rows.map(|seat| State::Row(seat.row())));
    }
    let act = Act::DayChanged(DayChanged {
        slots: change.slots,
        reason: reason.to_owned(),
    });
    let versions = there.versions();
    let act = Put {
        act,
        care_until_us: Some(now.us() + CARE_US),
        planned,
    };
    put(effect, (district, kept), act, &versions, caller, now)
}

impl There {
    /// The seats that nobody has and that a change of their slot touches.
    ///
    /// Those that can be had by more people from now on become due: the gate learns of them by their release. Those that are
    /// withdrawn are written as they are: who has read that one of them is free takes it before this change, which is then
    /// decided anew, or not at all.
    fn seats_of(&self, before: &SlotRow, after: &SlotRow, now: Now) -> impl Iterator<Item = Seat> {
        let gained = before.seats()..after.seats();
        let unreserved = after.reserved_at(now.us())..before.reserved_at(now.us());
        let withdrawn = after.capacity..before.capacity;
        (0..before.capacity.max(after.capacity)).filter_map(move |number| {
            let is_for_more = gained.contains(&number)
                || (unreserved.contains(&number) && number < after.seats());
            if !is_for_more && !withdrawn.contains(&number) {
                return None;
            }
            let mut seats = self.all.iter();
            let seat = seats
                .find(|s| s.key.slot == after.key && s.key.seat == number)
                .cloned()
                .unwrap_or_else(|| Seat::unused(&self.district, after, number, now.us()));
            match seat.state {
                SeatState::Free if is_for_more => Some(seat.due_by_change(now.us())),
                SeatState::Free => Some(seat),
                // One that cools may be offered to somebody who waits.
                SeatState::Cooling if !is_for_more => Some(seat),
                _ => None,
            }
        })
    }

    fn versions(&self) -> Versions {
        let rows = self.rows.iter();
        rows.map(|r| (r.key.to_string(), r.version)).collect()
    }
}

/// Lifts the reservations of a day that have ended: their seats are everybody's from now on (BB-7.1.1).
///
/// # Errors
/// The database's.
pub async fn lifted(
    store: &Store,
    district: &str,
    kept: Kept<Day>,
    slots: Vec<String>,
    caller: &Caller,
    now: Now,
) -> Result<Effect, Error> {
    let key = DayKey {
        site: kept.body.site.clone(),
        date: kept.body.date.parse().map_err(Refusal::internal)?,
    };
    let rows = capacity::slots(store, district, &key).await?;
    let versions = rows
        .iter()
        .map(|r| (r.key.to_string(), r.version))
        .collect();
    let mut effect = Effect::default();
    let act = Put {
        act: Act::ReservationLifted(ReservationLifted { slots }),
        care_until_us: None,
        planned: None,
    };
    put(&mut effect, (district, kept), act, &versions, caller, now)?;
    Ok(effect)
}
