//! What who books asks of scheduling: a seat is held, then confirmed.

use bangban_proto::bangban::{
    scheduling::v1::{ConfirmBookingRequest, Hold, HoldSlotRequest},
    types::v1::Channel,
};
use uuid::Uuid;

/// Asks for a seat of a slot, for an applicant who comes because of an item.
#[must_use]
pub fn holding(district: &str, slot: &str, applicant: &str, item: &str) -> HoldSlotRequest {
    HoldSlotRequest {
        district: district.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        slot: slot.to_owned(),
        applicant: applicant.to_owned(),
        item: item.to_owned(),
        ..HoldSlotRequest::default()
    }
}

/// Confirms a hold for somebody who stands at the window.
#[must_use]
pub fn confirming(district: &str, hold: &Hold) -> ConfirmBookingRequest {
    ConfirmBookingRequest {
        district: district.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        booking: hold.booking.clone(),
        slot: hold.slot.clone(),
        seat: hold.seat,
        epoch: hold.epoch,
        channel: Channel::Window.into(),
        ..ConfirmBookingRequest::default()
    }
}
