//! The waiting list: who is offered a seat that was freed. One seat, one offer, to one person alone, for a limited time;
//! special groups first (BB-7.1.1), then who joined first, then the smaller id. The order can be explained to who waits.

use std::cmp::Reverse;

use bangban_kit::refusal::Refusal;
use bangban_limits::time::instant;
use bangban_proto::bangban::{
    scheduling::v1::{BookingPolicy, OfferOutcome, Slot, Waiting, WaitingState},
    types::v1::{SpecialGroup, Text},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{plan::meet, policy, time};

/// A seat that was freed.
#[derive(Debug, Clone, Copy)]
pub struct Freed<'a> {
    /// Its slot.
    pub slot: &'a Slot,
    /// Its place in the slot, from 0.
    pub seat: u32,
}

impl Freed<'_> {
    /// Whether it is for special groups at `now` (BB-7.1.1).
    #[must_use]
    pub fn is_reserved(&self, now: DateTime<Utc>) -> bool {
        let until = self.slot.reserved_until.as_ref().and_then(instant);
        self.seat < self.slot.reserved && until.is_some_and(|until| now < until)
    }
}

/// Places in the list by this are in the order in which seats are offered, the first one first.
#[must_use]
pub fn order(waiting: &Waiting) -> impl Ord + use<'_> {
    let joined_at = time::of(waiting.joined_at.as_ref());
    (Reverse(is_special(waiting)), joined_at, &waiting.id)
}

/// Whether the person belongs to a special group (BB-7.1.1).
#[must_use]
pub fn is_special(waiting: &Waiting) -> bool {
    waiting
        .groups()
        .any(|group| group != SpecialGroup::Unspecified)
}

/// Until when a seat is offered that is offered now. None when it starts so soon that nobody would have the whole time
/// to decide: then it is not offered and comes back for everybody.
#[must_use]
pub fn offered_until(
    slot: &Slot,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let seconds = policy::filled(rules).offer_seconds;
    let until = now + TimeDelta::seconds(seconds.into());
    (until < time::of(slot.starts_at.as_ref()) && !slot.is_closed).then_some(until)
}

/// Whether a slot is what somebody waits for.
#[must_use]
pub fn suits(waiting: &Waiting, slot: &Slot) -> bool {
    let (starts, ends) = (
        time::of(slot.starts_at.as_ref()),
        time::of(slot.ends_at.as_ref()),
    );
    let from = time::local(starts).1;
    let to = from + u32::try_from((ends - starts).num_minutes()).unwrap_or_default();
    let (earliest, latest) = hours(waiting);
    waiting.site == slot.site
        && waiting.group == slot.group
        && waiting.from_on <= slot.date
        && slot.date <= waiting.until_on
        && earliest <= from
        && to <= latest
}

/// Whether the seat may be offered to this one: waits, has no other offer, suits, is not reserved for others at `now`,
/// and has not let this slot go before.
#[must_use]
pub fn is_eligible(waiting: &Waiting, freed: &Freed<'_>, now: DateTime<Utc>) -> bool {
    let slot = freed.slot;
    let let_go = waiting.offers.iter().any(|offer| {
        offer.outcome() != OfferOutcome::Unspecified
            && offer.hold.as_ref().is_some_and(|hold| hold.slot == slot.id)
    });
    waiting.state() == WaitingState::Waiting
        && suits(waiting, slot)
        && (!freed.is_reserved(now) || is_special(waiting))
        && !let_go
}

/// To whom the seat is offered: the first who is eligible and `may` have it, by what else the person has.
#[must_use]
pub fn next<'a>(
    list: &'a [Waiting],
    freed: &Freed<'_>,
    may: impl Fn(&Waiting) -> bool,
    now: DateTime<Utc>,
) -> Option<&'a Waiting> {
    list.iter()
        .filter(|waiting| is_eligible(waiting, freed, now) && may(waiting))
        .min_by(|a, b| order(a).cmp(&order(b)))
}

