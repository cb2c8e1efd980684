//! Unified social credit codes, GB 32100-2015, of enterprises, individual businesses,
//! institutions, social organisations, village committees and other bodies.

use std::str::FromStr;

use crate::check;
use crate::region::RegionCode;
use crate::text::{Ascii, ascii_str, digits_only, mask_ascii};
use crate::{Error, Fault, Subject};

/// A unified social credit code: registration department, category, six digits of region, nine
/// characters of organisation code (GB 11714), check character.
///
/// The code itself is public by law, yet that of an individual business leads to a person, so it is
/// treated like a personal number here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode([u8; 18]);

debug_as_mask!(CreditCode);

impl CreditCode {
    /// Parses 18 characters. Lower case and full-width characters are normalised.
    ///
    /// Departments and categories are not checked against a list: since 2015 more have been added
    /// than the standard names (N for rural collectives, for one). The inner check character of the
    /// organisation code is not checked either, because codes made from old registration numbers
    /// need not carry one.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `CHECKSUM_MISMATCH`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|fault| Error::new(Subject::CreditCode, fault))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let code = Ascii::<18>::exactly(text)?;
        digits_only(&code[2..8])?;
        let expected = check::mod_31(&code[..17]).ok_or(Fault::CharacterNotAllowed)?;
        if check::credit_value(code[17]).is_none() {
            Err(Fault::CharacterNotAllowed)
        } else if code[17] == expected {
            Ok(Self(code))
        } else {
            Err(Fault::ChecksumMismatch)
        }
    }

    /// The 18 characters, upper case: the normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii_str(&self.0)
    }

    /// The registration department's character, such as 9 for market supervision, 5 for civil
    /// affairs, 1 for establishment offices.
    #[must_use]
    pub const fn department(&self) -> char {
        self.0[0] as char
    }

    /// The category within the department: under 9, 1 is an enterprise, 2 an individual business,
    /// 3 a farmers' cooperative.
    #[must_use]
    pub const fn category(&self) -> char {
        self.0[1] as char
    }

    /// Whether an individual business (个体工商户) holds it.
    #[must_use]
    pub const fn is_individual_business(&self) -> bool {
        matches!(self.0, [b'9', b'2', ..])
    }

    /// Where it was registered; none for the national offices' `100000`. The code may since have
    /// been abolished.
    #[must_use]
    pub fn registered_in(&self) -> Option<RegionCode> {
        RegionCode::from_statistical(ascii_str(&self.0[2..8])).ok()
    }

    /// The organisation code of GB 11714.
    #[must_use]
    pub fn organisation_code(&self) -> &str {
        ascii_str(&self.0[8..17])
    }

    /// The first two and last four characters: `91************0Y43`. Department and category say
    /// what kind of body it is, the tail tells one from another.
    #[must_use]
    pub fn mask(&self) -> String {
        mask_ascii(self.as_str(), 2, 4)
    }
}

impl FromStr for CreditCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}
