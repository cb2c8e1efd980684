//! Whether a slot can be had at all, before anybody asks whether a seat of it is free.

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::scheduling::v1::Slot;
use chrono::{DateTime, NaiveDate, Utc};

use super::{outside::today, time};

/// What is known of a slot that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its day.
    pub date: NaiveDate,
    /// Whether the day is published.
    pub is_published: bool,
    /// When it starts and whether it is closed; none where there is no such slot.
    pub slot: Option<(DateTime<Utc>, bool)>,
}

/// Whether it can be had.
///
/// # Errors
/// DAY_PAST, DAY_UNPUBLISHED, SLOT_UNKNOWN, SLOT_CLOSED, SLOT_PAST (BB-9.2b).
pub fn open(wanted: &Wanted, now: DateTime<Utc>) -> Result<(), Refusal> {
    if wanted.date < today(now) {
        return Err(day_past("slot"));
    }
    if !wanted.is_published {
        return Err(day_unpublished("slot"));
    }
    let Some((starts_at, is_closed)) = wanted.slot else {
        return Err(unknown());
    };
    if is_closed {
        return Err(Refusal::precondition(
            "SLOT_CLOSED",
            "BB-9.2b",
            "该时段已停止预约，请选择其他时段",
            "no more appointments are given at this time: choose another",
        )
        .field("slot", "closed"));
    }
    if starts_at <= now {
        return Err(past());
    }
    Ok(())
}

/// Whether seats of a slot were reserved until now, so that they are everybody's (BB-7.1.1).
#[must_use]
pub fn is_lifted(slot: &Slot, now: DateTime<Utc>) -> bool {
    slot.reserved > 0
        && slot
            .reserved_until
            .is_some_and(|until| time::of(Some(&until)) <= now)
}

/// SLOT_PAST (BB-9.2b).
#[must_use]
pub fn past() -> Refusal {
    Refusal::precondition(
        "SLOT_PAST",
        "BB-9.2b",
        "该时段已开始或已过，请选择以后的时段",
        "this time has begun: choose a later one",
    )
    .field("slot", "has begun")
}

/// SLOT_UNKNOWN (BB-9.2b).
#[must_use]
pub fn unknown() -> Refusal {
    Refusal::not_found(
        "SLOT_UNKNOWN",
        "BB-9.2b",
        "没有该预约时段，请查询可约时段后选择",
        "there is no such time: look up what is free, and choose",
    )
    .field("slot", "unknown")
}

/// DAY_PAST (BB-9.2b).
#[must_use]
pub fn day_past(field: &str) -> Refusal {
    Refusal::precondition(
        "DAY_PAST",
        "BB-9.2b",
        "该日期已过，请选择以后的日期",
        "this day is over: choose a later one",
    )
    .field(field, "is over")
}

/// DAY_UNPUBLISHED (BB-9.2b).
#[must_use]
pub fn day_unpublished(field: &str) -> Refusal {
    Refusal::precondition(
        "DAY_UNPUBLISHED",
        "BB-9.2b",
        "该日期尚未开放预约，请选择已开放的日期",
        "this day cannot be booked yet: choose one that is published",
    )
    .field(field, "not published")
}

/// SITE_UNKNOWN (BB-1).
#[must_use]
pub fn site_unknown(site: &str) -> Refusal {
    Refusal::not_found(
        "SITE_UNKNOWN",
        "BB-1",
        format!("没有服务站点 {site}，或不在您的管辖范围内"),
        format!("there is no site {site:?}, or it is not in your scope"),
    )
    .field("site", "unknown")
}

/// ITEM_NOT_PUBLISHED (BB-7.2).
#[must_use]
pub fn not_published(item: &str) -> Refusal {
    Refusal::not_found(
        "ITEM_NOT_PUBLISHED",
        "BB-7.2",
        format!("事项 {item} 未在目录中公布或当前未生效"),
        format!("the item {item} is not published, or not in force today"),
    )
    .field("item", "not published")
}
