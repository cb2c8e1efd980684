//! Receipt numbers: what a citizen reads over the telephone to ask how a case stands (BB-4.2b).
//!
//! Fourteen digits, `00042-1234-5678-0`: five of the district's number, eight of serial, one of
//! check. The district's number is given once and never again, unlike region codes, which merge and
//! move; so any cell knows where to send a receipt. The serial is unique within the district by a
//! constraint of the store, gaps are allowed, and nothing is ever used again.
//!
//! The check digit is Damm's. It finds every single wrong digit and every swap of neighbours, the
//! two errors that make up most of what people do to numbers. Luhn does not find 09 for 90; a
//! weighted sum modulo 11 needs an X, which is no digit to dictate; Verhoeff finds the same as Damm
//! and takes a permutation for each place besides its table. Damm ignores leading zeros, so the
//! length is fixed: a digit too few or too many is refused by length.
//!
//! A receipt number is a name, not a key: progress is shown for it together with a proof of
//! identity, never alone.

mod serial;
mod spoken;

pub use serial::Serial;

use std::fmt;
use std::str::FromStr;

use crate::check;
use crate::text::{Ascii, limit, number};
use crate::{Error, Fault, Subject};

/// Digits of a receipt number.
const DIGITS: usize = 14;
/// How the digits are grouped: district, serial in two parts, check.
const GROUPS: [std::ops::Range<usize>; 4] = [0..5, 5..9, 9..13, 13..14];

/// A receipt number. Zero is a well-formed district number; keep it for tests and number districts
/// from 1, so that a string of zeros leads nowhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptNumber {
    district_number: u32,
    serial: u32,
}

impl ReceiptNumber {
    /// The largest number a district can have.
    pub const MAX_DISTRICT_NUMBER: u32 = 99_999;

    /// Makes a receipt number of a district's number (at most 99,999) and a serial below
    /// [`Serial::COUNT`], drawn at random or from [`Serial::scramble`].
    ///
    /// # Errors
    /// `NUMBER_OUT_OF_RANGE`.
    pub fn new(district_number: u32, serial: u64) -> Result<Self, Error> {
        let serial = u32::try_from(serial)
            .ok()
            .filter(|&serial| serial < Serial::COUNT);
        match serial {
            Some(serial) if district_number <= Self::MAX_DISTRICT_NUMBER => Ok(Self {
                district_number,
                serial,
            }),
            _ => Err(Self::refused(Fault::NumberOutOfRange)),
        }
    }

    /// Parses what was typed or dictated: digits, full-width or not, or Chinese digits (零〇一幺二两三
    /// and so on, the financial and the radio forms too), with spaces, hyphens, commas and full
    /// stops anywhere.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `CHECKSUM_MISMATCH`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(Self::refused)
    }

    fn read(text: &str) -> Result<Self, Fault> {
        limit(text)?;
        let mut digits = Ascii::<DIGITS>::new();
        let mut is_too_long = false;
        for c in text.chars() {
            match spoken::digit(c) {
                Some(digit) => is_too_long |= digits.push(digit).is_err(),
                None if spoken::is_separator(c) => {}
                None => return Err(Fault::CharacterNotAllowed),
            }
        }
        match digits.as_bytes() {
            [] => Err(Fault::Empty),
            bytes if is_too_long || bytes.len() != DIGITS => Err(Fault::LengthWrong),
            bytes if check::damm(bytes) != b'0' => Err(Fault::ChecksumMismatch),
            bytes => Ok(Self {
                district_number: number(&bytes[..5]),
                serial: number(&bytes[5..13]),
            }),
        }
    }

    const fn refused(fault: Fault) -> Error {
        Error::new(Subject::ReceiptNumber, fault)
    }

    /// The number of the district that gave it.
    #[must_use]
    pub const fn district_number(&self) -> u32 {
        self.district_number
    }

    /// The serial within the district.
    #[must_use]
    pub const fn serial(&self) -> u32 {
        self.serial
    }

    /// The fourteen digits without hyphens: the form for storage and links.
    #[must_use]
    pub fn compact(&self) -> String {
        self.digits()
            .iter()
            .map(|&digit| char::from(digit))
            .collect()
    }

    /// How it is read aloud in Chinese, with 幺 for 1 (which 一 would make sound like 七) and a pause
    /// after each group: `零零零四二，幺二三四，五六七八，零`.
    #[must_use]
    pub fn spoken_zh(&self) -> String {
        let digits = self.digits();
        let groups = GROUPS.map(|group| {
            digits[group]
                .iter()
                .map(|&digit| spoken::zh(digit))
                .collect::<String>()
        });
        groups.join("，")
    }

    fn digits(&self) -> [u8; DIGITS] {
        let mut digits = [b'0'; DIGITS];
        let value =
            u64::from(self.district_number) * u64::from(Serial::COUNT) + u64::from(self.serial);
        let mut rest = value;
        for digit in digits[..DIGITS - 1].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        digits[DIGITS - 1] = check::damm(&digits[..DIGITS - 1]);
        digits
    }
}

impl FromStr for ReceiptNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for ReceiptNumber {
    /// Grouped for reading and dictating: `00042-1234-5678-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let groups = GROUPS.map(|group| crate::text::ascii_str(&digits[group]));
        f.pad(&groups.join("-"))
    }
}

impl fmt::Debug for ReceiptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptNumber({self})")
    }
}