/// How many are before this one for a seat that would suit both.
#[must_use]
pub fn ahead_count(waiting: &Waiting, list: &[Waiting]) -> u32 {
    let is_ahead = |other: &&Waiting| {
        other.id != waiting.id
            && other.state() == WaitingState::Waiting
            && order(other) < order(waiting)
            && want_the_same(other, waiting)
    };
    u32::try_from(list.iter().filter(is_ahead).count()).unwrap_or(u32::MAX)
}

/// Why somebody is where they are in the list, as a person says it.
#[must_use]
pub fn reasons(waiting: &Waiting, list: &[Waiting]) -> Text {
    let (zh, en) = time::readable(time::of(waiting.joined_at.as_ref()));
    let ahead = ahead_count(waiting, list);
    let names: Vec<_> = waiting.groups().filter_map(named).collect();
    let (first_zh, first_en) = if names.is_empty() {
        (
            "特殊群体优先，其余按登记先后排列（BB-7.1.1）。".to_owned(),
            "Special groups come first, everybody else in the order of joining (BB-7.1.1)."
                .to_owned(),
        )
    } else {
        let zh: Vec<_> = names.iter().map(|name| name.0).collect();
        let en: Vec<_> = names.iter().map(|name| name.1).collect();
        (
            format!(
                "属于特殊群体（{}），优先安排；特殊群体之间按登记先后排列（BB-7.1.1）。",
                zh.join("、")
            ),
            format!(
                "Belongs to a special group ({}), which comes first; within it the order is that of joining (BB-7.1.1).",
                en.join(", ")
            ),
        )
    };
    let (last_zh, last_en) = match ahead {
        0 => (
            "前面没有人等候相同的时段。".to_owned(),
            "Nobody is ahead for the same times.".to_owned(),
        ),
        1 => (
            "前面有 1 人等候相同的时段。".to_owned(),
            "1 person is ahead for the same times.".to_owned(),
        ),
        n => (
            format!("前面有 {n} 人等候相同的时段。"),
            format!("{n} people are ahead for the same times."),
        ),
    };
    Text {
        zh: format!("{first_zh}登记时间：{zh}。{last_zh}"),
        en: format!("{first_en} Joined on {en}. {last_en}"),
    }
}

/// Whether somebody who has these places in the list may join for this site, group and item too.
///
/// # Errors
/// WAITING_ALREADY (BB-7.1.1).
pub fn may_join(
    places: &[Waiting],
    (site, group, item): (&str, &str, &str),
) -> Result<(), Refusal> {
    let is_same = |w: &&Waiting| w.site == site && w.group == group && w.item == item;
    let is_open = |w: &Waiting| matches!(w.state(), WaitingState::Waiting | WaitingState::Offered);
    if !places.iter().filter(is_same).any(is_open) {
        return Ok(());
    }
    Err(Refusal::precondition(
        "WAITING_ALREADY",
        "BB-7.1.1",
        "服务对象已在该站点此类服务的候补名单中，不必重复登记",
        "the applicant is on this waiting list for the item already",
    )
    .field("applicant", "waits already"))
}

fn hours(waiting: &Waiting) -> (u32, u32) {
    (
        time::minutes(&waiting.earliest).unwrap_or(0),
        time::minutes(&waiting.latest).unwrap_or(24 * 60),
    )
}

fn want_the_same(a: &Waiting, b: &Waiting) -> bool {
    a.site == b.site
        && a.group == b.group
        && a.from_on <= b.until_on
        && b.from_on <= a.until_on
        && meet(hours(a), hours(b))
}

fn named(group: SpecialGroup) -> Option<(&'static str, &'static str)> {
    Some(match group {
        SpecialGroup::Unspecified => return None,
        SpecialGroup::Elderly => ("老年人", "elderly"),
        SpecialGroup::Disabled => ("残疾人", "disabled"),
        SpecialGroup::Pregnant => ("孕妇", "pregnant"),
        SpecialGroup::Ill => ("患病人员", "ill"),
        SpecialGroup::Military => ("军人", "military"),
        SpecialGroup::Other => ("其他有困难的人员", "in difficulty"),
    })
}

#[cfg(test)]
mod tests;
