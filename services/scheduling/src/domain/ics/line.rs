//! Content lines: folded at 75 octets, values escaped (RFC 5545, sections 3.1 and 3.3.11; RFC 6868).

/// Most octets of a line without its CRLF.
const MAX_OCTETS: usize = 75;

/// Lines of a calendar.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    /// Adds a content line, folded between characters.
    pub fn push(&mut self, line: &str) {
        let mut octets = 0;
        for character in line.chars() {
            if octets + character.len_utf8() > MAX_OCTETS {
                self.0.push_str("\r\n ");
                octets = 1;
            }
            self.0.push(character);
            octets += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

/// A value of type TEXT. Control characters, which no value may hold, are left out.
pub(super) fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.replace("\r\n", "\n").chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push(' '),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A value of a parameter, in quotes.
pub(super) fn quoted(value: &str) -> String {
    let mut escaped = String::from("\"");
    for character in value.replace("\r\n", "\n").chars() {
        match character {
            '^' => escaped.push_str("^^"),
            '"' => escaped.push_str("^'"),
            '\n' => escaped.push_str("^n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped.push('"');
    escaped
}
