//! A clock's stops in local time, sorted.

use chrono::NaiveDateTime;

use crate::SHANGHAI;
use crate::clock::Clock;
use crate::error::Error;

/// One stop in local time and its position in the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: NaiveDateTime,
    pub(crate) to: Option<NaiveDateTime>,
    pub(crate) index: usize,
}

/// Sorted by beginning.
pub(crate) struct Stops(Vec<Span>);

impl Stops {
    pub(crate) fn of(clock: &Clock) -> Result<Self, Error> {
        let mut spans = Vec::with_capacity(clock.stops.len());
        for (index, stop) in clock.stops.iter().enumerate() {
            if let Some(to) = stop.to.filter(|to| *to < stop.from) {
                return Err(Error::BackwardStop {
                    from: stop.from,
                    to,
                });
            }
            let local = |at: chrono::DateTime<chrono::FixedOffset>| {
                at.with_timezone(&SHANGHAI).naive_local()
            };
            spans.push(Span {
                from: local(stop.from),
                to: stop.to.map(local),
                index,
            });
        }
        spans.sort_by_key(|span| (span.from, span.to));
        Ok(Self(spans))
    }

    /// The stop that stood in any part of `from..to`; one that is still open goes first, then the earliest.
    pub(crate) fn within(&self, from: NaiveDateTime, to: NaiveDateTime) -> Option<Span> {
        let mut found = None;
        for span in &self.0 {
            if span.from >= to {
                break;
            }
            match span.to {
                None => return Some(*span),
                Some(end) if span.from < end && from < end => found = found.or(Some(*span)),
                Some(_) => {}
            }
        }
        found
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Span> {
        self.0.iter()
    }
}
