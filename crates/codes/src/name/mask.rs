//! Masks of names.

/// Most stars in a mask: the length of a long name says little, its absence says nothing.
const STARS: usize = 4;

/// A person's name with its first and last character: `张*娥`; of two characters the first, `张*`; of
/// one nothing. A combining mark or variant selector stays with its character.
#[must_use]
pub fn mask_name(name: &str) -> String {
    let letters = letters(name.trim());
    match letters.as_slice() {
        [] | [_] => "*".repeat(letters.len()),
        [first, _] => format!("{first}*"),
        [first, middle @ .., last] => format!("{first}{}{last}", stars(middle.len())),
    }
}

/// An enterprise's name with its middle hidden: the first two characters and the last four,
/// `温州****有限公司`; of up to eight characters the first and the last two, `张****店铺` — small names are
/// often their owner's; of up to three the first.
#[must_use]
pub fn mask_enterprise(name: &str) -> String {
    let letters = letters(name.trim());
    let (head, tail) = match letters.len() {
        0 => return String::new(),
        1 => return "*".to_owned(),
        2 | 3 => (1, 0),
        4..=8 => (1, 2),
        _ => (2, 4),
    };
    let end = letters.len() - tail;
    format!(
        "{}{}{}",
        letters[..head].concat(),
        stars(end - head),
        letters[end..].concat()
    )
}

fn stars(hidden: usize) -> String {
    "*".repeat(hidden.min(STARS))
}

/// The text in pieces that are read as one character each.
fn letters(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text
        .char_indices()
        .filter(|&(_, c)| !is_mark(c))
        .map(|(at, _)| at)
        .collect();
    starts.push(text.len());
    starts
        .windows(2)
        .map(|pair| &text[pair[0]..pair[1]])
        .collect()
}

/// Combining marks of Latin and Tibetan, and variant selectors of ideographs.
const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36F}' | '\u{F71}'..='\u{F84}' | '\u{F8D}'..='\u{FBC}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}'
    )
}
