//! A held seat becomes an appointment, whether the hold was asked for or offered.

use bangban_kit::identity::Caller;
use bangban_ledger::START;
use bangban_proto::bangban::scheduling::v1::{Booking, BookingConfirmed, SeatState};
use bangban_store::write::{Chain, State};

use super::command::{carry_out, chain};
use crate::{
    domain::{Act, fold, policy},
    store::{Seat, booking as rows, load::Loaded},
};

/// The first act of an appointment, with the rows of its seat and of the appointment.
pub(super) fn confirmed(
    caller: &Caller,
    booking: &mut Booking,
    seat: &Seat,
    loaded: &Loaded,
) -> (Chain, [State; 2]) {
    let now = loaded.now;
    let act = Act::BookingConfirmed(BookingConfirmed {
        booking: Some(booking.clone()),
    });
    let subject = format!("bookings/{}", booking.id);
    let chain = chain(&booking.district, subject, (0, START), caller, now);
    let chain = carry_out(booking, chain, vec![act], now, fold::booking);
    let seat = Seat {
        state: SeatState::Confirmed,
        due_us: None,
        ..seat.clone()
    };
    let row = rows::row(
        &mut *booking,
        None,
        (chain.number, &chain.head),
        (&policy::filled(&loaded.policy), now.at),
    );
    (chain, [State::Row(seat.row()), State::Row(row)])
}
