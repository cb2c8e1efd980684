//! What a template and an exception must be before they are put down (BB-9.2b).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    directory::v1::OpeningHours,
    scheduling::v1::{Exception, ExceptionKind, Hours, Template, WeeklyHours},
};
use chrono::NaiveDate;

use super::{
    plan::{Plan, Span, is_within, meet, pieces},
    time,
};

/// Most slots of a site's day, over all groups.
pub const MAX_SLOTS: usize = 200;

/// Whether a template can be put down in the place of the one with its id, beside all others of its site.
///
/// # Errors
/// DATE_IMPOSSIBLE, DATES_REVERSED (BB-8d); TIMES_REVERSED, TEMPLATE_OVERLAPS, OUTSIDE_OPENING_HOURS, SLOTS_TOO_MANY
/// (BB-9.2b); RESERVED_ABOVE_CAPACITY (BB-7.1.1).
pub fn check(
    template: &Template,
    others: &[Template],
    opening: &[OpeningHours],
) -> Result<(), Refusal> {
    let from = time::date("template.valid_from", &template.valid_from)?;
    if !template.valid_until.is_empty() {
        let until = time::date("template.valid_until", &template.valid_until)?;
        if until < from {
            return Err(Refusal::invalid(
                "DATES_REVERSED",
                "BB-8d",
                "结束日期早于开始日期",
                "the last day lies before the first",
            )
            .field("template.valid_until", "before the first day"));
        }
    }
    for (at, weekly) in template.weekly.iter().enumerate() {
        let field = format!("template.weekly[{at}].hours");
        let span = checked(&field, &hours(weekly))?;
        if !is_within(opening, weekly.weekday, span) {
            return Err(outside(&field, weekly));
        }
        let before = &template.weekly[..at];
        if before.iter().any(|other| overlap(weekly, other)) {
            return Err(overlaps(&field, weekly));
        }
    }
    let meeting: Vec<&Template> = others
        .iter()
        .filter(|other| other.id != template.id && are_together(template, other))
        .collect();
    for (at, weekly) in template.weekly.iter().enumerate() {
        let mut same = meeting.iter().filter(|other| other.group == template.group);
        if same.any(|other| other.weekly.iter().any(|other| overlap(weekly, other))) {
            return Err(overlaps(&format!("template.weekly[{at}].hours"), weekly));
        }
    }
    for weekday in 1..=7 {
        let all = std::iter::once(template).chain(meeting.iter().copied());
        let count: usize = all
            .flat_map(|t| t.weekly.iter().filter(|w| w.weekday == weekday))
            .map(|weekly| pieces(&hours(weekly)).len())
            .sum();
        few(count, "template.weekly")?;
    }
    Ok(())
}

