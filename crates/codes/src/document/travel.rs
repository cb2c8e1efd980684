//! Mainland travel permits of residents of Hong Kong, Macao and Taiwan. Their numbers have no check
//! character.

use crate::text::{Ascii, digits_only, fold, limit, mask_ascii};
use crate::{Error, Fault, Subject};

/// 港澳居民来往内地通行证, popularly 回乡证: H (Hong Kong) or M (Macao) and a lifelong number of
/// eight digits; on cards before 2013 two more digits count the renewals. Since 2024-07-10
/// permanent residents without Chinese nationality get HA or MA and seven digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HkMacaoTravelPermit(Ascii<11>);

debug_as_mask!(HkMacaoTravelPermit);

impl HkMacaoTravelPermit {
    /// Parses `H12345678`, `H1234567800` or `HA1234567` in any case.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `FORM_UNKNOWN` (another first letter).
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|fault| Error::new(Subject::HkMacaoTravelPermit, fault))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let number = Ascii::alphanumeric(text)?;
        let digits = match number.as_bytes() {
            [b'H' | b'M', b'A', digits @ ..] if digits.len() == 7 => digits,
            [b'H' | b'M', digits @ ..] if matches!(digits.len(), 8 | 10) => digits,
            [b'H' | b'M', ..] => return Err(Fault::LengthWrong),
            _ => return Err(Fault::FormUnknown),
        };
        digits_only(digits)?;
        Ok(Self(number))
    }

    /// The whole number, with the count of renewals where it has one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The nine characters that stay with the holder for life.
    #[must_use]
    pub fn lifelong(&self) -> &str {
        self.0.prefix(9)
    }

    /// The first and the last character of the lifelong part: `H*******8`.
    #[must_use]
    pub fn mask(&self) -> String {
        mask_ascii(self.lifelong(), 1, 1)
    }
}

/// 台湾居民来往大陆通行证, popularly 台胞证: a lifelong number of eight digits; on older booklets two
/// more digits count the renewals and a bracketed character names the office.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaiwanTravelPermit(Ascii<10>);

debug_as_mask!(TaiwanTravelPermit);

impl TaiwanTravelPermit {
    /// Parses `12345678`, `1234567801` or `1234567801(B)`; the bracket is dropped.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`. Permits for a single entry, which have
    /// numbers of their own, are refused.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|fault| Error::new(Subject::TaiwanTravelPermit, fault))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        limit(text)?;
        let (text, has_office) = without_office(text)?;
        let number = Ascii::digits(text)?;
        match (number.as_bytes().len(), has_office) {
            (8, false) | (10, _) => Ok(Self(number)),
            _ => Err(Fault::LengthWrong),
        }
    }

    /// The whole number, with the count of renewals where it has one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The eight digits that stay with the holder for life.
    #[must_use]
    pub fn lifelong(&self) -> &str {
        self.0.prefix(8)
    }

    /// The first and the last digit of the lifelong part: `1******8`.
    #[must_use]
    pub fn mask(&self) -> String {
        mask_ascii(self.lifelong(), 1, 1)
    }
}

/// The text before a bracketed office at its end, and whether there was one.
fn without_office(text: &str) -> Result<(&str, bool), Fault> {
    let text = text.trim();
    let Some(open) = text.find(|c| fold(c) == '(') else {
        return Ok((text, false));
    };
    let mut office = text[open..]
        .chars()
        .map(fold)
        .skip(1)
        .filter(|c| !c.is_whitespace());
    match (office.next(), office.next(), office.next()) {
        (Some(c), Some(')'), None) if c.is_ascii_alphanumeric() => Ok((&text[..open], true)),
        _ => Err(Fault::CharacterNotAllowed),
    }
}
