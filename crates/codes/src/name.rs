//! Names of persons and enterprises, and addresses: one normal form, and masks for lists.

mod address;
mod mask;

pub use address::mask_address;
pub use mask::{mask_enterprise, mask_name};

use std::str::FromStr;

use crate::text::{half_width, limit};
use crate::{Error, Fault, Subject};

/// The dot between the parts of a transliterated name: U+00B7, the code GB 18030 maps A1A4 to.
const MIDDLE_DOT: char = '·';
/// The longest name, in characters; the longest names of Xinjiang and of foreigners fit.
const LENGTH_LIMIT: usize = 50;

/// A person's name in its normal form. `Debug` shows the mask.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

debug_as_mask!(PersonName);

impl PersonName {
    /// Parses a name of 1 to 50 characters, without control and invisible characters.
    ///
    /// White space around the name goes, runs of it become one space, and between or beside Chinese
    /// characters it goes altogether (`张 三` is `张三`). The dots people type in transliterated names
    /// become the middle dot. Rare characters, also of the private use area in which older systems
    /// kept them, are let in: a name is what the document says.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `FORM_UNKNOWN` (a dot at an end).
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|fault| Error::new(Subject::PersonName, fault))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        limit(text)?;
        let mut name = String::with_capacity(text.len());
        let mut count = 0;
        let mut last = '\0';
        let mut space_is_due = false;
        for c in text.trim().chars().map(normal) {
            if c == ' ' {
                space_is_due = true;
                continue;
            }
            if !is_allowed(c) {
                return Err(Fault::CharacterNotAllowed);
            }
            let c = if c == '.' && is_han(last) {
                MIDDLE_DOT
            } else {
                c
            };
            if space_is_due && !closes_up(last) && !closes_up(c) {
                name.push(' ');
                count += 1;
            }
            name.push(c);
            (count, last, space_is_due) = (count + 1, c, false);
        }
        match count {
            0 => Err(Fault::Empty),
            _ if count > LENGTH_LIMIT => Err(Fault::LengthWrong),
            _ if name.starts_with(MIDDLE_DOT) || last == MIDDLE_DOT => Err(Fault::FormUnknown),
            _ if name.chars().any(is_letter) => Ok(Self(name)),
            _ => Err(Fault::CharacterNotAllowed),
        }
    }

    /// The name. Never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as [`mask_name`] shows it.
    #[must_use]
    pub fn mask(&self) -> String {
        mask_name(&self.0)
    }
}

impl FromStr for PersonName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// Half-width, one kind of space, of dot, of hyphen and of apostrophe.
const fn normal(c: char) -> char {
    match c {
        '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22C5}' | '\u{25CF}' | '\u{30FB}'
        | '\u{FF65}' => MIDDLE_DOT,
        '\t' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' => '-',
        '\u{2018}' | '\u{2019}' => '\'',
        _ => half_width(c),
    }
}

fn is_allowed(c: char) -> bool {
    match c {
        MIDDLE_DOT | '-' | '\'' | '.' | ',' => true,
        _ if c.is_ascii() => c.is_ascii_alphabetic(),
        _ => !c.is_control() && !is_invisible(c) && !is_symbol(c),
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_han(c)
}

/// Chinese characters: the unified and compatibility ideographs of all extensions, the zero 〇, and
/// the private use area in which older systems kept rare ones.
const fn is_han(c: char) -> bool {
    matches!(
        c,
        '\u{3007}' | '\u{3400}'..='\u{9FFF}' | '\u{E000}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
    )
}

/// Whether no space stands beside this character.
const fn closes_up(c: char) -> bool {
    is_han(c) || c == MIDDLE_DOT
}

/// Characters that show nothing or turn the text around, and the sign of a broken encoding.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E007F}'
    )
}

/// Arrows, drawings, circled numbers, Chinese punctuation, pictures.
const fn is_symbol(c: char) -> bool {
    matches!(
        c,
        '\u{2190}'..='\u{2BFF}' | '\u{3001}'..='\u{3004}' | '\u{3008}'..='\u{3020}'
            | '\u{1F000}'..='\u{1FAFF}'
    )
}
