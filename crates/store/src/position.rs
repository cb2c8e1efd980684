//! A position in a log: opaque to others, ordered within one log, bound to its incarnation.

use std::fmt;

use bangban_kit::refusal::Refusal;

/// Where in whose log.
///
/// Ordered by `(tx, at)`: in PostgreSQL `tx` is the transaction's id, because sequence order is not commit order; in
/// SQLite, where one writes at a time, it is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The service whose log it is.
    pub log: String,
    /// Which incarnation of the log: a restored or moved log has another.
    pub incarnation: String,
    /// Transaction.
    pub tx: i64,
    /// Sequence number.
    pub at: i64,
}

impl Position {
    /// Reads a position as it came over the wire.
    ///
    /// # Errors
    /// POSITION_INVALID.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let wrong = || {
            Refusal::invalid(
                "POSITION_INVALID",
                "",
                "日志位置无法识别",
                "this is no position of a log",
            )
        };
        let number = |text: &str| match i64::from_str_radix(text, 16) {
            Ok(number) if number >= 0 => Ok(number),
            _ => Err(wrong()),
        };
        let mut parts = text.split('.');
        let (Some(log), Some(incarnation), Some(tx), Some(at), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(wrong());
        };
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if !is_name(log) || !is_name(incarnation) {
            return Err(wrong());
        }
        Ok(Self {
            log: log.to_owned(),
            incarnation: incarnation.to_owned(),
            tx: number(tx)?,
            at: number(at)?,
        })
    }

    /// Whether this position is at or behind `other` in the same log and incarnation.
    #[must_use]
    pub fn reaches(&self, other: &Self) -> bool {
        self.log == other.log
            && self.incarnation == other.incarnation
            && (self.tx, self.at) >= (other.tx, other.at)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{:x}.{:x}",
            self.log, self.incarnation, self.tx, self.at
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_the_wire_and_keep_their_order() {
        let early = Position {
            log: "casework".into(),
            incarnation: "a1".into(),
            tx: 9,
            at: 200,
        };
        let late = Position {
            tx: 10,
            at: 3,
            ..early.clone()
        };
        assert_eq!(Position::parse(&early.to_string()), Ok(early.clone()));
        assert!(late.reaches(&early) && !early.reaches(&late) && late.reaches(&late));
        let other = Position {
            incarnation: "b2".into(),
            ..late.clone()
        };
        assert!(!other.reaches(&early));
        for wrong in [
            "",
            "casework",
            "casework.a1.9",
            "casework.a1.x.1",
            "casework.a1.-9.1",
            "a.b.1.2.3",
        ] {
            assert_eq!(
                Position::parse(wrong).expect_err("refused").reason,
                "POSITION_INVALID"
            );
        }
    }
}
