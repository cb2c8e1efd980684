//! The slots that a day of a site should have: weekly templates on the working days of the district's calendar, within
//! the site's opening hours, and exceptions on top (BB-9.2b).
//!
//! A holiday makes no slots; a make-up working day those of the weekday that an exception names, or of Monday. Of two
//! exceptions that meet the one that was put down later holds.

use std::collections::BTreeSet;

use bangban_calendar::Calendar;
use bangban_kit::refusal::Refusal;
use bangban_limits::time::timestamp;
use bangban_proto::bangban::{
    directory::v1::OpeningHours,
    scheduling::v1::{Exception, ExceptionKind, Hours, Slot, Template},
};
use chrono::{Datelike as _, NaiveDate, TimeDelta};

use super::time;

/// The weekday whose hours a make-up working day has where nobody says otherwise.
const MONDAY: u32 = 1;

/// A part of a day: minutes since midnight, the end not included.
pub type Span = (u32, u32);

/// What makes the days of a site.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The site's id.
    pub site: &'a str,
    /// Its templates, of all groups.
    pub templates: &'a [Template],
    /// Its exceptions, in the order in which they were put down.
    pub exceptions: &'a [Exception],
    /// When it is open.
    pub opening: &'a [OpeningHours],
    /// The district's calendar.
    pub calendar: &'a Calendar,
}

/// A slot before it has an id.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    span: Span,
    hours: &'a Hours,
    is_extra: bool,
}

/// Whether two parts of a day meet.
#[must_use]
pub fn meet(a: Span, b: Span) -> bool {
    a.0 < b.1 && b.0 < a.1
}

/// The spans of the slots that hours make. Minutes that fill no slot are not used; hours that are none make none.
#[must_use]
pub fn pieces(hours: &Hours) -> Vec<Span> {
    let (Some(from), Some(to)) = (time::minutes(&hours.from), time::minutes(&hours.to)) else {
        return Vec::new();
    };
    let length = hours.slot_minutes.max(1);
    (0..to.saturating_sub(from) / length)
        .map(|n| (from + n * length, from + (n + 1) * length))
        .collect()
}

/// Whether a part of a day lies within opening hours of a weekday; hours that touch each other are one.
#[must_use]
pub fn is_within(opening: &[OpeningHours], weekday: u32, span: Span) -> bool {
    let mut open: Vec<Span> = opening
        .iter()
        .filter(|hours| hours.weekday == weekday)
        .filter_map(|h| Some((time::minutes(&h.opens)?, time::minutes(&h.closes)?)))
        .collect();
    open.sort_unstable();
    let mut reached = span.0;
    for (opens, closes) in open {
        if opens <= reached && reached < closes {
            reached = closes;
        }
    }
    reached >= span.1
}

impl<'a> Plan<'a> {
    /// The slots of a day by their start, then by group, without ids.
    ///
    /// # Errors
    /// INTERNAL for a day that the calendar does not have.
    pub fn slots(&self, date: NaiveDate) -> Result<Vec<Slot>, Refusal> {
        let weekday = self.weekday(date)?;
        let templates = self.templates.iter().map(|t| t.group.as_str());
        let extra = self.exceptions.iter().map(|e| e.group.as_str());
        let groups: BTreeSet<&str> = templates.chain(extra).filter(|g| !g.is_empty()).collect();
        let mut slots = Vec::new();
        for group in groups {
            for piece in self.pieces(group, date, weekday) {
                slots.push((piece.span, self.slot(group, date, &piece)));
            }
        }
        slots.sort_by(|(a, one), (b, other)| (a, &one.group).cmp(&(b, &other.group)));
        Ok(slots.into_iter().map(|(_, slot)| slot).collect())
    }

    /// Whether the site serves a group at that time of that day, whatever appointments it gives.
    ///
    /// # Errors
    /// INTERNAL for a day that the calendar does not have.
    pub fn serves(&self, group: &str, date: NaiveDate, span: Span) -> Result<bool, Refusal> {
        let within = |weekday| is_within(self.opening, weekday, span);
        let mut regular = self.weekday(date)?.is_some_and(within);
        let mut extra = false;
        for exception in self.exceptions_of(group, date) {
            match exception.kind() {
                ExceptionKind::Holiday => (regular, extra) = (false, false),
                ExceptionKind::Closure if closes(exception, span) => {
                    (regular, extra) = (false, false);
                }
                ExceptionKind::MakeUpDay => regular = within(exception.follows_weekday),
                ExceptionKind::ExtraHours => {
                    let mut spans = exception.hours.iter().flat_map(pieces);
                    extra |= exception.group == group && spans.any(|piece| piece == span);
                }
                ExceptionKind::Closure | ExceptionKind::Unspecified => {}
            }
        }
        Ok(regular || extra)
    }