/// Whether an exception can be put down in the place of the one with its id. `plan` is that of its site.
///
/// # Errors
/// DATE_IMPOSSIBLE (BB-8d); EXCEPTION_INCOMPLETE, DAY_PAST, TIMES_REVERSED, EXCEPTION_OVERLAPS, SLOTS_TOO_MANY
/// (BB-9.2b); RESERVED_ABOVE_CAPACITY (BB-7.1.1); INTERNAL for a day that the calendar does not have.
pub fn check_exception(
    exception: &Exception,
    plan: &Plan<'_>,
    today: NaiveDate,
) -> Result<(), Refusal> {
    let date = time::date("exception.date", &exception.date)?;
    if date < today {
        return Err(Refusal::precondition(
            "DAY_PAST",
            "BB-9.2b",
            "该日期已过，请选择以后的日期",
            "this day is over: choose a later one",
        )
        .field("exception.date", "is over"));
    }
    // What it takes the place of is not in its way.
    let others = plan.exceptions.iter().filter(|e| e.id != exception.id);
    let others: Vec<Exception> = others.cloned().collect();
    let plan = &Plan {
        exceptions: &others,
        ..*plan
    };
    match exception.kind() {
        ExceptionKind::ExtraHours => extra(exception, plan, date),
        ExceptionKind::MakeUpDay if !(1..=7).contains(&exception.follows_weekday) => {
            Err(incomplete(
                "exception.follows_weekday",
                "调休上班须指明按星期几的时段安排",
                "a make-up day says whose hours it has",
            ))
        }
        ExceptionKind::Closure => {
            for (at, closed) in exception.closed.iter().enumerate() {
                let field = format!("exception.closed[{at}].to");
                time::span(&field, &closed.from, &closed.to)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn extra(exception: &Exception, plan: &Plan<'_>, date: NaiveDate) -> Result<(), Refusal> {
    if exception.hours.is_empty() || exception.group.is_empty() {
        return Err(incomplete(
            "exception.hours",
            "加班须指明服务类别和时段",
            "extra hours name their group and their hours",
        ));
    }
    let there = plan.slots(date)?;
    let of_group = there.iter().filter(|slot| slot.group == exception.group);
    let mut taken: Vec<Span> = of_group
        .map(|slot| {
            let minute = |at| time::local(time::of(at)).1;
            let from = minute(slot.starts_at.as_ref());
            let length = time::of(slot.ends_at.as_ref()) - time::of(slot.starts_at.as_ref());
            (
                from,
                from + u32::try_from(length.num_minutes()).unwrap_or_default(),
            )
        })
        .collect();
    let mut count = there.len();
    for (at, hours) in exception.hours.iter().enumerate() {
        let field = format!("exception.hours[{at}]");
        let span = checked(&field, hours)?;
        if taken.iter().any(|other| meet(span, *other)) {
            return Err(Refusal::precondition(
                "EXCEPTION_OVERLAPS",
                "BB-9.2b",
                format!("加班时段 {}—{} 与已有时段重叠", hours.from, hours.to),
                format!(
                    "the extra hours {} to {} overlap what is there",
                    hours.from, hours.to
                ),
            )
            .field(field, "overlaps"));
        }
        taken.push(span);
        count += pieces(hours).len();
    }
    few(count, "exception.hours")
}

fn hours(weekly: &WeeklyHours) -> Hours {
    weekly.hours.clone().unwrap_or_default()
}

/// Their span, when they are right in themselves.
fn checked(field: &str, hours: &Hours) -> Result<Span, Refusal> {
    let span = time::span(&format!("{field}.to"), &hours.from, &hours.to)?;
    reserved(field, hours.reserved, hours.capacity)?;
    Ok(span)
}

/// # Errors
/// RESERVED_ABOVE_CAPACITY (BB-7.1.1).
pub fn reserved(field: &str, reserved: u32, capacity: u32) -> Result<(), Refusal> {
    if reserved <= capacity {
        return Ok(());
    }
    Err(Refusal::invalid(
        "RESERVED_ABOVE_CAPACITY",
        "BB-7.1.1",
        format!("为特殊群体预留的 {reserved} 个号源超过该时段总数 {capacity} 个"),
        format!("{reserved} seats are reserved for special groups, and there are only {capacity}"),
    )
    .field(field, "more reserved than there are"))
}

fn overlap(a: &WeeklyHours, b: &WeeklyHours) -> bool {
    let span = |w: &WeeklyHours| {
        let hours = w.hours.as_ref()?;
        Some((time::minutes(&hours.from)?, time::minutes(&hours.to)?))
    };
    a.weekday == b.weekday && span(a).zip(span(b)).is_some_and(|(a, b)| meet(a, b))
}

/// Whether there is a day on which both are valid.
fn are_together(a: &Template, b: &Template) -> bool {
    let ends_before =
        |a: &Template, b: &Template| !a.valid_until.is_empty() && a.valid_until < b.valid_from;
    a.site == b.site && !ends_before(a, b) && !ends_before(b, a)
}

fn few(count: usize, field: &str) -> Result<(), Refusal> {
    if count <= MAX_SLOTS {
        return Ok(());
    }
    Err(Refusal::invalid(
        "SLOTS_TOO_MANY",
        "BB-9.2b",
        format!("一天共 {count} 个时段，超过上限 {MAX_SLOTS} 个；请加长时段"),
        format!("a day would have {count} slots, more than {MAX_SLOTS}: make them longer"),
    )
    .field(field, "too many slots"))
}

fn overlaps(field: &str, weekly: &WeeklyHours) -> Refusal {
    let (zh, en) = named(weekly);
    Refusal::invalid(
        "TEMPLATE_OVERLAPS",
        "BB-9.2b",
        format!("{zh} 与同一类别的其他时段重叠；请调整后再提交"),
        format!("{en} overlaps other hours of the group: change one of them"),
    )
    .field(field, "overlaps")
}

fn outside(field: &str, weekly: &WeeklyHours) -> Refusal {
    let (zh, en) = named(weekly);
    Refusal::precondition(
        "OUTSIDE_OPENING_HOURS",
        "BB-9.2b",
        format!("{zh} 不在站点开放时间内；请先调整开放时间，或作为加班登记"),
        format!(
            "{en} is not within the opening hours: change these first, or put down extra hours"
        ),
    )
    .field(field, "outside the opening hours")
}

fn named(weekly: &WeeklyHours) -> (String, String) {
    let hours = hours(weekly);
    let day = usize::try_from(weekly.weekday.saturating_sub(1)).unwrap_or(0) % 7;
    let zh = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"][day];
    let en = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ][day];
    let (from, to) = (&hours.from, &hours.to);
    (format!("{zh} {from}—{to}"), format!("{en} {from} to {to}"))
}

fn incomplete(field: &str, zh: &str, en: &str) -> Refusal {
    Refusal::invalid("EXCEPTION_INCOMPLETE", "BB-9.2b", zh, en).field(field, "missing")
}

#[cfg(test)]
mod tests;
