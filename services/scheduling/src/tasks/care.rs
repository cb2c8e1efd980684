//! Appointments on days whose capacity has changed: kept where the site still serves at that time, else their applicants
//! are offered other times (BB-9.2b).
//!
//! Where nothing is free that is on record, once, and an offer follows as soon as something is. While nobody can say what
//! is free nothing is written: it is tried again, until the time begins.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bangban_proto::bangban::scheduling::v1::{
    Booking, BookingKept, BookingState, Day, OtherTimes, OtherTimesOffered, SlotAvailability,
};
use bangban_store::{Error, Now};
use chrono::{Days, NaiveDate};
use tokio::sync::OnceCell;

use super::{BATCH, key_of};
use crate::{
    domain::{
        Act, appointment, change,
        outside::{timestamp, today},
        time,
    },
    rpc::Rpc,
    store::{
        DayKey,
        capacity::{self, Capacity, Kept},
        due,
    },
    work,
};

/// Most other times that are offered.
const OTHER_TIMES: usize = 5;

/// How many days ahead other times are looked for.
const LOOKED_AHEAD: u64 = 14;

/// How long a day is left alone on which there was nothing to do but wait for times that are free, unless it has changed
/// since.
const WAITS_US: i64 = 3_000_000;

/// A day of a district.
type Of = (String, String);

/// Looks after appointments on days that have changed. A day is done with when it was looked through behind the end of its
/// care, nothing was left to do, and nobody waits for other times.
pub(super) async fn take(rpc: &Rpc, now: Now) -> Result<usize, Error> {
    let mut steps = 0;
    let mut behind = Default::default();
    loop {
        // A day stays in care when it was looked after, so that the next ones are behind it.
        let days = due::days_in_care(&rpc.store, &behind, BATCH).await?;
        let Some((last, _)) = days.last() else {
            return Ok(steps);
        };
        behind = last.clone();
        for (day, until_us) in &days {
            if rpc.waits.are_known(day, *until_us, now) {
                continue;
            }
            let (district, id) = day;
            let looked = match Look::new(rpc, district, key_of(id)?, now).cared().await {
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
            rpc.waits.are(looked.is_waiting(), day, *until_us, now);
            if looked.found == 0 && *until_us <= now.us() {
                due::care_is_over(&rpc.store, (district.as_str(), id.as_str()), *until_us).await?;
            }
        }
    }
}

/// Days on which all that is left to do is to wait for times that are free: until when each was to be in care, and when it
/// was looked through.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<HashMap<Of, (i64, i64)>>);

impl Waits {
    fn days(&self) -> MutexGuard<'_, HashMap<Of, (i64, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a day was found so a moment ago, and has not changed since.
    fn are_known(&self, day: &Of, until_us: i64, now: Now) -> bool {
        let days = self.days();
        let known = days.get(day).filter(|(until, _)| *until == until_us);
        known.is_some_and(|(_, looked_us)| now.us() < looked_us + WAITS_US)
    }

    fn are(&self, is_waiting: bool, day: &Of, until_us: i64, now: Now) {
        let mut days = self.days();
        if is_waiting {
            days.insert(day.clone(), (until_us, now.us()));
        } else {
            days.remove(day);
        }
    }
}

/// What looking through a day came to.
#[derive(Debug, Default)]
struct Looked {
    /// Appointments that were to be kept or offered other times, or wait for times that can be offered.
    found: usize,
    /// Those that were; of the others somebody else was faster, or they wait.
    done: usize,
}

impl Looked {
    fn is_waiting(&self) -> bool {
        self.found > 0 && self.done == 0
    }
}

/// What is free around a day.
#[derive(Debug)]
struct Around {
    free: Vec<SlotAvailability>,
    /// Whether that is all there is: of every published day it can be said.
    is_known: bool,
}

/// One look through a day; what it asks for is asked once for all appointments of the day.
struct Look<'a> {
    rpc: &'a Rpc,
    district: &'a str,
    key: DayKey,
    now: Now,
    capacity: OnceCell<Kept<Capacity>>,
    around: OnceCell<Around>,
}

impl<'a> Look<'a> {
    fn new(rpc: &'a Rpc, district: &'a str, key: DayKey, now: Now) -> Self {
        Self {
            rpc,
            district,
            key,
            now,
            capacity: OnceCell::new(),
            around: OnceCell::new(),
        }
    }

