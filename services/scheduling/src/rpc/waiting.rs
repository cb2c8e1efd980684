//! The waiting list: joined, left, and the seat that is offered to the first alone (BB-7.1.1).

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_learned::district;
use bangban_ledger::{Hash, START};
use bangban_proto::{
    Head,
    bangban::scheduling::v1::{
        AcceptOfferRequest, BookingChange, DeclineOfferRequest, GetWaitingRequest,
        GetWaitingResponse, JoinWaitingListRequest, LeaveWaitingListRequest, Offer, OfferEnded,
        OfferOutcome, SeatState, Waiting, WaitingBooked, WaitingChange, WaitingJoined, WaitingLeft,
        WaitingState,
    },
};
use bangban_store::{Error, command::Command, write::State};
use chrono::DateTime;
use prost::Message;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Rpc, ask,
    command::{answer, carry_out, chain, fresh},
    confirmation::confirmed,
    held::{appointment, undecided},
    hold::item_in_force,
    taken,
};
use crate::{
    domain::{
        Act, fold, hold,
        outside::{dates, timestamp, today},
        slot, standing, time, waiting as rules,
    },
    store::{
        self, Seat, SeatKey,
        load::{self, Loaded},
        waiting as places,
    },
    tasks::cooled,
};

/// WAITING_UNKNOWN (BB-1).
fn unknown() -> Refusal {
    Refusal::not_found(
        "WAITING_UNKNOWN",
        "BB-1",
        "没有该候补登记，或不在您的管辖范围内",
        "there is no such place in the waiting list, or it is not in your scope",
    )
}

/// The offer that is open.
///
/// # Errors
/// OFFER_UNKNOWN (BB-7.1.1).
fn open_offer(waiting: &Waiting) -> Result<&Offer, Refusal> {
    let last = waiting.offers.last();
    last.filter(|_| waiting.state() == WaitingState::Offered)
        .ok_or_else(|| {
            Refusal::precondition(
                "OFFER_UNKNOWN",
                "BB-7.1.1",
                "目前没有为您保留的候补号源",
                "no seat is offered at the moment",
            )
        })
}

/// OUT_OF_ORDER (BB-8d), unless the person still waits.
fn waits(waiting: &Waiting) -> Result<(), Refusal> {
    if matches!(
        waiting.state(),
        WaitingState::Waiting | WaitingState::Offered
    ) {
        return Ok(());
    }
    Err(Refusal::precondition(
        "OUT_OF_ORDER",
        "BB-8d",
        "该候补已结束",
        "this place in the waiting list has ended",
    ))
}

/// The seat of an offer.
fn seat_of(offer: &Offer) -> Result<SeatKey, Refusal> {
    let hold = offer.hold.clone().unwrap_or_default();
    Ok(SeatKey {
        slot: super::hold::slot_of(&hold.slot)?,
        seat: u16::try_from(hold.seat).unwrap_or(u16::MAX),
    })
}

/// A place with its version and the hash of its last act.
type Place = (Waiting, u64, Hash);