    /// The weekday whose hours apply by the calendar; none where offices rest.
    fn weekday(&self, date: NaiveDate) -> Result<Option<u32>, Refusal> {
        if !self.calendar.is_working(date).map_err(Refusal::internal)? {
            return Ok(None);
        }
        let weekday = date.weekday().number_from_monday();
        Ok(Some(if weekday > 5 { MONDAY } else { weekday }))
    }

    fn exceptions_of(&self, group: &str, date: NaiveDate) -> impl Iterator<Item = &'a Exception> {
        let date = date.to_string();
        self.exceptions
            .iter()
            .filter(move |e| e.date == date && (e.group.is_empty() || e.group == group))
    }

    fn pieces(&self, group: &str, date: NaiveDate, weekday: Option<u32>) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        if let Some(weekday) = weekday {
            self.add_weekly(&mut pieces, group, date, weekday);
        }
        for exception in self.exceptions_of(group, date) {
            match exception.kind() {
                ExceptionKind::Holiday => pieces.clear(),
                ExceptionKind::Closure => pieces.retain(|piece| !closes(exception, piece.span)),
                ExceptionKind::MakeUpDay => {
                    pieces.retain(|piece| piece.is_extra);
                    self.add_weekly(&mut pieces, group, date, exception.follows_weekday);
                }
                ExceptionKind::ExtraHours if exception.group == group => {
                    add(&mut pieces, &exception.hours, true);
                }
                ExceptionKind::ExtraHours | ExceptionKind::Unspecified => {}
            }
        }
        pieces
    }

    fn add_weekly(&self, to: &mut Vec<Piece<'a>>, group: &str, date: NaiveDate, weekday: u32) {
        let date = date.to_string();
        for template in self.templates {
            let is_valid = template.valid_from <= date
                && (template.valid_until.is_empty() || date <= template.valid_until);
            if template.group != group || !is_valid {
                continue;
            }
            let mut weekly = Vec::new();
            let hours = template.weekly.iter().filter(|w| w.weekday == weekday);
            add(&mut weekly, hours.filter_map(|w| w.hours.as_ref()), false);
            // Opening hours may have changed since the template was put down.
            weekly.retain(|piece| is_within(self.opening, weekday, piece.span));
            for piece in weekly {
                push(to, piece);
            }
        }
    }

    fn slot(&self, group: &str, date: NaiveDate, piece: &Piece<'_>) -> Slot {
        let starts_at = time::at(date, piece.span.0);
        let reserved = piece.hours.reserved.min(piece.hours.capacity);
        let until = TimeDelta::minutes(piece.hours.reserved_until_minutes.into());
        Slot {
            site: self.site.to_owned(),
            group: group.to_owned(),
            date: date.to_string(),
            starts_at: Some(timestamp(starts_at)),
            ends_at: Some(timestamp(time::at(date, piece.span.1))),
            capacity: piece.hours.capacity,
            reserved,
            reserved_until: (reserved > 0).then(|| timestamp(starts_at - until)),
            ..Slot::default()
        }
    }
}

fn add<'a>(to: &mut Vec<Piece<'a>>, hours: impl IntoIterator<Item = &'a Hours>, is_extra: bool) {
    for hours in hours {
        for span in pieces(hours) {
            push(
                to,
                Piece {
                    span,
                    hours,
                    is_extra,
                },
            );
        }
    }
}

/// Two slots of a group never overlap: what is there stays.
fn push<'a>(to: &mut Vec<Piece<'a>>, piece: Piece<'a>) {
    if !to.iter().any(|there| meet(there.span, piece.span)) {
        to.push(piece);
    }
}

/// Whether a closure takes a part of the day: any of it that is closed takes the whole.
fn closes(closure: &Exception, span: Span) -> bool {
    let of = |part: &bangban_proto::bangban::scheduling::v1::Span| {
        Some((time::minutes(&part.from)?, time::minutes(&part.to)?))
    };
    closure.closed.is_empty()
        || closure
            .closed
            .iter()
            .filter_map(of)
            .any(|closed| meet(closed, span))
}

#[cfg(test)]
pub(super) mod tests;