    /// Looks after the appointments of the day.
    async fn cared(&self) -> Result<Looked, Error> {
        let store = &self.rpc.store;
        let mut bookings = capacity::bookings(store, self.district, &self.key).await?;
        bookings.retain(|booking| booking.state() == BookingState::Confirmed);
        let mut looked = Looked::default();
        if bookings.is_empty() {
            return Ok(looked);
        }
        let day = capacity::day(store, self.district, &self.key).await?.body;
        let slots = capacity::slots(store, self.district, &self.key).await?;
        for booking in bookings {
            let row = slots.iter().find(|s| s.key.to_string() == booking.slot);
            let is_stranded = row.is_some_and(|s| booking.seat >= u32::from(s.seats()));
            let is_closed = row.is_some_and(|s| s.is_closed);
            // One that was kept is taken away when the site closes after all.
            let is_settled =
                (booking.is_kept && !is_closed) || appointment::has_other_times(&booking);
            if !is_stranded || is_settled {
                continue;
            }
            let is_served = !is_closed || self.serves(&booking).await?;
            if is_served && booking.is_kept {
                continue;
            }
            let act = if is_served {
                Some(Act::BookingKept(BookingKept {
                    reason: "时段容量调整，预约保留".to_owned(),
                }))
            } else {
                let has_begun = time::of(booking.starts_at.as_ref()) <= self.now.at;
                if has_begun && appointment::offered(&booking).is_some() {
                    continue;
                }
                self.offer(&booking, &day, has_begun).await?
            };
            looked.found += 1;
            if let Some(act) = act {
                let done = super::bookings::acted(self.rpc, self.district, &booking.id, act);
                looked.done += usize::from(done.await?);
            }
        }
        Ok(looked)
    }

    /// The other times that an applicant is offered. Once it is known that nothing is free, or the time has begun, it is
    /// put on record that nothing could be offered; none where that is on record already, or not known.
    async fn offer(
        &self,
        booking: &Booking,
        day: &Day,
        has_begun: bool,
    ) -> Result<Option<Act>, Error> {
        let (slots, is_known) = if has_begun {
            (Vec::new(), true)
        } else {
            let around = self.around().await?;
            let slots = change::other_times(booking, &around.free, OTHER_TIMES);
            (slots, around.is_known)
        };
        if slots.is_empty() && (!is_known || appointment::offered(booking).is_some()) {
            return Ok(None);
        }
        let number = u32::try_from(booking.other_times.len()).unwrap_or(u32::MAX);
        Ok(Some(Act::OtherTimesOffered(OtherTimesOffered {
            other_times: Some(OtherTimes {
                number: number.saturating_add(1),
                reason: format!("{} {} 的安排已变更", day.site, day.date),
                slots,
                offered_at: Some(timestamp(self.now.at)),
            }),
        })))
    }

    /// Whether the site still serves at the time of an appointment.
    async fn serves(&self, booking: &Booking) -> Result<bool, Error> {
        let known = self.rpc.learned.now(self.district).await?;
        let Some(site) = known.site(&self.key.site) else {
            return Ok(false);
        };
        let read = || capacity::of_site(&self.rpc.store, self.district, &self.key.site);
        let kept = self.capacity.get_or_try_init(read).await?;
        let minute = |at| time::local(time::of(at)).1;
        let span = (
            minute(booking.starts_at.as_ref()),
            minute(booking.ends_at.as_ref()),
        );
        let plan = work::plan(site, &kept.body, &known);
        Ok(plan.serves(&booking.group, self.key.date, span)?)
    }

    /// What is free around the day at its site.
    async fn around(&self) -> Result<&Around, Error> {
        let ask = || async {
            let first = (self.key.date - Days::new(LOOKED_AHEAD)).max(today(self.now.at));
            let last: NaiveDate = self.key.date + Days::new(LOOKED_AHEAD);
            let (site, dates) = (self.key.site.as_str(), (first, last));
            let days = self.rpc.free_days(self.district, site, dates, "").await?;
            Ok::<_, Error>(Around {
                is_known: days.iter().all(|day| day.is_known || !day.is_published),
                free: days.into_iter().flat_map(|day| day.slots).collect(),
            })
        };
        self.around.get_or_try_init(ask).await
    }
}
