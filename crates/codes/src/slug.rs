//! District ids: a slug that never changes, because region codes merge and move.

use std::fmt;
use std::str::FromStr;

use crate::text::Ascii;
use crate::{Error, Fault, Subject};

/// A district's id: `[a-z][a-z0-9-]{1,30}[a-z0-9]`. Also a valid DNS label (RFC 1123), so that it
/// can name a Kubernetes object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistrictId(Ascii<32>);

impl DistrictId {
    /// Parses an id. It is written by machines, so nothing is trimmed or folded.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `FORM_UNKNOWN` (a wrong first or last
    /// character).
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text.as_bytes()).map_err(|fault| Error::new(Subject::DistrictId, fault))
    }

    fn read(text: &[u8]) -> Result<Self, Fault> {
        match text.len() {
            0 => return Err(Fault::Empty),
            3..=32 => {}
            _ => return Err(Fault::LengthWrong),
        }
        let mut id = Ascii::new();
        for &byte in text {
            if !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') {
                return Err(Fault::CharacterNotAllowed);
            }
            id.push(byte)?;
        }
        if !text[0].is_ascii_lowercase() || text[text.len() - 1] == b'-' {
            return Err(Fault::FormUnknown);
        }
        Ok(Self(id))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for DistrictId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl AsRef<str> for DistrictId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for DistrictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for DistrictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistrictId({self})")
    }
}
