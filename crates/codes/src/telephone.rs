//! Telephone numbers of the mainland: mobile, fixed, and service hotlines, after the numbering plan
//! of 工业和信息化部《电信网编号计划》(2017). Numbers abroad, Hong Kong, Macao and Taiwan included, are not
//! covered.

mod reader;

use std::str::FromStr;

use crate::text::Ascii;
use crate::{Error, Subject};

/// What kind of telephone answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// A mobile number, which can receive text messages.
    Mobile,
    /// A fixed line with its area code.
    Fixed,
    /// A service hotline, such as 12345, 95xxx, 400 or 800; an area code before it leads to
    /// another city's.
    Hotline,
}

/// A telephone number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Telephone {
    line: Line,
    /// The area code with its leading zero; empty without one.
    area: Ascii<4>,
    number: Ascii<11>,
    extension: Ascii<6>,
}

debug_as_mask!(Telephone);

impl Telephone {
    /// Parses a number with or without +86, 0086 or 86 before it, brackets around the area code,
    /// spaces and hyphens, and an extension after 转, `ext`, `x`, `#` or, for a fixed line, a second
    /// hyphen.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `FORM_UNKNOWN`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        reader::read(text).map_err(|fault| Error::new(Subject::Telephone, fault))
    }

    /// What kind of telephone answers.
    #[must_use]
    pub const fn line(&self) -> Line {
        self.line
    }

    /// Whether text messages, such as one-time codes, can be sent to it.
    #[must_use]
    pub const fn is_mobile(&self) -> bool {
        matches!(self.line, Line::Mobile)
    }

    /// The area code with its leading zero, of a fixed line or another city's hotline.
    #[must_use]
    pub fn area_code(&self) -> Option<&str> {
        Some(self.area.as_str()).filter(|area| !area.is_empty())
    }

    /// The extension.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        Some(self.extension.as_str()).filter(|extension| !extension.is_empty())
    }

    /// The one normal form, for sealing and blind indexes: after RFC 3966 without `tel:`, such as
    /// `+8613800001234`, `+8657788886666;ext=801`, and hotlines as dialled, `12345`.
    #[must_use]
    pub fn normalized(&self) -> String {
        let (number, extension) = (self.number.as_str(), self.extension());
        let mut text = match (self.line, self.area_code()) {
            (Line::Hotline, None) => number.to_owned(),
            (_, Some(area)) => format!("+86{}{number}", &area[1..]),
            (_, None) => format!("+86{number}"),
        };
        if let Some(extension) = extension {
            text += ";ext=";
            text += extension;
        }
        text
    }

    /// As it is written and dialled in the country: `13800001234`, `0577-88886666转801`.
    #[must_use]
    pub fn national(&self) -> String {
        self.write(self.number.as_str())
    }

    /// A mobile number with its first three and last two digits, `138******34`; a fixed line with
    /// its area code and last two, `0577-******66`; a hotline whole, for it is nobody's. An
    /// extension is hidden.
    ///
    /// The usual mask keeps the last four and hides four: ten thousand candidates, which any
    /// messenger's contact search resolves. Six hidden digits are a million.
    #[must_use]
    pub fn mask(&self) -> String {
        let number = self.number.as_str();
        let shown = match self.line {
            Line::Mobile => 3,
            Line::Fixed => 0,
            Line::Hotline => return self.write(number),
        };
        let tail = number.len() - 2;
        let stars = "*".repeat(tail - shown);
        self.write(&format!("{}{stars}{}", &number[..shown], &number[tail..]))
    }

    fn write(&self, number: &str) -> String {
        let area = self
            .area_code()
            .map(|area| format!("{area}-"))
            .unwrap_or_default();
        let extension = match self.extension() {
            Some(_) if number.contains('*') => "转*".to_owned(),
            Some(extension) => format!("转{extension}"),
            None => String::new(),
        };
        format!("{area}{number}{extension}")
    }
}

impl FromStr for Telephone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}
