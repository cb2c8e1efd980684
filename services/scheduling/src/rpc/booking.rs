//! Commands on an appointment: given up, moved, checked in, served.

use bangban_kit::{access::Deadline, identity::Caller, refusal::Refusal};
use bangban_learned::district;
use bangban_proto::{
    Head,
    bangban::scheduling::v1::{
        Booking, BookingChange, BookingMoved, CancelBookingRequest, CancelReason,
        MoveBookingRequest, SeatState,
    },
};
use bangban_slots::Who;
use bangban_store::{Error, Position, command::Command, write::State};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    Rpc,
    command::{answer, carry_out, chain, fresh},
    hold::{slot_of, wanted},
    taken, unknown,
};
use crate::{
    domain::{
        Act, Outside, appointment, fold,
        person::{self, Seat as Theirs},
        policy, slot, standing,
    },
    doorkeeper::{Doorkeeper, Pick, full},
    store::{
        Seat, SeatKey, SlotKey, at, booking as rows,
        load::{self, Ahead, Asked, Found, Loaded},
        picture, sees,
    },
    tasks::{cooled, standing::marked},
};

/// A pure decision on an appointment.
pub(super) type Decide<R> = fn(&Booking, &R, &Outside<'_>) -> Result<Vec<Act>, Refusal>;

/// The appointment that a request is about, if the caller may see it and has read it as it is.
fn permitted(loaded: &mut Loaded, caller: &Caller, request: &impl Head) -> Result<Found, Refusal> {
    let scope = district::of(&loaded.known, caller, request.district())?;
    let found = loaded
        .booking
        .take()
        .filter(|(b, ..)| sees(&scope, caller, (&b.region, &b.site), b.booked_by.as_ref()))
        .ok_or_else(unknown)?;
    fresh(request, &found.0.etag)?;
    Ok(found)
}

impl Rpc {
    /// A command on an appointment that changes nothing but it.
    pub(super) async fn act<R: Head + Message>(
        &self,
        request: Request<R>,
        decide: Decide<R>,
    ) -> Result<Response<BookingChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(r.after()).await?;
        let mut command = Command::new(&caller, &r);
        loop {
            let asked = Asked {
                booking: r.booking(),
                ..Asked::default()
            };
            let mut loaded = load::booking(&self.learned, &command, asked).await?;
            if loaded.is_repeated {
                return Ok(self.first_booking(&command).await?);
            }
            let (mut booking, version, head) = permitted(&mut loaded, &caller, &r)?;
            let now = loaded.now;
            let rules = policy::filled(&loaded.policy);
            let outside = Outside {
                now: now.at,
                caller: &caller,
                policy: &rules,
            };
            let acts = decide(&booking, &r, &outside)?;
            let subject = format!("bookings/{}", booking.id);
            let chain = chain(r.district(), subject, (version, head), &caller, now);
            let chain = carry_out(&mut booking, chain, acts, now, fold::booking);
            let row = rows::row(
                &mut booking,
                Some(version),
                (chain.number, &chain.head),
                (&rules, now.at),
            );
            let states = vec![State::Row(row)];
            match self.store.write(&chain, Some(&command.asked), states).await {
                Ok(position) => return Ok(answer(booking, &position)),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    pub(super) async fn cancel_booking_of(
        &self,
        request: Request<CancelBookingRequest>,
    ) -> Result<Response<BookingChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let command = Command::new(&caller, &r);
        let permit = |loaded: &mut Loaded| permitted(loaded, &caller, &r);
        let (booking, position) = self
            .cancel(&caller, command, &r.booking, r.reason(), permit)
            .await?;
        Ok(answer(booking, &position))
    }

    /// Gives an appointment up.
    pub(super) async fn cancel(
        &self,
        caller: &Caller,
        mut command: Command,
        id: &str,
        reason: CancelReason,
        permit: impl Fn(&mut Loaded) -> Result<Found, Refusal>,
    ) -> Result<(Booking, Position), Status> {
        let district = command.district.clone();
        loop {
            let asked = Asked {
                booking: id,
                ..Asked::default()
            };
            let mut loaded = load::booking(&self.learned, &command, asked).await?;
            if loaded.is_repeated {
                return Ok(self.first_of_booking(&command).await?);
            }
            let (mut booking, version, head) = permit(&mut loaded)?;
            let now = loaded.now;
            let rules = policy::filled(&loaded.policy);
            let outside = Outside {
                now: now.at,
                caller,
                policy: &rules,
            };
            let is_given = self.is_given(&booking).await?;
            let acts = appointment::cancel(&booking, reason, is_given, &outside)?;
            let subject = format!("bookings/{id}");
            let chain = chain(&district, subject, (version, head), caller, now);
            let chain = carry_out(&mut booking, chain, acts, now, fold::booking);
            let row = rows::row(
                &mut booking,
                Some(version),
                (chain.number, &chain.head),
                (&rules, now.at),
            );
            let mut states = vec![State::Row(row)];
            if let Some(seat) = own(&loaded, id) {
                let free_us = cooled(&loaded.policy, now);
                states.push(State::Row(
                    seat.cooling(free_us, "cancelled".to_owned()).row(),
                ));
            }
            let mut chains = vec![chain];
            let marks = standing::cancelled(&loaded.person.standing, &booking, &rules, now.at);
            if !marks.is_empty() {
                let (chain, person) = marked(loaded.person.clone(), marks, caller, now);
                chains.insert(0, chain);
                states.push(State::Row(person.row()));
            }
            let asked = Some(&command.asked);
            match self.store.write_all(&chains, asked, states).await {
                Ok(position) => return Ok((booking, position)),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    /// Whether the slot of an appointment still gives its seat, as memory knows it: a change may be younger than the sweep
    /// that puts down what becomes of the appointment.
    async fn is_given(&self, booking: &Booking) -> Result<bool, Error> {
        let slot = slot_of(&booking.slot)?;
        let layout = self.doors.layout(&booking.district, &slot).await?;
        Ok(layout.is_none_or(|slot| !slot.is_closed && booking.seat < slot.capacity))
    }

    pub(super) async fn move_booking_of(
        &self,
        request: Request<MoveBookingRequest>,
    ) -> Result<Response<BookingChange>, Status> {
        let (caller, deadline, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let command = Command::new(&caller, &r);
        let permit = |loaded: &mut Loaded| permitted(loaded, &caller, &r);
        let (booking, position) = self
            .moved(&caller, command, (&r.booking, &r.slot), deadline, permit)
            .await?;
        Ok(answer(booking, &position))
    }

    /// Moves an appointment in one write: the seat there is taken, the one here cools, the appointment names the other.
    pub(super) async fn moved(
        &self,
        caller: &Caller,
        mut command: Command,
        (id, to): (&str, &str),
        deadline: Option<Deadline>,
        permit: impl Fn(&mut Loaded) -> Result<Found, Refusal>,
    ) -> Result<(Booking, Position), Status> {
        let district = command.district.clone();
        let slot = slot_of(to)?;
        let mut picked: Option<bangban_slots::Seat> = None;
        loop {
            let number = picked.as_ref().map_or(0, |seat| seat.place().seat);
            let key = SeatKey {
                slot: slot.clone(),
                seat: number,
            };
            let asked = Asked {
                seat: Some(&key),
                booking: id,
                applicant: "",
            };
            let mut loaded = load::booking(&self.learned, &command, asked).await?;
            if loaded.is_repeated {
                return Ok(self.first_of_booking(&command).await?);
            }
            let (mut booking, version, head) = permit(&mut loaded)?;
            let now = loaded.now;
            appointment::may_move(&booking, to, now.at)?;
            slot::open(&wanted(&slot, &loaded), now.at)?;
            let Some(found) = loaded.slot.clone() else {
                return Err(slot::unknown().into());
            };
            let rules = policy::filled(&loaded.policy);
            let Some(seat) = picked.take() else {
                let who = if booking.is_assisted {
                    Who::Special
                } else {
                    Who::Ordinary
                };
                let until = deadline.map(|d| d.0);
                let refusal = match self.doors.pick(&district, &slot, who, until).await {
                    Ok(Pick::Seat(seat)) => {
                        picked = Some(seat);
                        continue;
                    }
                    Ok(Pick::OnlyReserved) => full(),
                    Ok(Pick::NoSlot) => return Err(slot::unknown().into()),
                    Err(Error::Refused(refusal)) => refusal,
                    Err(error) => return Err(error.into()),
                };
                return Err(self.why(&district, &slot, refusal).await?.into());
            };
            let is_reserved = number < found.reserved_at(now.us());
            if number >= found.seats() || (is_reserved && !booking.is_assisted) {
                let day = Doorkeeper::day(&district, &slot.day)?;
                seat.give_back().await;
                _ = self.doors.gate().forget(&day).await;
                self.store.again(&mut command, Error::Conflict).await?;
                continue;
            }
            if let Some(row) = loaded.seat.as_ref().filter(|s| s.state != SeatState::Free) {
                let row = picture::gate_row(row.state, row.due_us.unwrap_or_default(), now.us());
                seat.refused(row).await;
                self.store.again(&mut command, Error::Conflict).await?;
                continue;
            }
            let Some(own) = own(&loaded, id) else {
                return Err(unknown().into());
            };
            let there = Seat {
                key: key.clone(),
                epoch: loaded.seat.as_ref().map_or(0, |s| s.epoch),
                held_epoch: 0,
                starts_us: found.starts_us,
                ends_us: found.ends_us,
                is_reserved,
                waiting: String::new(),
                hold_key: String::new(),
                hold_digest: String::new(),
                last_key: String::new(),
                ..own.clone()
            };
            let item = booking.item.clone();
            let wanted = theirs((id, &item), (found.starts_us, found.ends_us));
            may_have(&wanted, &loaded).inspect_err(|_| self.looks_again(&loaded))?;
            let outside = Outside {
                now: now.at,
                caller,
                policy: &rules,
            };
            let target = target(&slot, number, &there, &found);
            let is_given = self.is_given(&booking).await?;
            let act = appointment::moved(&booking, target, is_given, &outside);
            let subject = format!("bookings/{id}");
            let chain = chain(&district, subject, (version, head), caller, now);
            let chain = carry_out(&mut booking, chain, vec![act], now, fold::booking);
            let row = rows::row(
                &mut booking,
                Some(version),
                (chain.number, &chain.head),
                (&rules, now.at),
            );
            let free_us = cooled(&loaded.policy, now);
            let mut chains = vec![chain];
            let mut person = loaded.person.clone();
            let marks = standing::moved(&person.standing, &booking, &rules, now.at);
            if !marks.is_empty() {
                let (chain, marked) = marked(person, marks, caller, now);
                chains.insert(0, chain);
                person = marked;
            }
            let states = [
                there.row(),
                own.cooling(free_us, "moved".to_owned()).row(),
                person.row(),
                row,
            ];
            let states = states.map(State::Row).into();
            let asked = Some(&command.asked);
            match self.store.write_all(&chains, asked, states).await {
                Ok(position) => {
                    tokio::spawn(seat.taken());
                    return Ok((booking, position));
                }
                Err(error) => {
                    self.again(&mut command, error).await?;
                    picked = Some(seat);
                }
            }
        }
    }
}

/// The seat of an appointment, if it still has it.
fn own(loaded: &Loaded, id: &str) -> Option<Seat> {
    let seat = loaded.own_seat.clone();
    seat.filter(|s| s.booking == id && s.state == SeatState::Confirmed)
}

fn target(
    slot: &SlotKey,
    number: u16,
    there: &Seat,
    found: &crate::store::SlotRow,
) -> BookingMoved {
    BookingMoved {
        slot: slot.to_string(),
        seat: number.into(),
        epoch: there.epoch + 1,
        site: slot.day.site.clone(),
        region: found.region.clone(),
        group: found.group.clone(),
        starts_at: at(there.starts_us),
        ends_at: at(there.ends_us),
        ..BookingMoved::default()
    }
}

/// A seat of the person's as rules judge it.
pub(super) fn theirs<'a>(
    (booking, item): (&'a str, &'a str),
    (starts_us, ends_us): (i64, i64),
) -> Theirs<'a> {
    let at = |us| chrono::DateTime::from_timestamp_micros(us).unwrap_or_default();
    Theirs {
        booking,
        item,
        starts_at: at(starts_us),
        ends_at: at(ends_us),
    }
}

impl Rpc {
    /// Sends the sweep back to a hold of the person's that has ended: it may have been written long behind its end.
    pub(super) fn looks_again(&self, loaded: &Loaded) {
        let ended = loaded.ahead.iter().filter(|s| has_ended(s, loaded));
        if let Some(us) = ended.map(|s| s.expires_us).min() {
            self.swept.goes_back(us - 1);
        }
    }
}

fn has_ended(seat: &Ahead, loaded: &Loaded) -> bool {
    seat.is_held && seat.expires_us <= loaded.now.us()
}

/// Whether the person may have a seat beside what they hold and have.
///
/// # Errors
/// As [`person::may_have_beside`].
pub(crate) fn may_have(wanted: &Theirs<'_>, loaded: &Loaded) -> Result<(), Refusal> {
    let (ended, live): (Vec<_>, Vec<_>) = loaded.ahead.iter().partition(|s| has_ended(s, loaded));
    let [live, ended] = [live, ended].map(|seats| -> Vec<_> {
        let seats = seats.into_iter();
        seats
            .map(|s| theirs((&s.booking, &s.item), (s.starts_us, s.ends_us)))
            .collect()
    });
    person::may_have_beside(wanted, (&live, &ended), &loaded.policy, loaded.now.at)
}
