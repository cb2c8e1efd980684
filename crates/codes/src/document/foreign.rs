//! Identity cards of foreigners with permanent residence, in the form of 2023 and the one before.

use chrono::NaiveDate;

use crate::person::{Number, Sex};
use crate::text::{Ascii, digits_only, mask_ascii, number};
use crate::{Error, Fault, Subject};

/// 外国人永久居留身份证.
///
/// Since 2023-12-01: 9, two digits of the province applied in, three of the nationality (ISO 3166-1
/// numeric), eight of birth, three of sequence, and the check character of GB 11643. Before, and
/// valid until they expire: three letters of the nationality (ISO 3166-1 alpha-3), four digits of
/// the place applied in, six of birth, one of sequence, one check digit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForeignPermanentResidence(Form);

debug_as_mask!(ForeignPermanentResidence);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Since2023(Number),
    Before2023(Ascii<15>),
}

impl ForeignPermanentResidence {
    /// Parses either form.
    ///
    /// The check digit of the older form is not checked: its rule is not published.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `DATE_IMPOSSIBLE`; for 18 characters also
    /// `CHECKSUM_MISMATCH`, `DATE_IN_FUTURE`, and `DOCUMENT_KIND_MISMATCH` if the first is not 9.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, Error> {
        Self::read(text, today)
            .map(Self)
            .map_err(|fault| Error::new(Subject::ForeignPermanentResidence, fault))
    }

    fn read(text: &str, today: NaiveDate) -> Result<Form, Fault> {
        let text = Ascii::<18>::alphanumeric(text)?;
        match text.as_bytes() {
            bytes if bytes.len() == 15 => Self::read_before_2023(bytes),
            bytes => {
                let bytes: [u8; 18] = bytes.try_into().map_err(|_| Fault::LengthWrong)?;
                let number = Number::check(bytes, today)?;
                if bytes[0] == b'9' {
                    Ok(Form::Since2023(number))
                } else {
                    Err(Fault::DocumentKindMismatch)
                }
            }
        }
    }

    fn read_before_2023(bytes: &[u8]) -> Result<Form, Fault> {
        let (nationality, rest) = bytes.split_at(3);
        if !nationality.iter().all(u8::is_ascii_uppercase) {
            return Err(Fault::CharacterNotAllowed);
        }
        digits_only(rest)?;
        // The century is not given; a leap year lets every day of either century pass.
        if NaiveDate::from_ymd_opt(2000, number(&rest[6..8]), number(&rest[8..10])).is_none() {
            return Err(Fault::DateImpossible);
        }
        let mut text = Ascii::new();
        for &byte in bytes {
            text.push(byte)?;
        }
        Ok(Form::Before2023(text))
    }

    /// The 18 or 15 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Since2023(number) => number.as_str(),
            Form::Before2023(text) => text.as_str(),
        }
    }

    /// The date of birth; none in the older form, which does not give the century.
    #[must_use]
    pub fn birth_date(&self) -> Option<NaiveDate> {
        match &self.0 {
            Form::Since2023(number) => Some(number.birth_date()),
            Form::Before2023(_) => None,
        }
    }

    /// The sex; none in the older form.
    #[must_use]
    pub const fn sex(&self) -> Option<Sex> {
        match &self.0 {
            Form::Since2023(number) => Some(number.sex()),
            Form::Before2023(_) => None,
        }
    }

    /// The nationality as the number gives it: three digits or three letters of ISO 3166-1.
    #[must_use]
    pub fn nationality(&self) -> &str {
        match &self.0 {
            Form::Since2023(number) => &number.as_str()[3..6],
            Form::Before2023(text) => text.prefix(3),
        }
    }

    /// The first and the last character.
    #[must_use]
    pub fn mask(&self) -> String {
        mask_ascii(self.as_str(), 1, 1)
    }
}
