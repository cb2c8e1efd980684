//! Postal codes: six digits, GB/T 7416 and the ranges China Post assigns to provinces.

use std::fmt;
use std::str::FromStr;

use crate::text::{Ascii, ascii_str, number};
use crate::{Error, Fault, Subject};

/// A postal code. The first two digits are a province's; 99 is Hong Kong, Macao and Taiwan as
/// China Post addresses them (999077 to 999079).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostalCode([u8; 6]);

impl PostalCode {
    /// Parses six digits, full-width or not.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `REGION_UNKNOWN_FORM` (the first two
    /// digits belong to no province).
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = |fault| Error::new(Subject::PostalCode, fault);
        let code = Ascii::<6>::digits(text).map_err(refused)?;
        let code: [u8; 6] = code
            .as_bytes()
            .try_into()
            .map_err(|_| refused(Fault::LengthWrong))?;
        if is_assigned(number(&code[..2])) {
            Ok(Self(code))
        } else {
            Err(refused(Fault::RegionUnknownForm))
        }
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii_str(&self.0)
    }
}

/// Whether a pair of first digits is assigned to a province.
const fn is_assigned(pair: u32) -> bool {
    matches!(
        pair,
        1..=7 | 10..=13 | 15..=16 | 20..=27 | 30..=36 | 40..=47 | 51..=57 | 61..=67 | 71..=75
            | 81 | 83..=85 | 99
    )
}

impl FromStr for PostalCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for PostalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PostalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostalCode({self})")
    }
}
