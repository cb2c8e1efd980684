//! Resident identity numbers, GB 11643-1999: six digits of region, eight of birth, three of
//! sequence (odd for men, even for women), and an ISO 7064 MOD 11-2 check character.

use chrono::{Datelike, NaiveDate};

use crate::check;
use crate::region::RegionCode;
use crate::text::{Ascii, ascii_str, digits_only, mask_ascii, number};
use crate::{Error, Fault, Subject};

/// Births before this year are typing errors, not persons.
const EARLIEST_BIRTH_YEAR: i32 = 1800;

/// Sex as an identity number states it (GB/T 2261.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// Male: an odd sequence number.
    Male,
    /// Female: an even sequence number.
    Female,
}

impl Sex {
    /// The sex in Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }
}

/// A resident identity number (公民身份号码) of 18 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResidentId(Number);

debug_as_mask!(ResidentId);

impl ResidentId {
    /// Parses 18 characters; `x` is upper-cased, full-width characters and white space are
    /// normalised. `today` bounds the date of birth.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `REGION_UNKNOWN_FORM`, `DATE_IMPOSSIBLE`,
    /// `DATE_IN_FUTURE`, `CHECKSUM_MISMATCH`; `DOCUMENT_VOID` for 15 digits;
    /// `DOCUMENT_KIND_MISMATCH` for the 18-digit numbers of residence permits (81, 82, 83) and of
    /// foreigners (9).
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, Error> {
        Self::read(text, today).map_err(Self::refused)
    }

    /// Parses a number of an old record: 18 characters as [`ResidentId::parse`] does, or the 15
    /// digits of GB 11643-1989, void since 2013-01-01, which become the 18 they were replaced by.
    ///
    /// The century of 15 digits is 19, or 18 for the sequence numbers 996 to 999, which were kept
    /// for centenarians. Police stations gave some people with clashing numbers another one, so the
    /// result leads to a person but does not prove one.
    ///
    /// # Errors
    /// As [`ResidentId::parse`], without `DOCUMENT_VOID`.
    pub fn parse_historical(text: &str, today: NaiveDate) -> Result<Self, Error> {
        match Ascii::<18>::digits(text) {
            Ok(digits) if digits.as_bytes().len() == 15 => {
                let upgraded = upgrade(digits.as_bytes());
                Self::check(upgraded, today).map_err(Self::refused)
            }
            _ => Self::parse(text, today),
        }
    }

    fn read(text: &str, today: NaiveDate) -> Result<Self, Fault> {
        let text = Ascii::<18>::alphanumeric(text)?;
        let bytes = text.as_bytes();
        if bytes.len() == 15 && digits_only(bytes).is_ok() {
            return Err(Fault::DocumentVoid);
        }
        Self::check(bytes.try_into().map_err(|_| Fault::LengthWrong)?, today)
    }

    fn check(bytes: [u8; 18], today: NaiveDate) -> Result<Self, Fault> {
        let number = Number::check(bytes, today)?;
        match &bytes[..2] {
            b"81" | b"82" | b"83" => Err(Fault::DocumentKindMismatch),
            [b'9', _] => Err(Fault::DocumentKindMismatch),
            [b'1'..=b'7', b'1'..=b'9'] | b"50" => Ok(Self(number)),
            _ => Err(Fault::RegionUnknownForm),
        }
    }

    const fn refused(fault: Fault) -> Error {
        Error::new(Subject::ResidentId, fault)
    }

    /// The 18 characters: the normal form, to be sealed or indexed, never logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The date of birth.
    #[must_use]
    pub fn birth_date(&self) -> NaiveDate {
        self.0.birth_date()
    }

    /// The sex.
    #[must_use]
    pub const fn sex(&self) -> Sex {
        self.0.sex()
    }

    /// Full years (周岁) completed on `date`; none before birth. A year is completed on the
    /// birthday, for those born on 29 February on 1 March of common years.
    #[must_use]
    pub fn age_on(&self, date: NaiveDate) -> Option<u32> {
        date.years_since(self.birth_date())
    }

    /// Where the number was first given; none if the region part is irregular. It says nothing
    /// about where the person lives, and the code may have been abolished.
    #[must_use]
    pub fn issued_in(&self) -> Option<RegionCode> {
        RegionCode::from_statistical(ascii_str(&self.0.0[..6])).ok()
    }

    /// The first and the last character: `1****************X`.
    ///
    /// The usual masks that keep the first three or six and the last four leave region, or
    /// sequence and check character; with a name and an age group that is enough to rebuild the
    /// number. A mask is shown and stored without a seal, so it keeps no more than tells two
    /// numbers of one household apart.
    #[must_use]
    pub fn mask(&self) -> String {
        self.0.mask()
    }
}

/// The 18 characters shared by all numbers formed after GB 11643: a birth date in the seventh to
/// fourteenth place, the sex in the seventeenth, a MOD 11-2 check character in the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number([u8; 18]);

impl Number {
    pub(crate) fn check(bytes: [u8; 18], today: NaiveDate) -> Result<Self, Fault> {
        digits_only(&bytes[..17])?;
        if !matches!(bytes[17], b'0'..=b'9' | b'X') {
            return Err(Fault::CharacterNotAllowed);
        }
        // First, because a mistyped date is better explained as a typing error.
        if bytes[17] != check::mod_11_2(&bytes[..17]) {
            return Err(Fault::ChecksumMismatch);
        }
        let birth = date(&bytes[6..14]).ok_or(Fault::DateImpossible)?;
        if birth.year() < EARLIEST_BIRTH_YEAR {
            Err(Fault::DateImpossible)
        } else if birth > today {
            Err(Fault::DateInFuture)
        } else {
            Ok(Self(bytes))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        ascii_str(&self.0)
    }

    pub(crate) fn birth_date(&self) -> NaiveDate {
        // `check` let only real dates in.
        date(&self.0[6..14]).unwrap_or_default()
    }

    pub(crate) const fn sex(&self) -> Sex {
        if self.0[16] % 2 == 1 {
            Sex::Male
        } else {
            Sex::Female
        }
    }

    pub(crate) fn mask(&self) -> String {
        mask_ascii(self.as_str(), 1, 1)
    }
}

/// The day of eight digits `YYYYMMDD`.
fn date(digits: &[u8]) -> Option<NaiveDate> {
    let year = i32::try_from(number(&digits[..4])).ok()?;
    NaiveDate::from_ymd_opt(year, number(&digits[4..6]), number(&digits[6..8]))
}

/// The 18 characters that replaced 15 digits.
fn upgrade(old: &[u8]) -> [u8; 18] {
    let century: &[u8; 2] = match &old[12..15] {
        [b'9', b'9', b'6'..=b'9'] => b"18",
        _ => b"19",
    };
    let mut new = [0; 18];
    new[..6].copy_from_slice(&old[..6]);
    new[6..8].copy_from_slice(century);
    new[8..17].copy_from_slice(&old[6..15]);
    new[17] = check::mod_11_2(&new[..17]);
    new
}
