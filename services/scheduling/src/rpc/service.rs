//! The methods of both services: each names where it is done.

use bangban_proto::bangban::scheduling::v1::{
    self as v1, booking_service_server::BookingService, capacity_service_server::CapacityService,
};
use tonic::{Request, Response, Status};

use super::Rpc;
use crate::domain::appointment;

#[tonic::async_trait]
impl CapacityService for Rpc {
    async fn put_template(
        &self,
        request: Request<v1::PutTemplateRequest>,
    ) -> Result<Response<v1::TemplateChange>, Status> {
        self.on_capacity(request).await
    }

    async fn remove_template(
        &self,
        request: Request<v1::RemoveTemplateRequest>,
    ) -> Result<Response<v1::TemplateChange>, Status> {
        self.on_capacity(request).await
    }

    async fn list_templates(
        &self,
        request: Request<v1::ListTemplatesRequest>,
    ) -> Result<Response<v1::ListTemplatesResponse>, Status> {
        self.read_templates(request).await
    }

    async fn put_exception(
        &self,
        request: Request<v1::PutExceptionRequest>,
    ) -> Result<Response<v1::ExceptionChange>, Status> {
        self.on_capacity(request).await
    }

    async fn remove_exception(
        &self,
        request: Request<v1::RemoveExceptionRequest>,
    ) -> Result<Response<v1::ExceptionChange>, Status> {
        self.on_capacity(request).await
    }

    async fn list_exceptions(
        &self,
        request: Request<v1::ListExceptionsRequest>,
    ) -> Result<Response<v1::ListExceptionsResponse>, Status> {
        self.read_exceptions(request).await
    }

    async fn put_publication(
        &self,
        request: Request<v1::PutPublicationRequest>,
    ) -> Result<Response<v1::PublicationChange>, Status> {
        self.on_capacity(request).await
    }

    async fn get_publication(
        &self,
        request: Request<v1::GetPublicationRequest>,
    ) -> Result<Response<v1::Publication>, Status> {
        self.read_publication(request).await
    }

    async fn publish_days(
        &self,
        request: Request<v1::PublishDaysRequest>,
    ) -> Result<Response<v1::PublishDaysResponse>, Status> {
        self.on_capacity(request).await
    }

    async fn change_slot(
        &self,
        request: Request<v1::ChangeSlotRequest>,
    ) -> Result<Response<v1::DayChange>, Status> {
        self.on_capacity(request).await
    }

    async fn preview_change(
        &self,
        request: Request<v1::PreviewChangeRequest>,
    ) -> Result<Response<v1::PreviewChangeResponse>, Status> {
        self.preview(request).await
    }

    async fn get_day(
        &self,
        request: Request<v1::GetDayRequest>,
    ) -> Result<Response<v1::Day>, Status> {
        self.read_day(request).await
    }

    async fn put_booking_policy(
        &self,
        request: Request<v1::PutBookingPolicyRequest>,
    ) -> Result<Response<v1::BookingPolicyChange>, Status> {
        self.on_capacity(request).await
    }

    async fn get_booking_policy(
        &self,
        request: Request<v1::GetBookingPolicyRequest>,
    ) -> Result<Response<v1::BookingPolicy>, Status> {
        self.read_policy(request).await
    }
}

#[tonic::async_trait]
impl BookingService for Rpc {
    async fn get_availability(
        &self,
        request: Request<v1::GetAvailabilityRequest>,
    ) -> Result<Response<v1::GetAvailabilityResponse>, Status> {
        self.availability(request).await
    }

    async fn hold_slot(
        &self,
        request: Request<v1::HoldSlotRequest>,
    ) -> Result<Response<v1::Hold>, Status> {
        self.hold(request).await
    }

    async fn extend_hold(
        &self,
        request: Request<v1::ExtendHoldRequest>,
    ) -> Result<Response<v1::Hold>, Status> {
        self.extend(request).await
    }

    async fn release_hold(
        &self,
        request: Request<v1::ReleaseHoldRequest>,
    ) -> Result<Response<v1::Hold>, Status> {
        self.release(request).await
    }

    async fn confirm_booking(
        &self,
        request: Request<v1::ConfirmBookingRequest>,
    ) -> Result<Response<v1::BookingChange>, Status> {
        self.confirm(request).await
    }

    async fn cancel_booking(
        &self,
        request: Request<v1::CancelBookingRequest>,
    ) -> Result<Response<v1::BookingChange>, Status> {
        self.cancel_booking_of(request).await
    }