impl Rpc {
    pub(super) async fn waiting_joined(
        &self,
        request: Request<JoinWaitingListRequest>,
    ) -> Result<Response<WaitingChange>, Status> {
        let (caller, deadline, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let (first, last) = dates(&r.from, &r.to)?;
        if !r.earliest.is_empty() && !r.latest.is_empty() {
            time::span("earliest", &r.earliest, &r.latest)?;
        }
        let mut command = Command::new(&caller, &r);
        loop {
            let loaded = load::person(&self.learned, &command, &r.applicant).await?;
            if loaded.is_repeated {
                return Ok(self.first_waiting(&command).await?);
            }
            let now = loaded.now;
            district::of(&loaded.known, &caller, &r.district)?;
            let site = loaded.known.site(&r.site).cloned();
            let site = site.ok_or_else(|| slot::site_unknown(&r.site))?;
            if last < today(now.at) {
                return Err(slot::day_past("to").into());
            }
            item_in_force(&loaded.known, &r.item, now)?;
            let person = ask::known(&self.directory, deadline, loaded.person.clone(), now).await?;
            standing::may_book(&person.standing, person.is_special(), now.at)?;
            let mut waiting = Waiting {
                id: Uuid::now_v7().to_string(),
                district: r.district.clone(),
                state: WaitingState::Waiting.into(),
                site: r.site.clone(),
                region: site.region,
                group: r.group.clone(),
                item: r.item.clone(),
                applicant: r.applicant.clone(),
                applicant_mask: person.mask,
                groups: person.groups,
                from_on: first.to_string(),
                until_on: last.to_string(),
                earliest: r.earliest.clone(),
                latest: r.latest.clone(),
                channel: r.channel,
                proxy: r.proxy.clone(),
                joined_by: Some(caller.actor()),
                joined_at: Some(timestamp(now.at)),
                consultation: r.consultation.clone(),
                case: r.case.clone(),
                ..Waiting::default()
            };
            let act = Act::WaitingJoined(WaitingJoined {
                waiting: Some(waiting.clone()),
            });
            let subject = format!("waiting/{}", waiting.id);
            let chain = chain(&r.district, subject, (0, START), &caller, now);
            let chain = carry_out(&mut waiting, chain, vec![act], now, fold::waiting);
            let row = places::row(&waiting, None, (chain.number, &chain.head));
            let states = vec![State::Row(row)];
            match self.store.write(&chain, Some(&command.asked), states).await {
                Ok(position) => return Ok(told(waiting, &position)),
                Err(Error::Taken(what)) if what.contains("waiting") => {
                    // Perhaps by this very request, sent twice at once.
                    if self.store.repeated(&command).await?.is_some() {
                        return Ok(self.first_waiting(&command).await?);
                    }
                    let there = std::slice::from_ref(&waiting);
                    rules::may_join(there, (&r.site, &r.group, &r.item))?;
                    return Err(Error::Taken(what).into());
                }
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    async fn first_waiting(&self, command: &Command) -> Result<Response<WaitingChange>, Error> {
        let (waiting, position) = self.first_answer(command, fold::waiting).await?;
        Ok(told(waiting, &position))
    }

    /// The place that a request names, in the caller's scope.
    async fn place(&self, caller: &Caller, district: &str, id: &str) -> Result<Place, Error> {
        let scope = self.scope(caller, district).await?;
        let found = store::find_waiting(&self.store, &scope, caller, id).await?;
        Ok(found.ok_or_else(unknown)?)
    }

    /// Ends an offer, and with `leaves` the place: the seat cools, so that the sweep offers it to the next.
    async fn ended<R: Head + Message>(
        &self,
        request: Request<R>,
        id: impl Fn(&R) -> &str,
        leaves: bool,
    ) -> Result<Response<WaitingChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(r.after()).await?;
        let mut command = Command::new(&caller, &r);
        loop {
            match self.end(&caller, &command, &r, id(&r), leaves).await {
                Ok(change) => return Ok(change),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    async fn end<R: Head + Message>(
        &self,
        caller: &Caller,
        command: &Command,
        r: &R,
        id: &str,
        leaves: bool,
    ) -> Result<Response<WaitingChange>, Error> {
        let now = self.store.now().await?;
        if self.store.repeated(command).await?.is_some() {
            return self.first_waiting(command).await;
        }
        let (mut waiting, version, head) = self.place(caller, r.district(), id).await?;
        fresh(r, &waiting.etag)?;
        waits(&waiting)?;
        let mut acts = Vec::new();
        let mut states = Vec::new();
        match open_offer(&waiting) {
            Ok(offer) => {
                let key = seat_of(offer)?;
                let loaded = load::held(&self.learned, command, (&key, "")).await?;
                let ours = |s: &Seat| s.waiting == waiting.id && s.state == SeatState::Held;
                if let Some(seat) = loaded.seat.clone().filter(ours) {
                    let free_us = cooled(&loaded.policy, now);
                    let seat = seat.cooling(free_us, "declined".to_owned());
                    states.push(State::Row(seat.row()));
                }
                acts.push(Act::OfferEnded(OfferEnded {
                    number: offer.number,
                    outcome: OfferOutcome::Declined.into(),
                }));
            }
            Err(refusal) if !leaves => return Err(refusal.into()),
            Err(_) => {}
        }
        if leaves {
            acts.push(Act::WaitingLeft(WaitingLeft { is_over: false }));
        }
        let subject = format!("waiting/{}", waiting.id);
        let chain = chain(r.district(), subject, (version, head), caller, now);
        let chain = carry_out(&mut waiting, chain, acts, now, fold::waiting);
        let row = places::row(&waiting, Some(version), (chain.number, &chain.head));
        states.push(State::Row(row));
        let position = self.store.write(&chain, Some(&command.asked), states);
        Ok(told(waiting, &position.await?))
    }

    pub(super) async fn waiting_left(
        &self,
        request: Request<LeaveWaitingListRequest>,
    ) -> Result<Response<WaitingChange>, Status> {
        self.ended(request, |r| &r.waiting, true).await
    }

    pub(super) async fn offer_declined(
        &self,
        request: Request<DeclineOfferRequest>,
    ) -> Result<Response<WaitingChange>, Status> {
        self.ended(request, |r| &r.waiting, false).await
    }

    pub(super) async fn offer_accepted(
        &self,
        request: Request<AcceptOfferRequest>,
    ) -> Result<Response<BookingChange>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let mut command = Command::new(&caller, &r);
        loop {
            match self.accept(&caller, &command, &r).await {
                Ok(change) => return Ok(change),
                Err(error) => self.again(&mut command, error).await?,
            }
        }
    }

    async fn accept(
        &self,
        caller: &Caller,
        command: &Command,
        r: &AcceptOfferRequest,
    ) -> Result<Response<BookingChange>, Error> {
        if self.store.repeated(command).await?.is_some() {
            return self.first_booking(command).await;
        }
        let place = self.place(caller, &r.district, &r.waiting).await?;
        let waiting = &place.0;
        fresh(r, &waiting.etag)?;
        let offer = open_offer(waiting)?;
        let key = seat_of(offer)?;
        let loaded = load::held(&self.learned, command, (&key, "")).await?;
        let ours = |s: &&Seat| s.waiting == waiting.id && s.state == SeatState::Held;
        let seat = loaded.seat.as_ref().filter(ours);
        let expires_us = seat.and_then(|s| s.due_us).unwrap_or_default();
        let expires_at = DateTime::from_timestamp_micros(expires_us).unwrap_or_default();
        if let Err(refusal) = hold::live(expires_at, loaded.now.at) {
            let Some(left) = seat.and_then(|s| undecided(&loaded, &s.booking)) else {
                return Err(refusal.into());
            };
            tokio::time::sleep(left).await;
            return Err(Error::Conflict);
        }
        let seat = seat.ok_or_else(unknown)?.clone();
        self.accepted(caller, command, place, &seat, &loaded).await
    }

    /// Writes an offered seat as an appointment, and the place as booked.
    async fn accepted(
        &self,
        caller: &Caller,
        command: &Command,
        (mut waiting, version, head): Place,
        seat: &Seat,
        loaded: &Loaded,
    ) -> Result<Response<BookingChange>, Error> {
        let now = loaded.now;
        let mut booking = bangban_proto::bangban::scheduling::v1::Booking {
            channel: waiting.channel,
            proxy: waiting.proxy.clone(),
            consultation: waiting.consultation.clone(),
            case: waiting.case.clone(),
            ..appointment(seat, loaded, caller)
        };
        let booked = Act::WaitingBooked(WaitingBooked {
            booking: booking.id.clone(),
        });
        let subject = format!("waiting/{}", waiting.id);
        let place = chain(&booking.district, subject, (version, head), caller, now);
        let place = carry_out(&mut waiting, place, vec![booked], now, fold::waiting);
        let (chain, mut states) = confirmed(caller, &mut booking, seat, loaded, None);
        let row = places::row(&waiting, Some(version), (place.number, &place.head));
        states.push(State::Row(row));
        let chains = [place, chain];
        let position = self
            .store
            .write_all(&chains, Some(&command.asked), states)
            .await?;
        Ok(answer(booking, &position))
    }

    pub(super) async fn read_waiting(
        &self,
        request: Request<GetWaitingRequest>,
    ) -> Result<Response<GetWaitingResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let (waiting, ..) = self.place(&caller, &r.district, &r.waiting).await?;
        let queue = (
            r.district.as_str(),
            waiting.site.as_str(),
            waiting.group.as_str(),
        );
        let queue = store::queue(&self.store, queue, None, i64::from(u16::MAX)).await?;
        let list: Vec<Waiting> = queue.into_iter().map(|(place, ..)| place).collect();
        Ok(Response::new(GetWaitingResponse {
            order: Some(rules::reasons(&waiting, &list)),
            ahead_count: rules::ahead_count(&waiting, &list),
            waiting: Some(waiting),
        }))
    }
}

fn told(waiting: Waiting, position: &bangban_store::Position) -> Response<WaitingChange> {
    Response::new(WaitingChange {
        waiting: Some(waiting),
        position: position.to_string(),
    })
}
