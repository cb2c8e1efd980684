//! What may be done with a held seat, and whom a hold belongs to.

use bangban_kit::refusal::Refusal;
use chrono::{DateTime, Utc};

use super::hold;

/// A seat as somebody finds it who says that it is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mine<'a> {
    /// Whether the seat is held or had by the booking that is named, under an epoch that its hold has had.
    pub is_of_booking: bool,
    /// Whether it is an appointment by now.
    pub is_confirmed: bool,
    /// Subject of who holds.
    pub holder: &'a str,
    /// Who asks.
    pub subject: &'a str,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// Whether it is a live hold of who asks.
///
/// # Errors
/// CONFIRMED_ALREADY, HOLD_UNKNOWN, HOLD_OF_ANOTHER, HOLD_EXPIRED (BB-9.2b).
pub fn live(mine: &Mine<'_>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if mine.is_confirmed {
        return Err(Refusal::precondition(
            "CONFIRMED_ALREADY",
            "BB-9.2b",
            "该预约已确认，无需再次确认",
            "the appointment is confirmed already",
        ));
    }
    if !mine.is_of_booking {
        return Err(Refusal::not_found(
            "HOLD_UNKNOWN",
            "BB-9.2b",
            "没有该号源的保留，可能已释放或过期；请重新选择时段",
            "there is no such hold: it was released, or has expired; choose a time again",
        ));
    }
    if mine.holder != mine.subject {
        return Err(Refusal::forbidden(
            "HOLD_OF_ANOTHER",
            "BB-9.2b",
            "该号源由他人保留，您不能操作",
            "somebody else holds this seat",
        ));
    }
    hold::live(mine.expires_at, now)
}
