//! Reads telephone numbers as people write them.

use super::{Line, Telephone};
use crate::Fault;
use crate::text::{Ascii, fold, limit};

/// Longest digit string looked at: 0086, an area code, a number.
type Digits = Ascii<20>;

/// What may stand between a number and its extension.
const EXTENSION_MARKS: [&str; 7] = ["转分机", "分机", "转", "轉", "ext", "x", "#"];

pub(super) fn read(text: &str) -> Result<Telephone, Fault> {
    limit(text)?;
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| fold(c).to_ascii_lowercase())
        .collect();
    let (number, extension) = without_extension(&text)?;
    let Written {
        digits,
        hyphens,
        has_plus,
    } = written(number)?;
    let bytes = digits.as_bytes();
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    let prefix = country_digits(bytes, &hyphens, has_plus)?;
    let is_international = prefix > 0;
    // What follows the last hyphen is an extension if a fixed line is complete before it.
    if extension.as_bytes().is_empty()
        && let Some(cut) = hyphens.last().copied()
        && cut > prefix
        && let Ok(telephone) = classify(&bytes[prefix..cut], is_international)
        && telephone.line == Line::Fixed
    {
        return Ok(Telephone {
            extension: copy(&bytes[cut..])?,
            ..telephone
        });
    }
    Ok(Telephone {
        extension,
        ..classify(&bytes[prefix..], is_international)?
    })
}

/// The text before an extension, and its digits.
fn without_extension(text: &str) -> Result<(&str, Ascii<6>), Fault> {
    let found = EXTENSION_MARKS
        .iter()
        .filter_map(|mark| text.find(mark).map(|at| (at, mark.len())))
        .min_by_key(|&(at, _)| at);
    let Some((at, length)) = found else {
        return Ok((text, Ascii::new()));
    };
    let extension = text[at + length..].trim_start_matches(['.', ':', '-']);
    match Ascii::digits(extension) {
        Ok(digits) => Ok((&text[..at], digits)),
        Err(Fault::Empty) => Err(Fault::FormUnknown),
        Err(fault) => Err(fault),
    }
}

struct Written {
    digits: Digits,
    /// Before which digit a hyphen stood.
    hyphens: Vec<usize>,
    has_plus: bool,
}

fn written(text: &str) -> Result<Written, Fault> {
    let mut digits = Digits::new();
    let mut hyphens = Vec::new();
    let mut has_plus = false;
    let mut is_open = false;
    let mut is_too_long = false;
    for c in text.chars() {
        let at = digits.as_bytes().len();
        match c {
            '0'..='9' => is_too_long |= digits.push(c as u8).is_err(),
            '+' if at == 0 && !has_plus => has_plus = true,
            '(' if !is_open => is_open = true,
            ')' if is_open => is_open = false,
            '-' if at > 0 => hyphens.push(at),
            _ => return Err(Fault::CharacterNotAllowed),
        }
    }
    match (
        is_too_long,
        is_open || hyphens.last() == Some(&digits.as_bytes().len()),
    ) {
        (true, _) => Err(Fault::LengthWrong),
        (false, true) => Err(Fault::FormUnknown),
        (false, false) => Ok(Written {
            digits,
            hyphens,
            has_plus,
        }),
    }
}

/// How many digits at the beginning are the country code.
fn country_digits(digits: &[u8], hyphens: &[usize], has_plus: bool) -> Result<usize, Fault> {
    match digits {
        [b'8', b'6', ..] if has_plus => Ok(2),
        _ if has_plus => Err(Fault::FormUnknown),
        [b'0', b'0', b'8', b'6', ..] => Ok(4),
        // Without a plus, 86 is the country if a hyphen or a whole mobile number follows.
        [b'8', b'6', ..] if hyphens.first() == Some(&2) => Ok(2),
        [b'8', b'6', b'1', b'3'..=b'9', ..] if digits.len() == 13 => Ok(2),
        _ => Ok(0),
    }
}

fn classify(digits: &[u8], is_international: bool) -> Result<Telephone, Fault> {
    let whole = |line| telephone(line, &[], digits);
    match digits {
        [b'1', b'3'..=b'9', ..] if digits.len() == 11 => whole(Line::Mobile),
        [b'0', rest @ ..] => with_area(rest),
        _ if is_hotline(digits) => whole(Line::Hotline),
        // Abroad the zero of the area code is left out.
        _ if is_international => with_area(digits),
        [b'1', b'3'..=b'9', ..] => Err(Fault::LengthWrong),
        // A fixed number without its area code cannot be called from elsewhere.
        _ => Err(Fault::FormUnknown),
    }
}

/// `rest` is what follows the zero of the area code. Areas 10 and 20 to 29 have two digits after
/// it, all others three.
fn with_area(rest: &[u8]) -> Result<Telephone, Fault> {
    let area_digits = match rest {
        [b'1', b'0', ..] | [b'2', ..] => 2,
        [b'3'..=b'9', ..] => 3,
        _ => return Err(Fault::FormUnknown),
    };
    let (area, number) = rest
        .split_at_checked(area_digits)
        .ok_or(Fault::LengthWrong)?;
    let mut full = [b'0'; 4];
    full[1..=area_digits].copy_from_slice(area);
    let area = &full[..=area_digits];
    match (number, number.len()) {
        ([b'2'..=b'9', ..], 7 | 8) => telephone(Line::Fixed, area, number),
        (_, 5) if is_hotline(number) => telephone(Line::Hotline, area, number),
        (_, 7 | 8) => Err(Fault::FormUnknown),
        _ => Err(Fault::LengthWrong),
    }
}

/// Emergency and public numbers of three digits, 10xxx, 12xxx, 95xxx and 96xxx of five or six, and
/// 400 and 800 with seven more.
fn is_hotline(digits: &[u8]) -> bool {
    match digits {
        [b'1', b'1' | b'2', _] => true,
        [b'1', b'0' | b'2', ..] => digits.len() == 5,
        [b'9', b'5' | b'6', ..] => matches!(digits.len(), 5 | 6),
        [b'4' | b'8', b'0', b'0', ..] => digits.len() == 10,
        _ => false,
    }
}

fn telephone(line: Line, area: &[u8], number: &[u8]) -> Result<Telephone, Fault> {
    Ok(Telephone {
        line,
        area: copy(area)?,
        number: copy(number)?,
        extension: Ascii::new(),
    })
}

fn copy<const N: usize>(bytes: &[u8]) -> Result<Ascii<N>, Fault> {
    let mut copy = Ascii::new();
    bytes.iter().try_for_each(|&byte| copy.push(byte))?;
    Ok(copy)
}
