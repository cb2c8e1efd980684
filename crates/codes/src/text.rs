//! Text as people type, paste and dictate it, brought to plain ASCII in a fixed buffer.

use crate::Fault;

/// Longest text looked at, in bytes; a longer one is refused unread.
const INPUT_LIMIT_BYTES: usize = 512;

/// The half-width form of a full-width character, the Latin X of the Roman numeral ten, and the
/// ASCII hyphen of any dash; any other character as it is.
pub(crate) const fn fold(c: char) -> char {
    match c {
        // The check character X is the Roman numeral ten, and some input methods offer it so.
        '\u{2169}' | '\u{2179}' => 'X',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' => '-',
        _ => half_width(c),
    }
}

/// The half-width form of a full-width character, and any other character as it is.
pub(crate) const fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => (c as u32 - 0xFF01 + 0x21) as u8 as char,
        _ => c,
    }
}

/// Up to `N` ASCII characters, `Copy`, without allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ascii<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Ascii<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    pub(crate) fn push(&mut self, byte: u8) -> Result<(), Fault> {
        debug_assert!(byte.is_ascii());
        let slot = self
            .bytes
            .get_mut(usize::from(self.len))
            .ok_or(Fault::LengthWrong)?;
        *slot = byte;
        self.len += 1;
        Ok(())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub(crate) fn as_str(&self) -> &str {
        ascii_str(self.as_bytes())
    }

    /// The first `len` characters.
    pub(crate) fn prefix(&self, len: usize) -> &str {
        ascii_str(&self.as_bytes()[..len.min(usize::from(self.len))])
    }

    /// Reads letters and digits: folded, upper-cased, without white space. Nothing else is let in.
    pub(crate) fn alphanumeric(text: &str) -> Result<Self, Fault> {
        limit(text)?;
        let mut read = Self::new();
        let mut is_too_long = false;
        for c in text.chars().filter(|c| !c.is_whitespace()).map(fold) {
            if !c.is_ascii_alphanumeric() {
                return Err(Fault::CharacterNotAllowed);
            }
            is_too_long |= read.push(c.to_ascii_uppercase() as u8).is_err();
        }
        match read.len {
            _ if is_too_long => Err(Fault::LengthWrong),
            0 => Err(Fault::Empty),
            _ => Ok(read),
        }
    }

    /// Reads exactly `N` characters as [`Ascii::alphanumeric`] does.
    pub(crate) fn exactly(text: &str) -> Result<[u8; N], Fault> {
        let read = Self::alphanumeric(text)?;
        if usize::from(read.len) == N {
            Ok(read.bytes)
        } else {
            Err(Fault::LengthWrong)
        }
    }

    /// Reads digits only, as [`Ascii::alphanumeric`] does.
    pub(crate) fn digits(text: &str) -> Result<Self, Fault> {
        let read = Self::alphanumeric(text)?;
        digits_only(read.as_bytes())?;
        Ok(read)
    }
}

/// Refuses a text too long to be any code before it costs anything.
pub(crate) fn limit(text: &str) -> Result<(), Fault> {
    if text.len() > INPUT_LIMIT_BYTES {
        Err(Fault::LengthWrong)
    } else {
        Ok(())
    }
}

/// Refuses anything that is not a decimal digit.
pub(crate) fn digits_only(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.iter().all(u8::is_ascii_digit) {
        Ok(())
    } else {
        Err(Fault::CharacterNotAllowed)
    }
}

/// The value of a run of at most nine ASCII digits.
pub(crate) fn number(digits: &[u8]) -> u32 {
    debug_assert!(digits.len() <= 9 && digits.iter().all(u8::is_ascii_digit));
    digits
        .iter()
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

/// The text of bytes known to be ASCII.
pub(crate) fn ascii_str(bytes: &[u8]) -> &str {
    debug_assert!(bytes.is_ascii());
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The first `head` and last `tail` characters with a star for each between them. A text too short
/// to hide at least as much as it shows is hidden wholly.
pub(crate) fn mask_ascii(text: &str, head: usize, tail: usize) -> String {
    if text.len() < 2 * (head + tail) {
        return "*".repeat(text.len());
    }
    let stars = text.len() - head - tail;
    format!(
        "{}{}{}",
        &text[..head],
        "*".repeat(stars),
        &text[text.len() - tail..]
    )
}

/// `Debug` for a personal number: the type's name and its mask.
macro_rules! debug_as_mask {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.mask())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_hides_at_least_as_much_as_it_shows() {
        assert_eq!(mask_ascii("E12345678", 1, 1), "E*******8");
        assert_eq!(mask_ascii("1234", 1, 1), "1**4");
        assert_eq!(mask_ascii("123", 1, 1), "***");
        assert_eq!(mask_ascii("", 1, 1), "");
    }
}
