//! Residence permits of Hong Kong, Macao and Taiwan residents, since 2018-09-01 (国办发〔2018〕81号).

use chrono::NaiveDate;

use crate::person::{Number, Sex};
use crate::text::Ascii;
use crate::{Error, Fault, Subject};

/// 港澳台居民居住证: a number formed after GB 11643 whose region part is 810000 (Hong Kong), 820000
/// (Macao) or 830000 (Taiwan).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HkMacaoTaiwanResidencePermit(Number);

debug_as_mask!(HkMacaoTaiwanResidencePermit);

impl HkMacaoTaiwanResidencePermit {
    /// Parses 18 characters as a resident identity number is parsed.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `CHECKSUM_MISMATCH`, `DATE_IMPOSSIBLE`,
    /// `DATE_IN_FUTURE`; `DOCUMENT_KIND_MISMATCH` for another region.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, Error> {
        Self::read(text, today)
            .map_err(|fault| Error::new(Subject::HkMacaoTaiwanResidencePermit, fault))
    }

    fn read(text: &str, today: NaiveDate) -> Result<Self, Fault> {
        let bytes = Ascii::<18>::exactly(text)?;
        let number = Number::check(bytes, today)?;
        match &bytes[..2] {
            b"81" | b"82" | b"83" => Ok(Self(number)),
            _ => Err(Fault::DocumentKindMismatch),
        }
    }

    /// The 18 characters.
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

    /// The first and the last character.
    #[must_use]
    pub fn mask(&self) -> String {
        self.0.mask()
    }
}
