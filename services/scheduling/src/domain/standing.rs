//! How a person has kept appointments, and what follows from it. The first no-show is a warning and nothing else, and so is
//! the first time that is given up too late; from a number of them on booking rests for a while; who appeals goes on booking
//! until it is decided. People of special groups are exempt (BB-7.1.1), and a no-show is nobody's breach (BB-9.2b). What the
//! site gave up never counts.

use bangban_kit::refusal::Refusal;
use bangban_limits::time::{instant, timestamp};
use bangban_proto::bangban::{
    scheduling::v1::{
        Appeal, AppealDecided, AppealGround, AppealMade, Booking, BookingPolicy, BookingRested,
        CancelReason, Mark, MarkKind, MarkRecorded, Standing, StandingWarned, scheduling_act::Act,
    },
    types::v1::Actor,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{policy, time};

/// What a no-show makes of a standing: a mark, and a warning for the first or a rest from the limit on.
#[must_use]
pub fn no_show(
    standing: &Standing,
    booking: &Booking,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Vec<Act> {
    if booking.is_assisted {
        return Vec::new();
    }
    let rules = policy::filled(rules);
    let before = counted(standing, &[MarkKind::NoShow], &rules, now);
    let mut acts = vec![marked(MarkKind::NoShow, booking, now)];
    if before == 0 {
        acts.push(warned(booking));
    } else if before + 1 >= rules.no_show_limit as usize {
        acts.push(rested(&rules, now));
    }
    acts
}

/// What a cancellation makes of a standing, of a booking as it is afterwards. One in time leaves no mark, nor does one
/// that the site made; late ones count against a limit of their own.
#[must_use]
pub fn cancelled(
    standing: &Standing,
    booking: &Booking,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Vec<Act> {
    let is_theirs = booking.cancel_reason() != CancelReason::Site;
    if booking.is_assisted || !booking.is_late_cancellation || !is_theirs {
        return Vec::new();
    }
    late(MarkKind::LateCancellation, standing, booking, rules, now)
}

/// What a move makes of a standing, of a booking as it is afterwards. A late one counts as a late cancellation does: else
/// one would move first, and cancel what is far away.
#[must_use]
pub fn moved(
    standing: &Standing,
    booking: &Booking,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Vec<Act> {
    let is_late = booking.former_times.last().is_some_and(|f| f.is_late);
    if booking.is_assisted || !is_late {
        return Vec::new();
    }
    late(MarkKind::LateMove, standing, booking, rules, now)
}

/// What is marked when a time was given up too late for anybody else to use it.
const LATE: [MarkKind; 2] = [MarkKind::LateCancellation, MarkKind::LateMove];

fn late(
    kind: MarkKind,
    standing: &Standing,
    booking: &Booking,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Vec<Act> {
    let rules = policy::filled(rules);
    let before = counted(standing, &LATE, &rules, now);
    let mut acts = vec![marked(kind, booking, now)];
    if before == 0 {
        acts.push(warned(booking));
    } else if before + 1 >= rules.most_cancellations as usize {
        acts.push(rested(&rules, now));
    }
    acts
}

/// Whether somebody may book.
///
/// # Errors
/// BOOKING_RESTS (BB-9.2b), with until when.
pub fn may_book(standing: &Standing, is_assisted: bool, now: DateTime<Utc>) -> Result<(), Refusal> {
    let rests = standing.rests_until.as_ref().and_then(instant);
    let Some(until) = rests.filter(|until| now < *until && !is_assisted) else {
        return Ok(());
    };
    if standing.appeals.iter().any(|a| a.decided_at.is_none()) {
        return Ok(());
    }
    let (zh, en) = time::readable(until);
    Err(Refusal::precondition(
        "BOOKING_RESTS",
        "BB-9.2b",
        format!(
            "因多次未按约到场，或临时取消、改期，{zh} 前暂停预约；仍可到现场取号办理，如有异议可申诉"
        ),
        format!(
            "appointments were not kept, so booking rests until {en}: come without an appointment, or appeal"
        ),
    ))
}

/// What an appeal about an appointment is against that was made then: the last mark until then that is not lifted.
#[must_use]
pub fn appealed<'a>(
    standing: &'a Standing,
    booking: &str,
    made_at: DateTime<Utc>,
) -> Option<&'a Mark> {
    let mut marks = standing.marks.iter().rev();
    marks.find(|m| m.booking == booking && !m.is_lifted && time::of(m.at.as_ref()) <= made_at)
}

/// An appeal against a no-show, or a time that was given up too late.
///
/// # Errors
/// MARK_UNKNOWN, APPEAL_MADE, APPEAL_TOO_LATE (BB-9.2b).
pub fn appeal(
    standing: &Standing,
    booking: &str,
    ground: AppealGround,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Result<Act, Refusal> {
    let mark = appealed(standing, booking, now).ok_or_else(|| {
        Refusal::not_found(
            "MARK_UNKNOWN",
            "BB-9.2b",
            "没有该预约的爽约或临时取消、改期记录",
            "neither a no-show nor a late cancellation or move is on record for this appointment",
        )
        .field("booking", "no mark")
    })?;
    let is_of_it = |a: &Appeal| {
        a.booking == booking && time::of(a.made_at.as_ref()) >= time::of(mark.at.as_ref())
    };
    if standing.appeals.iter().any(is_of_it) {
        return Err(Refusal::precondition(
            "APPEAL_MADE",
            "BB-9.2b",
            "该记录已申诉，不能重复申诉",
            "an appeal was made against this mark already",
        )
        .field("booking", "appealed already"));
    }
    let days = policy::filled(rules).appeal_days;
    if now >= time::of(mark.at.as_ref()) + TimeDelta::days(days.into()) {
        return Err(Refusal::precondition(
            "APPEAL_TOO_LATE",
            "BB-9.2b",
            format!("申诉须在记录后 {days} 日内提出，期限已过"),
            format!("an appeal is made within {days} days, which are over"),
        )
        .field("booking", "too late"));
    }
    let number = u32::try_from(standing.appeals.len()).unwrap_or(u32::MAX);
    Ok(Act::AppealMade(AppealMade {
        appeal: Some(Appeal {
            number: number.saturating_add(1),
            booking: booking.to_owned(),
            ground: ground.into(),
            made_at: Some(timestamp(now)),
            ..Appeal::default()
        }),
    }))
}

/// Decides an appeal. One that is upheld lifts its mark, and with it the rest from booking, unless what is left would
/// have brought a rest about as well: then that goes on. `involved` are the subjects of who booked and who recorded.
///
/// # Errors
/// APPEAL_UNKNOWN (BB-9.2b), NOT_THE_DECIDER (BB-6.1).
pub fn decide(
    standing: &Standing,
    (number, is_upheld): (u32, bool),
    (decider, involved): (&Actor, &[&str]),
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Act>, Refusal> {
    let mut open = standing.appeals.iter().filter(|a| a.decided_at.is_none());
    let appeal = open.find(|a| a.number == number).ok_or_else(|| {
        Refusal::not_found(
            "APPEAL_UNKNOWN",
            "BB-9.2b",
            "没有待处理的该申诉",
            "no such appeal is open",
        )
        .field("number", "none is open")
    })?;
    if involved.contains(&decider.subject.as_str()) {
        return Err(Refusal::forbidden(
            "NOT_THE_DECIDER",
            "BB-6.1",
            "经办该预约的人员不能处理其申诉；请由他人处理",
            "who handled the appointment does not decide about it: let somebody else do so",
        ));
    }
    let mut acts = vec![Act::AppealDecided(AppealDecided {
        number,
        is_upheld,
        decided_by: Some(decider.clone()),
    })];
    let mark = appealed(standing, &appeal.booking, time::of(appeal.made_at.as_ref()));
    let mut left = standing.clone();
    left.marks.retain(|m| Some(m) != mark);
    if is_upheld && standing.rests_until.is_some() && reaches_limit(&left, rules, now) {
        acts.push(Act::BookingRested(BookingRested {
            until: standing.rests_until,
        }));
    }
    Ok(acts)
}

/// Whether what counts now is enough for a rest.
fn reaches_limit(standing: &Standing, rules: &BookingPolicy, now: DateTime<Utc>) -> bool {
    let rules = policy::filled(rules);
    let is_enough =
        |kinds: &[MarkKind], limit: u32| counted(standing, kinds, &rules, now) >= limit as usize;
    is_enough(&[MarkKind::NoShow], rules.no_show_limit)
        || is_enough(&LATE, rules.most_cancellations)
}

/// Marks of these kinds that count now.
fn counted(
    standing: &Standing,
    kinds: &[MarkKind],
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> usize {
    let since = now - TimeDelta::days(rules.standing_days.into());
    let counts =
        |m: &&Mark| kinds.contains(&m.kind()) && !m.is_lifted && time::of(m.at.as_ref()) > since;
    standing.marks.iter().filter(counts).count()
}

fn marked(kind: MarkKind, booking: &Booking, now: DateTime<Utc>) -> Act {
    Act::MarkRecorded(MarkRecorded {
        mark: Some(Mark {
            kind: kind.into(),
            booking: booking.id.clone(),
            at: Some(timestamp(now)),
            is_lifted: false,
        }),
    })
}

fn warned(booking: &Booking) -> Act {
    Act::StandingWarned(StandingWarned {
        booking: booking.id.clone(),
    })
}

fn rested(rules: &BookingPolicy, now: DateTime<Utc>) -> Act {
    let until = now + TimeDelta::days(rules.rest_days.into());
    Act::BookingRested(BookingRested {
        until: Some(timestamp(until)),
    })
}

#[cfg(test)]
mod tests;
