//! A held seat becomes an appointment, whether the hold was asked for or offered.

use bangban_kit::identity::Caller;
use bangban_ledger::START;
use bangban_proto::bangban::scheduling::v1::{Booking, BookingConfirmed};
use bangban_store::write::{Chain, Provided, Row, State};

use super::command::{carry_out, chain};
use crate::{
    domain::{Act, fold, policy},
    store::{Seat, SlotRow, booking as rows, capacity, load::Loaded},
    work::CARE_US,
};

/// The first act of an appointment, with the rows of its seat and of the appointment. One whose slot gives its seat no more
/// is looked after by the sweep, however long ago the slot has changed (BB-9.2b). `provided` is what must still be so.
pub(super) fn confirmed(
    caller: &Caller,
    booking: &mut Booking,
    seat: &Seat,
    loaded: &Loaded,
    provided: Option<Provided>,
) -> (Chain, Vec<State>) {
    let now = loaded.now;
    let act = Act::BookingConfirmed(BookingConfirmed {
        booking: Some(booking.clone()),
    });
    let subject = format!("bookings/{}", booking.id);
    let chain = chain(&booking.district, subject, (0, START), caller, now);
    let chain = carry_out(booking, chain, vec![act], now, fold::booking);
    let row = rows::row(
        &mut *booking,
        None,
        (chain.number, &chain.head),
        (&policy::filled(&loaded.policy), now.at),
    );
    let gives = loaded.slot.as_ref().map(SlotRow::seats);
    let care = gives
        .filter(|seats| seat.key.seat >= *seats)
        .map(|_| capacity::cared_for(&seat.district, &seat.key.slot.day, now.us() + CARE_US));
    let seat = Row {
        provided,
        ..seat.confirmed()
    };
    let mut states = vec![State::Row(seat), State::Row(row)];
    states.extend(care);
    (chain, states)
}
