//! Appointments and the waiting list: reminders, no-shows and breaches become due; freed seats are offered.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bangban_kit::identity::Caller;
use bangban_ledger::Hash;
use bangban_proto::bangban::scheduling::v1::{
    BookingState, GetBookingRequest, Offer, OfferEnded, OfferOutcome, SeatOffered, SeatState, Slot,
    Waiting, WaitingLeft, WaitingState,
};
use bangban_store::{Error, Now, command::Command, write::State};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{BATCH, standing::marked};
use crate::{
    domain::{
        Act, Outside, appointment, fold, hold, person, policy, standing, time,
        waiting::{self, Freed},
    },
    rpc::{Rpc, carry_out, chain, may_have},
    store::{
        self, DayKey, Person, Seat, booking as rows, capacity, due,
        load::{self, Asked, Loaded},
        rules, waiting as places,
    },
};

/// Places of the waiting list that are read at once.
const LOOKED_AT: i64 = 500;

async fn loaded(rpc: &Rpc, district: &str, id: &str) -> Result<Box<Loaded>, Error> {
    let nothing = GetBookingRequest {
        district: district.to_owned(),
        ..GetBookingRequest::default()
    };
    let command = Command::new(&Caller::system("scheduling"), &nothing);
    let asked = Asked {
        booking: id,
        ..Asked::default()
    };
    load::booking(&rpc.learned, &command, asked).await
}

/// What becomes due.
#[derive(Debug, Clone, Copy)]
enum What {
    Bookings,
    Waiting,
}

/// Takes steps on appointments and places that are due, a page of each.
pub(super) async fn due(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    Ok(page(rpc, What::Bookings, now).await? + page(rpc, What::Waiting, now).await?)
}

/// The first page on which a step can be taken: what cannot be done keeps nothing else waiting. Behind it all else that is
/// swept has its turn.
async fn page(rpc: &Rpc, what: What, now: Now) -> Result<usize, Error> {
    let mut behind = due::start();
    loop {
        let due = match what {
            What::Bookings => due::bookings(&rpc.store, &behind, now.us(), BATCH).await?,
            What::Waiting => due::waiting(&rpc.store, &behind, now.us(), BATCH).await?,
        };
        let Some(last) = due.last().cloned() else {
            return Ok(0);
        };
        behind = last;
        let mut steps = 0;
        for (_, district, id) in &due {
            let taken = match what {
                What::Bookings => step(rpc, district, id).await,
                What::Waiting => over(rpc, district, id, now).await,
            };
            match taken {
                Err(Error::Refused(refusal)) => {
                    tracing::warn!(district, id, %refusal, "what is due cannot be done; it is tried again");
                }
                taken => steps += usize::from(taken?),
            }
        }
        if steps > 0 {
            return Ok(steps);
        }
    }
}

/// Counts due times anew of bookings of districts whose rules have changed, a part at a time; answers how many.
pub(super) async fn ruled(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let mut steps = 0;
    for change in rules::open(&rpc.store, BATCH).await? {
        let is_last = change.until_us <= now.us();
        if !is_last && rpc.ruled.are_done(&change) {
            continue;
        }
        let outdated = rules::outdated(&rpc.store, &change, now.us(), BATCH).await?;
        for id in &outdated {
            let loaded = loaded(rpc, &change.district, id).await?;
            steps += usize::from(write(rpc, &change.district, loaded, Vec::new()).await?);
        }
        if outdated.is_empty() && is_last {
            rules::passed(&rpc.store, &change).await?;
        }
        if outdated.is_empty() {
            rpc.ruled.done(&change, is_last);
        }
    }
    Ok(steps)
}

/// Districts all of whose bookings were found to be due by their new rules. They are looked through once more in the end,
/// for those that were written meanwhile by a command that had read the older rules.
#[derive(Debug, Default)]
pub(crate) struct Ruled(Mutex<HashMap<String, i64>>);

