//! Talks to whoever sits at the terminal. A reader that has gone away ends nothing.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

use chrono::{DateTime, FixedOffset};
use prost_types::Timestamp;

/// A line on standard output.
pub fn line(text: impl Display) {
    // A closed pipe is the reader's right.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A sentence on standard error.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// An instant in Asia/Shanghai, to the minute.
pub fn instant(at: Option<&Timestamp>) -> String {
    local(at).map_or_else(
        || "—".to_owned(),
        |at| at.format("%Y-%m-%d %H:%M").to_string(),
    )
}

/// An instant in Asia/Shanghai.
pub fn local(at: Option<&Timestamp>) -> Option<DateTime<FixedOffset>> {
    let at = at?;
    let at = DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).unwrap_or_default())?;
    Some(at.with_timezone(&bangban_calendar::SHANGHAI))
}