    async fn move_booking(
        &self,
        request: Request<v1::MoveBookingRequest>,
    ) -> Result<Response<v1::BookingChange>, Status> {
        self.move_booking_of(request).await
    }

    async fn check_in(
        &self,
        request: Request<v1::CheckInRequest>,
    ) -> Result<Response<v1::BookingChange>, Status> {
        self.act(request, |b, r: &v1::CheckInRequest, outside| {
            Ok(vec![appointment::check_in(b, r.channel(), outside)?])
        })
        .await
    }

    async fn start_service(
        &self,
        request: Request<v1::StartServiceRequest>,
    ) -> Result<Response<v1::BookingChange>, Status> {
        self.act(request, |b, _, outside| appointment::start(b, outside))
            .await
    }

    async fn complete_service(
        &self,
        request: Request<v1::CompleteServiceRequest>,
    ) -> Result<Response<v1::BookingChange>, Status> {
        self.act(request, |b, _, _| Ok(vec![appointment::complete(b)?]))
            .await
    }

    async fn get_booking(
        &self,
        request: Request<v1::GetBookingRequest>,
    ) -> Result<Response<v1::Booking>, Status> {
        self.read_booking(request).await
    }

    async fn list_bookings(
        &self,
        request: Request<v1::ListBookingsRequest>,
    ) -> Result<Response<v1::ListBookingsResponse>, Status> {
        self.read_bookings(request).await
    }

    async fn get_calendar_entry(
        &self,
        request: Request<v1::GetCalendarEntryRequest>,
    ) -> Result<Response<v1::GetCalendarEntryResponse>, Status> {
        self.read_calendar(request).await
    }

    async fn create_link(
        &self,
        request: Request<v1::CreateLinkRequest>,
    ) -> Result<Response<v1::CreateLinkResponse>, Status> {
        self.link_created(request).await
    }

    async fn get_linked_booking(
        &self,
        request: Request<v1::GetLinkedBookingRequest>,
    ) -> Result<Response<v1::LinkedBooking>, Status> {
        self.read_linked(request).await
    }

    async fn cancel_by_link(
        &self,
        request: Request<v1::CancelByLinkRequest>,
    ) -> Result<Response<v1::LinkedBooking>, Status> {
        self.cancelled_by_link(request).await
    }

    async fn move_by_link(
        &self,
        request: Request<v1::MoveByLinkRequest>,
    ) -> Result<Response<v1::LinkedBooking>, Status> {
        self.moved_by_link(request).await
    }

    async fn join_waiting_list(
        &self,
        request: Request<v1::JoinWaitingListRequest>,
    ) -> Result<Response<v1::WaitingChange>, Status> {
        self.waiting_joined(request).await
    }

    async fn leave_waiting_list(
        &self,
        request: Request<v1::LeaveWaitingListRequest>,
    ) -> Result<Response<v1::WaitingChange>, Status> {
        self.waiting_left(request).await
    }

    async fn accept_offer(
        &self,
        request: Request<v1::AcceptOfferRequest>,
    ) -> Result<Response<v1::BookingChange>, Status> {
        self.offer_accepted(request).await
    }

    async fn decline_offer(
        &self,
        request: Request<v1::DeclineOfferRequest>,
    ) -> Result<Response<v1::WaitingChange>, Status> {
        self.offer_declined(request).await
    }

    async fn get_waiting(
        &self,
        request: Request<v1::GetWaitingRequest>,
    ) -> Result<Response<v1::GetWaitingResponse>, Status> {
        self.read_waiting(request).await
    }

    async fn list_waiting(
        &self,
        request: Request<v1::ListWaitingRequest>,
    ) -> Result<Response<v1::ListWaitingResponse>, Status> {
        self.read_waiting_list(request).await
    }

    async fn get_standing(
        &self,
        request: Request<v1::GetStandingRequest>,
    ) -> Result<Response<v1::Standing>, Status> {
        self.read_standing(request).await
    }

    async fn appeal_no_show(
        &self,
        request: Request<v1::AppealNoShowRequest>,
    ) -> Result<Response<v1::StandingChange>, Status> {
        self.appealed(request).await
    }

    async fn decide_appeal(
        &self,
        request: Request<v1::DecideAppealRequest>,
    ) -> Result<Response<v1::StandingChange>, Status> {
        self.appeal_decided(request).await
    }

    async fn get_booking_rates(
        &self,
        request: Request<v1::GetBookingRatesRequest>,
    ) -> Result<Response<v1::GetBookingRatesResponse>, Status> {
        self.read_rates(request).await
    }
}
