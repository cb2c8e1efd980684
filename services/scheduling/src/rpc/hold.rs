//! Holding a seat.
//!
//! The gate picks the seat; one statement reads what there is, and one writes the seat's row and the person's. A hold has
//! no act: the row is its record (docs/decisions/0008-holds-are-rows.md).

use std::time::Instant;

use bangban_kit::{access::Deadline, identity::Caller, refusal::Refusal};
use bangban_learned::known::Known;
use bangban_proto::bangban::scheduling::v1::{Hold, HoldSlotRequest, SeatState};
use bangban_slots::{Row as GateRow, Who};
use bangban_store::{Error, Now, command::Command, write::Row};
use chrono::{DateTime, TimeDelta};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Rpc, ask,
    booking::{may_have, theirs},
    recent::unread,
    taken,
};
use crate::{
    domain::{
        hold,
        outside::today,
        policy,
        slot::{self, Wanted, not_published},
        standing, time,
    },
    doorkeeper::{Doorkeeper, Pick, busy, full},
    store::{
        Person, Seat, SeatKey, SlotKey, SlotRow,
        load::{self, Loaded},
        picture,
        still::{self, By},
    },
};

/// Says that a call is a repetition.
const ATTEMPTS: &str = "grpc-previous-rpc-attempts";

/// How much earlier than at its end a reservation counts as ended for who is to be told "full": memory's clock is less
/// exact than the database's.
const LIFTED_BEFORE: TimeDelta = TimeDelta::seconds(1);

/// A slot as a request names it.
pub(super) fn slot_of(text: &str) -> Result<SlotKey, Refusal> {
    text.parse().map_err(|_| slot::unknown())
}

/// What a slot is wanted for, as rules judge it.
pub(super) fn wanted(slot: &SlotKey, loaded: &Loaded) -> Wanted {
    let found = loaded.slot.as_ref();
    Wanted {
        date: slot.day.date,
        is_published: loaded.is_published,
        slot: found.map(|s| {
            let starts_at = DateTime::from_timestamp_micros(s.starts_us).unwrap_or_default();
            (starts_at, s.is_closed)
        }),
    }
}

/// ITEM_NOT_PUBLISHED (BB-7.2), unless it is in force today.
pub(super) fn item_in_force(known: &Known, item: &str, now: Now) -> Result<(), Refusal> {
    let today = today(now.at).to_string();
    known
        .in_force(item, &today)
        .map(|_| ())
        .ok_or_else(|| not_published(item))
}

fn digest(command: &Command) -> String {
    hex::encode(&command.asked.digest[..8])
}

/// What there is for whoever wants a seat.
enum Picked {
    Seat(bangban_slots::Seat),
    /// The database has no such slot.
    NoSlot,
    /// Why there is none, and whether there is one for somebody of a special group.
    None(Refusal, bool),
}

/// Whether a seat that was picked is one for this person.
enum Fits {
    Yes,
    /// It is of the seats for special groups, and the person belongs to none; or the other way round.
    Other(Who),
    /// It is above the capacity: the gate has an older picture.
    Withdrawn,
    /// It is for special groups and was given out for anybody: the gate has an older picture.
    Reserved,
}

