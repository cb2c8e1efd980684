//! What the gate is asked about: a day of a site, a slot of it, a seat of that.

use std::sync::Arc;

use chrono::NaiveDate;

/// One day of one site: what the gate keeps, rebuilds and audits as a whole. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(Arc<str>);

impl Day {
    /// The day `on` of a site of a district. Both ids are slugs or UUIDs; a brace in one is refused by
    /// [`crate::Error::Braces`], because it would change where a Redis Cluster keeps the day.
    pub fn new(district: &str, site: &str, on: NaiveDate) -> Result<Self, crate::Error> {
        if [district, site].iter().any(|id| id.contains(['{', '}'])) {
            return Err(crate::Error::Braces);
        }
        Ok(Self(format!("{{{district}:{site}:{on}}}").into()))
    }

    /// The key in Redis. All of it is a hash tag, so that one day lies on one master.
    pub fn key(&self) -> &str {
        &self.0
    }
}

/// Which seat of a day: the slot's number and the seat's number in it.
///
/// Slots of a day are numbered from 0 by publication. A number is never given to another slot later, so that what the
/// gate knows of a slot is never taken for what it knows of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The slot's number on its day.
    pub slot: u16,
    /// The seat's number in its slot, below the slot's capacity.
    pub seat: u16,
}

/// Who asks: seats below a slot's `reserved` are for special groups only (BB-7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Anybody: sees the seats that are not reserved.
    Ordinary,
    /// Somebody of a special group: sees all seats and is given reserved ones first.
    Special,
}
