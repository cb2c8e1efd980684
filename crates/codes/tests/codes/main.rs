//! The public promises of `bangban-codes`, from the standards' own samples and by properties.

mod documents;
mod enterprises;
mod errors;
mod names;
mod persons;
mod places;
mod receipts;
mod telephones;

use bangban_codes::Error;
use chrono::NaiveDate;

/// The day on which all tests take place.
fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 24).unwrap()
}

/// The reason of a refusal, and that the refusal repeats nothing of a text of some length.
fn reason<T: std::fmt::Debug>(text: &str, result: Result<T, Error>) -> &'static str {
    let error = result.expect_err("refused");
    let said = format!("{error} {error:?} {}", error.zh());
    for piece in text
        .as_bytes()
        .windows(4)
        .filter_map(|piece| std::str::from_utf8(piece).ok())
    {
        assert!(
            piece.trim().len() < 4 || !said.contains(piece),
            "{said} repeats {piece}"
        );
    }
    error.reason()
}
