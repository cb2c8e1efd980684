//! Names of days, slots and seats. A slot's names its site, its day and its place in the day, so that the gate can be
//! asked for it before the database is.

use std::{fmt, str::FromStr};

use bangban_kit::refusal::Refusal;
use chrono::NaiveDate;

/// A site's day: `town-centre.2026-12-01`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DayKey {
    /// The site.
    pub site: String,
    /// The day.
    pub date: NaiveDate,
}

/// A slot: `town-centre.2026-12-01.7`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotKey {
    /// Its day.
    pub day: DayKey,
    /// Its place in the day, from 0.
    pub number: u16,
}

/// A seat: `town-centre.2026-12-01.7/0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeatKey {
    /// Its slot.
    pub slot: SlotKey,
    /// Its place in the slot, from 0.
    pub seat: u16,
}

impl fmt::Display for DayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.site, self.date)
    }
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.day, self.number)
    }
}

impl fmt::Display for SeatKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.slot, self.seat)
    }
}

/// A text that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this names no day, slot or seat")]
pub struct NoKey;

impl FromStr for DayKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let (site, date) = text.split_once('.').ok_or(NoKey)?;
        Ok(Self {
            site: site.to_owned(),
            date: date.parse().map_err(|_| NoKey)?,
        })
    }
}

impl FromStr for SlotKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let (day, number) = text.rsplit_once('.').ok_or(NoKey)?;
        let slot = Self {
            day: day.parse()?,
            number: number.parse().map_err(|_| NoKey)?,
        };
        // One name for each: `7` and not `07`.
        if slot.to_string() == text {
            Ok(slot)
        } else {
            Err(NoKey)
        }
    }
}

impl SeatKey {
    /// The seat that a stored id names.
    ///
    /// # Errors
    /// INTERNAL for what we did not write.
    pub fn parse(id: &str) -> Result<Self, Refusal> {
        let parts = id.split_once('/');
        let parsed = parts.and_then(|(slot, seat)| Some((slot.parse().ok()?, seat.parse().ok()?)));
        let (slot, seat) =
            parsed.ok_or_else(|| Refusal::internal("a seat has a name of no seat"))?;
        Ok(Self { slot, seat })
    }
}

impl DayKey {
    /// Ids of its slots and seats lie from the first, included, to the second, not included, in byte order.
    #[must_use]
    pub fn range(&self) -> (String, String) {
        (format!("{self}."), format!("{self}/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_not() {
        let text = "town-centre.2026-12-01.7/11";
        let seat = SeatKey::parse(text).expect("a seat");
        assert_eq!((seat.slot.number, seat.seat), (7, 11));
        assert_eq!(seat.to_string(), text);
        for wrong in [
            "",
            "a",
            "a.2026-12-01",
            "a.2026-13-01.1",
            "a.2026-12-01.07",
            "a.2026-12-01.x",
        ] {
            assert!(wrong.parse::<SlotKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_s_slots_and_seats_and_no_others_lie_in_its_range() {
        let day: DayKey = "a.2026-12-01".parse().expect("a day");
        let (from, to) = day.range();
        for inside in ["a.2026-12-01.0", "a.2026-12-01.99/3"] {
            assert!(from.as_str() <= inside && inside < to.as_str(), "{inside}");
        }
        for outside in ["a.2026-12-02.0", "a-b.2026-12-01.0", "a.2026-12-01"] {
            assert!(
                !(from.as_str() <= outside && outside < to.as_str()),
                "{outside}"
            );
        }
    }
}
