//! A booking as a row: the columns that are searched, and one body.

use bangban_ledger::Hash;
use bangban_proto::bangban::scheduling::v1::{Booking, BookingPolicy, BookingState};
use bangban_store::write::Row;
use chrono::{DateTime, Utc};
use prost::Message as _;

use super::{seat::long, slot::us};
use crate::domain::{
    appointment,
    outside::timestamp,
    rate::{self, Verdict},
};

/// How an appointment counts, as the column has it: 0 while nothing is decided.
fn verdict(booking: &Booking) -> i32 {
    // What the site could not keep ends with its breach.
    if booking.state() == BookingState::Cancelled && booking.breaches.is_empty() {
        return CANCELLED;
    }
    if booking.state() == BookingState::NoShow {
        return NO_SHOW;
    }
    let kept = appointment::kept(booking);
    if kept.started_at.is_none() && booking.breaches.is_empty() {
        return 0;
    }
    // Decided by its start, or by the breach on record.
    match rate::verdict(&kept, DateTime::<Utc>::MAX_UTC) {
        Verdict::OnTime => ON_TIME,
        _ => BREACH,
    }
}

/// Service started within its slot.
pub const ON_TIME: i32 = 1;
/// The institution did not keep it.
pub const BREACH: i32 = 2;
/// Nobody came.
pub const NO_SHOW: i32 = 3;
/// Given up.
pub const CANCELLED: i32 = 4;

/// The row of a booking behind act `version`: new where nothing was read, else guarded by the version that was.
/// `rules` and `now` decide what is due next, which the booking says from now on.
#[must_use]
pub fn row(
    booking: &mut Booking,
    read: Option<u64>,
    (version, head): (u64, &Hash),
    (rules, now): (&BookingPolicy, DateTime<Utc>),
) -> Row {
    let due = appointment::next_due(booking, rules, now);
    booking.next_due_at = due.map(timestamp);
    // A policy's etag is its version; where the district has put none down it has none.
    let ruled_by: i64 = rules.etag.parse().unwrap_or_default();
    let by = booking.booked_by.clone().unwrap_or_default();
    Row {
        table: "bookings",
        key: [booking.district.clone().into(), booking.id.clone().into()],
        read,
        columns: vec![
            ("version", long(version)),
            ("head", head.to_vec().into()),
            ("state", booking.state.into()),
            ("site", booking.site.clone().into()),
            ("region", booking.region.clone().into()),
            ("booked_by", by.subject.into()),
            ("booked_site", by.site.into()),
            ("applicant", booking.applicant.clone().into()),
            ("consultation", booking.consultation.clone().into()),
            ("case_id", booking.case.clone().into()),
            (
                "seat_id",
                format!("{}/{}", booking.slot, booking.seat).into(),
            ),
            (
                "starts_us",
                us(booking.starts_at.as_ref()).unwrap_or_default().into(),
            ),
            ("verdict", verdict(booking).into()),
            ("ruled_by", ruled_by.into()),
            ("due_us", due.map(|at| at.timestamp_micros()).into()),
            ("body", booking.encode_to_vec().into()),
        ],
        provided: None,
    }
}