impl Ruled {
    fn versions(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn are_done(&self, change: &rules::Change) -> bool {
        self.versions().get(&change.district) == Some(&change.version)
    }

    fn done(&self, change: &rules::Change, is_last: bool) {
        if is_last {
            self.versions().remove(&change.district);
        } else {
            self.versions()
                .insert(change.district.clone(), change.version);
        }
    }
}

async fn step(rpc: &Rpc, district: &str, id: &str) -> Result<bool, Error> {
    let loaded = loaded(rpc, district, id).await?;
    let Some((booking, ..)) = &loaded.booking else {
        return Ok(false);
    };
    let rules = policy::filled(&loaded.policy);
    let caller = Caller::system("scheduling");
    let outside = Outside {
        now: loaded.now.at,
        caller: &caller,
        policy: &rules,
    };
    let acts = appointment::due(booking, &outside);
    write(rpc, district, loaded, acts).await
}

/// Puts an act on an appointment's record; `false` when somebody else was faster.
pub(super) async fn acted(rpc: &Rpc, district: &str, id: &str, act: Act) -> Result<bool, Error> {
    let loaded = loaded(rpc, district, id).await?;
    let is_open = |state| state == BookingState::Confirmed;
    match &loaded.booking {
        Some((booking, ..)) if is_open(booking.state()) => {
            write(rpc, district, loaded, vec![act]).await
        }
        _ => Ok(false),
    }
}

/// Writes acts on an appointment, with what follows from them for the person; without any, when it is due next.
async fn write(
    rpc: &Rpc,
    district: &str,
    loaded: Box<Loaded>,
    acts: Vec<Act>,
) -> Result<bool, Error> {
    let caller = Caller::system("scheduling");
    let Some((mut booking, version, head)) = loaded.booking.clone() else {
        return Ok(false);
    };
    let now = loaded.now;
    let rules = policy::filled(&loaded.policy);
    if acts.is_empty() {
        // The rules have changed, or a reminder was missed until it was too late: it is due at another time.
        let mut row = rows::row(
            &mut booking,
            Some(version),
            (version, &head),
            (&rules, now.at),
        );
        row.read = Some(version);
        return super::seats::changed(rpc, row).await;
    }
    let is_no_show = acts.iter().any(|act| matches!(act, Act::NoShowRecorded(_)));
    let subject = format!("bookings/{}", booking.id);
    let chain = chain(district, subject, (version, head), &caller, now);
    let chain = carry_out(&mut booking, chain, acts, now, fold::booking);
    let row = rows::row(
        &mut booking,
        Some(version),
        (chain.number, &chain.head),
        (&rules, now.at),
    );
    let mut states = vec![State::Row(row)];
    let mut chains = vec![chain];
    if is_no_show {
        let marks = standing::no_show(&loaded.person.standing, &booking, &rules, now.at);
        if !marks.is_empty() {
            let (chain, person) = marked(loaded.person.clone(), marks, &caller, now);
            chains.push(chain);
            states.push(State::Row(person.row()));
        }
    }
    passed(rpc.store.write_all(&chains, None, states).await.map(|_| ()))
}

fn passed(written: Result<(), Error>) -> Result<bool, Error> {
    match written {
        Ok(()) => Ok(true),
        // The person's row, which was not there yet.
        Err(Error::Taken(what)) if what.contains("persons") => Ok(false),
        Err(error) if error.is_passing() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The last day of a place has passed.
async fn over(rpc: &Rpc, district: &str, id: &str, now: Now) -> Result<bool, Error> {
    let caller = Caller::system("scheduling");
    let scope = bangban_kit::scope::Scope::whole(district);
    let found = store::find_waiting(&rpc.store, &scope, &caller, id).await?;
    let Some((mut place, version, head)) = found else {
        return Ok(false);
    };
    if place.state() != WaitingState::Waiting {
        return Ok(false);
    }
    let subject = format!("waiting/{id}");
    let chain = chain(district, subject, (version, head), &caller, now);
    let act = Act::WaitingLeft(WaitingLeft { is_over: true });
    let chain = carry_out(&mut place, chain, vec![act], now, fold::waiting);
    let row = places::row(&place, Some(version), (chain.number, &chain.head));
    let states = vec![State::Row(row)];
    passed(rpc.store.write(&chain, None, states).await.map(|_| ()))
}

/// An offer that nobody accepted in time: the seat cools, and its person goes on waiting.
pub(super) async fn offer_expired(
    rpc: &Rpc,
    seat: Seat,
    free_us: i64,
    now: Now,
) -> Result<bool, Error> {
    let caller = Caller::system("scheduling");
    let scope = bangban_kit::scope::Scope::whole(&seat.district);
    let found = store::find_waiting(&rpc.store, &scope, &caller, &seat.waiting).await?;
    let cooling = seat.clone().cooling(free_us, String::new()).row();
    let Some((mut place, version, head)) = found else {
        return super::seats::changed(rpc, cooling).await;
    };
    let last = place.offers.last().map(|o| (o.number, o.outcome()));
    let Some((number, OfferOutcome::Unspecified)) = last else {
        return super::seats::changed(rpc, cooling).await;
    };
    let subject = format!("waiting/{}", place.id);
    let chain = chain(&seat.district, subject, (version, head), &caller, now);
    let act = Act::OfferEnded(OfferEnded {
        number,
        outcome: OfferOutcome::Expired.into(),
    });
    let chain = carry_out(&mut place, chain, vec![act], now, fold::waiting);
    let row = places::row(&place, Some(version), (chain.number, &chain.head));
    let states = vec![State::Row(cooling), State::Row(row)];
    passed(rpc.store.write(&chain, None, states).await.map(|_| ()))
}

/// Offers freed seats to those who wait, each to the first whom it suits; answers how many, and the seats that are left.
pub(super) async fn offer(
    rpc: &Rpc,
    district: &str,
    day: &DayKey,
    seats: Vec<Seat>,
    now: Now,
) -> Result<(usize, Vec<Seat>), Error> {
    let layout = capacity::day(&rpc.store, district, day).await?.body;
    let mut left = Vec::new();
    let mut steps = 0;
    for seat in seats {
        let name = seat.key.slot.to_string();
        let slot = layout.slots.iter().find(|s| s.id == name);
        let is_given = |s: &&Slot| u32::from(seat.key.seat) < s.capacity && !s.is_closed;
        let Some(slot) = slot.filter(is_given) else {
            left.push(seat);
            continue;
        };
        let freed = Freed {
            slot,
            seat: seat.key.seat.into(),
        };
        match first_for(rpc, district, &freed, now).await? {
            Some(first) => {
                let is_reserved = freed.is_reserved(now.at);
                let seat = Seat {
                    is_reserved,
                    ..seat
                };
                steps += usize::from(offered(rpc, first, seat, now).await?);
            }
            None => left.push(seat),
        }
    }
    Ok((steps, left))
}

/// Whose turn it is, until when, and how often they may ask for as long again.
struct First {
    place: Waiting,
    version: u64,
    head: Hash,
    person: Person,
    until: DateTime<Utc>,
    extensions: u32,
}

/// The first who waits and may have the seat, and until when it is offered.
async fn first_for(
    rpc: &Rpc,
    district: &str,
    freed: &Freed<'_>,
    now: Now,
) -> Result<Option<First>, Error> {
    let slot = freed.slot;
    let queue = (district, slot.site.as_str(), slot.group.as_str());
    let mut places = store::queue(&rpc.store, queue, None, LOOKED_AT).await?;
    if places.is_empty() {
        return Ok(None);
    }
    let rules = capacity::policy(&rpc.store, district).await?.body;
    let Some(until) = waiting::offered_until(slot, &rules, now.at) else {
        return Ok(None);
    };
    while let Some((last, ..)) = places.last().cloned() {
        for (place, version, head) in places {
            if !waiting::is_eligible(&place, freed, now.at) {
                continue;
            }
            if let Some(person) = may(rpc, &place, slot, now).await? {
                let extensions = hold::extensions(&rules, waiting::is_special(&place));
                return Ok(Some(First {
                    extensions,
                    place,
                    version,
                    head,
                    person,
                    until,
                }));
            }
        }
        places = store::queue(&rpc.store, queue, Some(&last), LOOKED_AT).await?;
    }
    Ok(None)
}

/// The person, if they may have the slot beside what they have.
async fn may(rpc: &Rpc, waiting: &Waiting, slot: &Slot, now: Now) -> Result<Option<Person>, Error> {
    let nothing = GetBookingRequest {
        district: waiting.district.clone(),
        ..GetBookingRequest::default()
    };
    let command = Command::new(&Caller::system("scheduling"), &nothing);
    let loaded = load::person(&rpc.learned, &command, &waiting.applicant).await?;
    let wanted = person::Seat {
        booking: "",
        item: &waiting.item,
        starts_at: time::of(slot.starts_at.as_ref()),
        ends_at: time::of(slot.ends_at.as_ref()),
    };
    let is_special = waiting::is_special(waiting);
    let may = standing::may_book(&loaded.person.standing, is_special, now.at).is_ok()
        && may_have(&wanted, &loaded).is_ok();
    Ok(may.then_some(loaded.person))
}

/// Holds a seat for one who waits, alone and for a limited time. The person's row is written too, as by everybody who takes
/// a seat for them: what they have taken meanwhile is not overlooked.
async fn offered(rpc: &Rpc, first: First, seat: Seat, now: Now) -> Result<bool, Error> {
    let caller = Caller::system("scheduling");
    let First {
        mut place,
        version,
        head,
        person,
        until,
        extensions,
    } = first;
    let held = Seat {
        held_epoch: seat.epoch + 1,
        state: SeatState::Held,
        booking: Uuid::now_v7().to_string(),
        applicant: place.applicant.clone(),
        mask: place.applicant_mask.clone(),
        groups: place.groups.clone(),
        holder: caller.subject.clone(),
        item: place.item.clone(),
        held_us: now.us(),
        due_us: Some(until.timestamp_micros()),
        extensions,
        is_assisted: !place.groups.is_empty(),
        waiting: place.id.clone(),
        hold_key: String::new(),
        hold_digest: String::new(),
        last_key: String::new(),
        ..seat
    };
    let number = u32::try_from(place.offers.len()).unwrap_or(u32::MAX);
    let act = Act::SeatOffered(SeatOffered {
        offer: Some(Offer {
            number: number.saturating_add(1),
            hold: Some(held.hold(held.epoch + 1)),
            offered_at: Some(now.timestamp()),
            outcome: OfferOutcome::Unspecified.into(),
        }),
    });
    let district = held.district.clone();
    let subject = format!("waiting/{}", place.id);
    let chain = chain(&district, subject, (version, head), &caller, now);
    let chain = carry_out(&mut place, chain, vec![act], now, fold::waiting);
    let row = places::row(&place, Some(version), (chain.number, &chain.head));
    let states = [held.row(), row, person.row()].map(State::Row).into();
    passed(rpc.store.write(&chain, None, states).await.map(|_| ()))
}
