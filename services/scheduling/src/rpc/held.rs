//! Keeping a held seat for longer, giving it up, and making it an appointment, which asks the gate nothing.

use std::time::Duration;

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_ledger::Hash;
use bangban_proto::bangban::scheduling::v1::{
    Booking, BookingChange, BookingState, ConfirmBookingRequest, ExtendHoldRequest, Hold,
    OfferExtended, ReleaseHoldRequest, SeatState, Waiting,
};
use bangban_store::{
    Error, Now,
    command::Command,
    write::{Chain, Provided, Row, State},
};
use chrono::DateTime;
use tonic::{Request, Response, Status};

use super::{
    Rpc,
    command::{answer, carry_out, chain},
    confirmation,
    hold::slot_of,
    recent::unread,
    taken,
};
use crate::{
    domain::{
        Act, fold, hold,
        outside::timestamp,
        policy,
        seat::{self as rules, Mine},
        slot,
    },
    store::{
        self, Seat, SeatKey, at, due,
        load::{self, Loaded},
        still, us, waiting as places,
    },
};

impl Rpc {
    pub(super) async fn extend(
        &self,
        request: Request<ExtendHoldRequest>,
    ) -> Result<Response<Hold>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let change = |seat: &Seat, loaded: &Loaded, key: &str| {
            let rules = policy::filled(&loaded.policy);
            let longer = hold::extended(&seat.hold(seat.epoch), &rules, loaded.now.at)?;
            Ok(Seat {
                due_us: us(longer.expires_at.as_ref()),
                extensions: longer.extensions_left,
                last_key: seat.asked_by(key),
                ..seat.clone()
            })
        };
        let named = (r.slot.as_str(), r.seat, r.booking.as_str(), r.epoch);
        let command = Command::new(&caller, &r);
        self.change(&caller, command, named, true, change).await
    }

    pub(super) async fn release(
        &self,
        request: Request<ReleaseHoldRequest>,
    ) -> Result<Response<Hold>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let change = |seat: &Seat, loaded: &Loaded, key: &str| {
            let free_us = crate::tasks::cooled(&loaded.policy, loaded.now);
            Ok(seat.clone().cooling(free_us, key.to_owned()))
        };
        let named = (r.slot.as_str(), r.seat, r.booking.as_str(), r.epoch);
        let command = Command::new(&caller, &r);
        self.change(&caller, command, named, false, change).await
    }

    /// Changes a hold of the caller's, which stays its own record: by a request that it knows it is not changed again, and is
    /// answered as it is by now. With `may_be_offered` also one that is offered to somebody whose place in the waiting list
    /// the caller sees, who may accept it: that is on record with the place.
    async fn change(
        &self,
        caller: &Caller,
        mut command: Command,
        (slot, number, booking, epoch): (&str, u32, &str, u64),
        may_be_offered: bool,
        change: impl Fn(&Seat, &Loaded, &str) -> Result<Seat, Refusal>,
    ) -> Result<Response<Hold>, Status> {
        let key = hex::encode(command.key());
        let district = command.district.clone();
        let seat = SeatKey {
            slot: slot_of(slot)?,
            seat: u16::try_from(number).unwrap_or(u16::MAX),
        };
        let scope = self.scope(caller, &district).await?;
        loop {
            let loaded = load::held(&self.learned, &command, (&seat, booking)).await?;
            let seat = loaded.seat.as_ref();
            if let Some(done) = seat.filter(|s| s.was_asked(booking, &key)) {
                return Ok(Response::new(done.hold(done.epoch)));
            }
            let place = match seat.filter(|s| may_be_offered && !s.waiting.is_empty()) {
                Some(seat) => {
                    store::find_waiting(&self.store, &scope, caller, &seat.waiting).await?
                }
                None => None,
            };
            let holder = match &place {
                Some(_) => caller.subject.as_str(),
                None => seat.map_or("", |s| s.holder.as_str()),
            };
            let seat = match mine((caller, holder), seat, (booking, epoch), &loaded) {
                Ok(seat) => seat,
                Err(_) if let Some(left) = undecided(&loaded, booking) => {
                    tokio::time::sleep(left).await;
                    continue;
                }
                Err(refusal) => return Err(refusal.into()),
            };
            let changed = change(seat, &loaded, &key)?;
            let told = changed.hold(changed.epoch + 1);
            let written = match place {
                None => self.store.write_rows(vec![changed.row()]).await,
                Some(place) => {
                    let (chain, row) = offer_extended(caller, place, &told, loaded.now);
                    let states = vec![State::Row(changed.row()), State::Row(row)];
                    self.store.write(&chain, None, states).await.map(|_| ())
                }
            };
            match written {
                Ok(()) => return Ok(Response::new(told)),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    pub(super) async fn confirm(
        &self,
        request: Request<ConfirmBookingRequest>,
    ) -> Result<Response<BookingChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let slot = slot_of(&r.slot)?;
        let key = SeatKey {
            slot,
            seat: u16::try_from(r.seat).unwrap_or(u16::MAX),
        };
        let mut command = Command::new(&caller, &r);
        self.scope(&caller, &r.district).await?;
        if let Some(done) = self.confirm_unread(&caller, &command, &r, &key).await {
            return Ok(done);
        }
        loop {
            let loaded = load::held(&self.learned, &command, (&key, &r.booking)).await?;
            if loaded.is_repeated {
                return Ok(self.first_booking(&command).await?);
            }
            let asked = (&command, &r);
            match self.confirmed(&caller, asked, &loaded, None).await {
                Ok(change) => return Ok(change),
                Err(Error::Refused(_)) if let Some(left) = undecided(&loaded, &r.booking) => {
                    tokio::time::sleep(left).await;
                }
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    /// Confirms a hold that this process has written by what it read then, provided that all of it is still so. None where
    /// it is not, for whatever reason: the database is read, and its word is told.
    async fn confirm_unread(
        &self,
        caller: &Caller,
        command: &Command,
        r: &ConfirmBookingRequest,
        key: &SeatKey,
    ) -> Option<Response<BookingChange>> {
        let loaded = self.recent.forgotten(&r.booking)?;
        let seat = loaded.seat.as_ref()?;
        if seat.district != r.district || seat.key != *key || !self.store.can_provide() {
            return None;
        }
        let provided = still::lasts(&loaded, self.by(&loaded))?;
        let asked = (command, r);
        let confirmed = self.confirmed(caller, asked, &loaded, Some(provided));
        unread(confirmed.await)
    }

    /// Writes a hold as an appointment: its row, the booking's and the act. `provided` is what must still be so.
    async fn confirmed(
        &self,
        caller: &Caller,
        (command, r): (&Command, &ConfirmBookingRequest),
        loaded: &Loaded,
        provided: Option<Provided>,
    ) -> Result<Response<BookingChange>, Error> {
        let named = (r.booking.as_str(), r.epoch);
        let seat = loaded.seat.as_ref();
        let holder = seat.map_or("", |s| s.holder.as_str());
        let seat = mine((caller, holder), seat, named, loaded)?;
        let mut booking = Booking {
            channel: r.channel,
            proxy: r.proxy.clone(),
            consultation: r.consultation.clone(),
            case: r.case.clone(),
            ..appointment(seat, loaded, caller)
        };
        let (chain, states) = confirmation::confirmed(caller, &mut booking, seat, loaded, provided);
        let position = self
            .store
            .write(&chain, Some(&command.asked), states)
            .await?;
        Ok(answer(booking, &position))
    }
}

/// How long it is not certain yet that a hold has ended: this very request may have been sent before, while the hold lived,
/// and be about to be written (BB-9.2b).
pub(super) fn undecided(loaded: &Loaded, booking: &str) -> Option<Duration> {
    let seat = loaded.seat.as_ref()?;
    let is_held = seat.booking == booking && seat.state == SeatState::Held;
    let ends_us = seat.due_us.filter(|_| is_held)?;
    let since_us = loaded.now.us() - ends_us;
    let left_us = u64::try_from(due::BEGUN_BEFORE - since_us).ok()?;
    (since_us >= 0 && left_us > 0).then(|| Duration::from_micros(left_us))
}

/// An offer that is open for longer, on record with its place.
fn offer_extended(
    caller: &Caller,
    (mut place, version, head): (Waiting, u64, Hash),
    hold: &Hold,
    now: Now,
) -> (Chain, Row) {
    let act = Act::OfferExtended(OfferExtended {
        number: place.offers.last().map_or(0, |offer| offer.number),
        hold: Some(hold.clone()),
    });
    let subject = format!("waiting/{}", place.id);
    let chain = chain(&place.district, subject, (version, head), caller, now);
    let chain = carry_out(&mut place, chain, vec![act], now, fold::waiting);
    let row = places::row(&place, Some(version), (chain.number, &chain.head));
    (chain, row)
}

/// The seat as a live hold of the caller's, which names it by its booking and by an epoch that it has had. `holder` is the
/// subject of who may do as with a hold of their own.
fn mine<'a>(
    (caller, holder): (&Caller, &str),
    seat: Option<&'a Seat>,
    (booking, epoch): (&str, u64),
    loaded: &Loaded,
) -> Result<&'a Seat, Refusal> {
    let due_us = seat
        .filter(|s| s.state == SeatState::Held)
        .and_then(|s| s.due_us)
        .unwrap_or_default();
    // One that cools without having been released has expired.
    let is_live = |s: &Seat| match s.state {
        SeatState::Held => true,
        SeatState::Cooling => s.last_key.is_empty(),
        _ => false,
    };
    let is_of_booking = seat.is_some_and(|s| s.booking == booking && is_live(s));
    let mine = Mine {
        is_of_booking: is_of_booking && seat.is_some_and(|s| s.has_had(epoch)),
        is_confirmed: loaded.booking.is_some()
            || seat.is_some_and(|s| s.booking == booking && s.state == SeatState::Confirmed),
        holder,
        subject: &caller.subject,
        expires_at: DateTime::from_timestamp_micros(due_us).unwrap_or_default(),
    };
    rules::live(&mine, loaded.now.at)?;
    seat.ok_or_else(slot::unknown)
}

/// The appointment that a hold becomes.
pub(crate) fn appointment(seat: &Seat, loaded: &Loaded, caller: &Caller) -> Booking {
    let slot = loaded.slot.as_ref();
    Booking {
        id: seat.booking.clone(),
        district: seat.district.clone(),
        state: BookingState::Confirmed.into(),
        site: seat.key.slot.day.site.clone(),
        region: slot.map(|s| s.region.clone()).unwrap_or_default(),
        group: slot.map(|s| s.group.clone()).unwrap_or_default(),
        slot: seat.key.slot.to_string(),
        seat: seat.key.seat.into(),
        epoch: seat.epoch + 1,
        starts_at: at(seat.starts_us),
        ends_at: at(seat.ends_us),
        item: seat.item.clone(),
        applicant: seat.applicant.clone(),
        applicant_mask: seat.mask.clone(),
        groups: seat.groups.clone(),
        is_assisted: seat.is_assisted,
        booked_by: Some(caller.actor()),
        held_at: at(seat.held_us),
        confirmed_at: Some(timestamp(loaded.now.at)),
        waiting: seat.waiting.clone(),
        ..Booking::default()
    }
}
