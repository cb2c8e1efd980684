//! Passports of any country, after the character set of ICAO Doc 9303.

use crate::text::{Ascii, mask_ascii};
use crate::{Error, Fault, Subject};

/// A passport's number. The issuing country is not part of it: two countries may use one number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Passport(Ascii<12>);

debug_as_mask!(Passport);

impl Passport {
    /// Parses 5 to 12 letters and digits, at least one of them a digit. Chinese passports have
    /// nine characters; ICAO Doc 9303 allows more than the nine of its machine-readable field.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `FORM_UNKNOWN`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|fault| Error::new(Subject::Passport, fault))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let number = Ascii::alphanumeric(text)?;
        if number.as_bytes().len() < 5 {
            Err(Fault::LengthWrong)
        } else if number.as_bytes().iter().any(u8::is_ascii_digit) {
            Ok(Self(number))
        } else {
            Err(Fault::FormUnknown)
        }
    }

    /// The number, upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The first and the last character: `E*******8`.
    #[must_use]
    pub fn mask(&self) -> String {
        mask_ascii(self.as_str(), 1, 1)
    }
}