impl Rpc {
    pub(super) async fn hold(
        &self,
        request: Request<HoldSlotRequest>,
    ) -> Result<Response<Hold>, Status> {
        let is_again = request.metadata().contains_key(ATTEMPTS);
        let (caller, deadline, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let slot = slot_of(&r.slot)?;
        self.scope(&caller, &r.district).await?;
        let mut command = Command::new(&caller, &r);
        let key = hex::encode(command.key());
        let mut who = self.specials.has(&r.applicant).map(group);
        let mut picked = None;
        // The person as directory said in this call, and as their row was then.
        let mut asked_for: Option<Person> = None;
        // By what is remembered once, unless this very request may have a seat already.
        let mut is_first = !is_again && !self.recent.has_held(&key) && self.store.can_provide();
        loop {
            let seat = match picked.take() {
                Some(seat) => seat,
                None => match self.pick(&r.district, &slot, who, deadline).await? {
                    Picked::Seat(seat) => seat,
                    Picked::NoSlot => {
                        let loaded = self.load(&command, &slot, 0, &r.applicant).await?;
                        slot::open(&wanted(&slot, &loaded), loaded.now.at)?;
                        return Err(slot::unknown().into());
                    }
                    Picked::None(refusal, is_one_reserved) => {
                        // Told without a statement, unless this very request may have the seat that is missing, or the
                        // person one that is reserved.
                        let may_have = is_again || self.recent.has_held(&key);
                        let may_be_special = is_one_reserved && self.specials.doubts(&r.applicant);
                        if may_have || may_be_special {
                            let asked = Instant::now();
                            let loaded = self.load(&command, &slot, 0, &r.applicant).await?;
                            if let Some(hold) = held_before(&loaded, &command)? {
                                return Ok(Response::new(hold));
                            }
                            if may_be_special {
                                let person = (loaded.person, loaded.now);
                                let known = self.known(person, asked, deadline).await?;
                                if known.is_special() {
                                    who = Some(Who::Special);
                                    asked_for = Some(known);
                                    continue;
                                }
                            }
                        }
                        return Err(refusal.into());
                    }
                },
            };
            let number = seat.place().seat;
            let mut ground = match std::mem::take(&mut is_first) {
                true => self.recent.ground(&r.district, &slot),
                false => None,
            };
            if let Some(remembered) = ground.take_if(|it| self.recent.takes(it, &r.applicant)) {
                let asked = (&*caller, &command, &r);
                if let Some(told) = self.hold_unread(asked, (number, who), remembered).await {
                    tokio::spawn(seat.taken());
                    return Ok(Response::new(told));
                }
            }
            let asked = Instant::now();
            let loaded = self
                .load_on(ground, &command, (&slot, number), &r.applicant)
                .await?;
            if let Some(hold) = held_before(&loaded, &command)? {
                seat.give_back().await;
                return Ok(Response::new(hold));
            }
            let now = loaded.now;
            may_hold(&loaded, &slot, &r.item)?;
            self.recent.saw(&slot, &loaded);
            let person = asked_for.take_if(|it| it.version == loaded.person.version);
            let person = person.unwrap_or_else(|| loaded.person.clone());
            let known = self.known((person, now), asked, deadline).await?;
            let Some(found) = &loaded.slot else {
                return Err(slot::unknown().into());
            };
            match fits(number, found, known.is_special(), who, now) {
                Fits::Yes => {}
                Fits::Other(other) => {
                    seat.give_back().await;
                    who = Some(other);
                    asked_for = Some(known);
                    continue;
                }
                Fits::Withdrawn => {
                    seat.refused(GateRow::Taken).await;
                    self.looks_anew(&r.district, &slot).await?;
                    continue;
                }
                Fits::Reserved => {
                    seat.give_back().await;
                    self.looks_anew(&r.district, &slot).await?;
                    continue;
                }
            }
            let read = loaded.seat.as_ref();
            if let Some(row) = read.filter(|s| s.state != SeatState::Free) {
                let row = picture::gate_row(row.state, row.due_us.unwrap_or_default(), now.us());
                seat.refused(row).await;
                self.store.again(&mut command, Error::Conflict).await?;
                continue;
            }
            let held = held((&caller, &command, &r), (number, found), &known, &loaded)
                .inspect_err(|_| self.looks_again(&loaded))?;
            let row = known.clone().row_after(&loaded.person);
            match self.write_hold(held, known, row, loaded).await {
                Ok(told) => {
                    // Not on the caller's path: an audit finds what is lost on the way.
                    tokio::spawn(seat.taken());
                    return Ok(Response::new(told));
                }
                Err(error) => {
                    self.again(&mut command, error).await?;
                    picked = Some(seat);
                }
            }
        }
    }

    /// Holds a seat by what is remembered of its slot, its district and the person, provided that all of it is still so
    /// and that the seat was never used. None where it is not, for whatever reason: the database is read, and its word is
    /// told.
    async fn hold_unread(
        &self,
        asked: (&Caller, &Command, &HoldSlotRequest),
        (number, who): (u16, Option<Who>),
        loaded: Box<Loaded>,
    ) -> Option<Hold> {
        let known = loaded.person.clone();
        let found = loaded.slot.as_ref()?;
        may_hold(&loaded, &found.key, &asked.2.item).ok()?;
        let fits = fits(number, found, known.is_special(), who, loaded.now);
        if !ask::is_known(&known, loaded.now) || !matches!(fits, Fits::Yes) {
            return None;
        }
        let held = held(asked, (number, found), &known, &loaded).ok()?;
        let row = Row {
            provided: Some(still::unused(&loaded, &held.key, self.by(&loaded))?),
            ..known.clone().row_after(&loaded.person)
        };
        unread(self.write_hold(held, known, row, loaded).await)
    }

    /// Writes a hold with the person's row, and remembers both.
    async fn write_hold(
        &self,
        held: Seat,
        known: Person,
        row: Row,
        loaded: Box<Loaded>,
    ) -> Result<Hold, Error> {
        let told = held.hold(held.epoch + 1);
        let rows = vec![held.clone().row(), row];
        // Before it is written: who asks may go away meanwhile, and ask again.
        self.recent.held(&held.hold_key);
        self.store.write_rows(rows).await?;
        let epoch = held.held_epoch;
        let written = Person {
            version: known.version + 1,
            ..known
        };
        self.recent.read(Seat { epoch, ..held }, written, loaded);
        Ok(told)
    }

    /// How what is remembered is compared with the database.
    pub(super) fn by(&self, remembered: &Loaded) -> By {
        By::heard(remembered, self.doors.changes())
    }

    /// The gate has an older picture of the day.
    async fn looks_anew(&self, district: &str, slot: &SlotKey) -> Result<(), Refusal> {
        let day = Doorkeeper::day(district, &slot.day)?;
        _ = self.doors.gate().forget(&day).await;
        Ok(())
    }

    /// A seat of the slot; of a person of whom nothing is known yet, one for anybody. None that is reserved is picked, and
    /// kept from those for whom it is, before it is known that the person is one of them.
    async fn pick(
        &self,
        district: &str,
        slot: &SlotKey,
        who: Option<Who>,
        deadline: Option<Deadline>,
    ) -> Result<Picked, Error> {
        let until = deadline.map(|d| d.0);
        let who = who.unwrap_or(Who::Ordinary);
        let (refusal, is_one_reserved) = match self.doors.pick(district, slot, who, until).await {
            Ok(Pick::Seat(seat)) => return Ok(Picked::Seat(seat)),
            Ok(Pick::NoSlot) => return Ok(Picked::NoSlot),
            Ok(Pick::OnlyReserved) => (full(), true),
            Err(Error::Refused(refusal)) => (refusal, false),
            Err(error) => return Err(error),
        };
        let refusal = self.why(district, slot, refusal).await?;
        let is_one_reserved = is_one_reserved && refusal.reason == "SLOT_FULL";
        Ok(Picked::None(refusal, is_one_reserved))
    }

    /// Why there is no seat, as far as memory knows better than the gate: that the time is past or closed, and that a
    /// reservation has ended which the gate does not know to be lifted yet.
    pub(super) async fn why(
        &self,
        district: &str,
        slot: &SlotKey,
        refusal: Refusal,
    ) -> Result<Refusal, Error> {
        if refusal.reason != "SLOT_FULL" {
            return Ok(refusal);
        }
        let Some(layout) = self.doors.layout(district, slot).await? else {
            return Ok(refusal);
        };
        let wanted = Wanted {
            date: slot.day.date,
            is_published: true,
            slot: Some((time::of(layout.starts_at.as_ref()), layout.is_closed)),
        };
        let now = self.doors.now();
        if let Err(cannot) = slot::open(&wanted, now) {
            return Ok(cannot);
        }
        let is_lifted = slot::is_lifted(&layout, now + LIFTED_BEFORE);
        Ok(if is_lifted { busy() } else { refusal })
    }

    /// What directory says of a person of whom the database was asked then; it is remembered of which group they are.
    async fn known(
        &self,
        (person, now): (Person, Now),
        asked: Instant,
        deadline: Option<Deadline>,
    ) -> Result<Person, Status> {
        let known = ask::known(&self.directory, deadline, person, now).await?;
        let is_special = known.is_special();
        self.specials.learned(&known.id, is_special, asked);
        Ok(known)
    }

    async fn load(
        &self,
        command: &Command,
        slot: &SlotKey,
        seat: u16,
        applicant: &str,
    ) -> Result<Box<Loaded>, Error> {
        let key = SeatKey {
            slot: slot.clone(),
            seat,
        };
        load::hold(&self.learned, command, (&key, applicant)).await
    }

    /// What there is for a hold: read where it is not `ground`, which is remembered, or not so any more. Of somebody who holds
    /// a seat all is read: it may be this very request that has held it, through another process.
    async fn load_on(
        &self,
        ground: Option<Box<Loaded>>,
        command: &Command,
        (slot, seat): (&SlotKey, u16),
        applicant: &str,
    ) -> Result<Box<Loaded>, Error> {
        if let Some(ground) = ground {
            let key = SeatKey {
                slot: slot.clone(),
                seat,
            };
            let asked = (command.district.as_str(), applicant);
            let key = (&key, self.by(&ground));
            if let Some(loaded) = load::taker(&self.learned, ground, key, asked).await?
                && !loaded.ahead.iter().any(|seat| seat.is_held)
            {
                return Ok(loaded);
            }
        }
        self.load(command, slot, seat, applicant).await
    }
}

/// Whether a slot gives appointments for an item.
fn may_hold(loaded: &Loaded, slot: &SlotKey, item: &str) -> Result<(), Refusal> {
    slot::open(&wanted(slot, loaded), loaded.now.at)?;
    item_in_force(&loaded.known, item, loaded.now)
}

/// The seat as the person's hold, if they may have it.
fn held(
    (caller, command, r): (&Caller, &Command, &HoldSlotRequest),
    (number, slot): (u16, &SlotRow),
    known: &Person,
    loaded: &Loaded,
) -> Result<Seat, Refusal> {
    let now = loaded.now;
    let rules = policy::filled(&loaded.policy);
    standing::may_book(&known.standing, known.is_special(), now.at)?;
    let booking = Uuid::now_v7().to_string();
    let times = (slot.starts_us, slot.ends_us);
    may_have(&theirs((&booking, &r.item), times), loaded)?;
    let epoch = loaded.seat.as_ref().map_or(0, |s| s.epoch);
    Ok(Seat {
        district: r.district.clone(),
        key: SeatKey {
            slot: slot.key.clone(),
            seat: number,
        },
        epoch,
        held_epoch: epoch + 1,
        state: SeatState::Held,
        booking,
        applicant: r.applicant.clone(),
        mask: known.mask.clone(),
        groups: known.groups.clone(),
        holder: caller.subject.clone(),
        item: r.item.clone(),
        starts_us: slot.starts_us,
        ends_us: slot.ends_us,
        held_us: now.us(),
        due_us: Some(hold::expires_at(&rules, now.at).timestamp_micros()),
        extensions: hold::extensions(&rules, known.is_special()),
        is_assisted: known.is_special(),
        is_reserved: number < slot.reserved_at(now.us()),
        waiting: String::new(),
        hold_key: hex::encode(command.key()),
        hold_digest: digest(command),
        last_key: String::new(),
    })
}

/// The hold that this very request has made before, if it did.
fn held_before(loaded: &Loaded, command: &Command) -> Result<Option<Hold>, Refusal> {
    let Some(seat) = &loaded.own_seat else {
        return Ok(None);
    };
    if seat.hold_digest != digest(command) {
        return Err(Refusal::invalid(
            "REQUEST_ID_REUSED",
            "",
            "该请求号已用于内容不同的请求，请换一个新的请求号",
            "this request id was used for a request with another body: choose a new one",
        )
        .field("request_id", "used before with another body"));
    }
    Ok(Some(seat.hold(seat.epoch)))
}

fn group(is_special: bool) -> Who {
    if is_special {
        Who::Special
    } else {
        Who::Ordinary
    }
}

fn fits(number: u16, slot: &SlotRow, is_special: bool, asked: Option<Who>, now: Now) -> Fits {
    if number >= slot.seats() {
        return Fits::Withdrawn;
    }
    let reserved = slot.reserved_at(now.us());
    if number < reserved && !is_special {
        return match asked {
            Some(Who::Ordinary) => Fits::Reserved,
            _ => Fits::Other(Who::Ordinary),
        };
    }
    // The seats that are for them first, so that the others are left for those who have no such seats.
    if number >= reserved && reserved > 0 && is_special && asked != Some(Who::Special) {
        return Fits::Other(Who::Special);
    }
    Fits::Yes
}
